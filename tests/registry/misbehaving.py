"""A registry that does as it is told: serves the images of a layout, and misbehaves by rules.

    with MisbehavingRegistry(layout, authority) as server:
        server.reference("light")                        # served as it should be
        server.rules["images/light"] = fail_first(1, 503)
        server.requests("images/light")                  # what came: Request(listener, method, path, headers)
        server.listener("expired").host                  # the same registry behind another certificate

A rule is called with an Exchange before anything is answered; what it returns is true if it has answered.
The scenarios are in scenarios.py.
"""

import gzip
import json
import os
import re
import socket
import ssl
import struct
import threading
import time
from dataclasses import dataclass

from layout import digest_of
from registries import free_port, repository
from token_server import basic_credentials

MIB = 1 << 20
ENDLESS = 64 * MIB  # what is endless ends here, so that a client without limits does not fill the machine
# One byte a chunk; under a sanitizer, where that takes the client longer than it waits, eight.
SMALL_CHUNK = b"8\r\n        \r\n" if os.environ.get("PLIMSOLL_SANITIZED") == "1" else b"1\r\n \r\n"
LISTENERS = ("good", "other", "third", "plain", "other-plain", "expired", "wrong-name", "self-signed", "unknown-ca", "old-tls",
             "no-handshake", "reset", "plain-on-tls", "garbage", "refused")


@dataclass
class Request:
    listener: str
    method: str
    path: str       # with the query
    headers: dict   # in lower case
    body: bytes
    at: float


class Closed(Exception):
    """The connection is over; not an error."""


class Listener:
    """A port and what is behind it; `accepted` counts connections, `requests` what came over them."""

    def __init__(self, server, kind):
        self.server, self.kind, self.accepted = server, kind, 0
        self.context = self._context()
        if kind == "refused":
            self.port, self.socket = free_port(), None
        else:
            self.socket = socket.create_server(("127.0.0.1", 0), backlog=128)
            self.port = self.socket.getsockname()[1]
            threading.Thread(target=self._accept, daemon=True).start()
        self.host = f"127.0.0.1:{self.port}"
        self.scheme = "http" if kind in ("plain", "other-plain") else "https"
        self.url = f"{self.scheme}://{self.host}"

    def _context(self):
        authority, kind = self.server.authority, self.kind
        issue = {"expired": {"expired": True}, "self-signed": {"self_signed": True},
                 "wrong-name": {"names": ("DNS:elsewhere.test", "IP:127.0.0.2")}}
        if kind == "unknown-ca":
            authority = self.server.stranger()
        if kind in ("good", "other", "third", "unknown-ca", "old-tls", *issue):
            context = authority.server(*authority.issue("listener-" + kind, **issue.get(kind, {})))
            if kind == "old-tls":
                context.set_ciphers("DEFAULT:@SECLEVEL=0")
                context.minimum_version = ssl.TLSVersion.TLSv1
                context.maximum_version = ssl.TLSVersion.TLSv1_1
            return context
        return None

    def _accept(self):
        while True:
            try:
                stream, _ = self.socket.accept()
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self._serve, args=(stream,), daemon=True).start()

    def _serve(self, stream):
        try:
            stream.settimeout(60)
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.kind == "no-handshake":
                self.server.stopping.wait(60)
            elif self.kind == "reset":
                stream.recv(1)
                reset(stream)
            elif self.kind == "garbage":
                stream.recv(4096)
                stream.sendall(b"\x16\x03\x01 this is neither TLS nor HTTP\r\n" * 20)
            else:
                if self.context:
                    stream = self.context.wrap_socket(stream, server_side=True)
                with stream:
                    self._talk(stream)
        except (OSError, ssl.SSLError, Closed, ValueError):
            pass
        finally:
            stream.close()

    def _talk(self, stream):
        kept = b""
        while True:
            request, kept = read_request(stream, kept, self.kind)
            if request is None:
                return
            with self.server.lock:
                self.server.seen.append(request)
            Exchange(self.server, self, stream, request).answer()

    def requests(self):
        return [request for request in list(self.server.seen) if request.listener == self.kind]

    def close(self):
        if self.socket:
            self.socket.shutdown(socket.SHUT_RDWR)
            self.socket.close()


def reset(stream):
    """Ends a connection with RST."""
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    stream.close()


def read_request(stream, kept, listener):
    """(Request, bytes beyond it), or (None, b"") where the connection ended."""
    while b"\r\n\r\n" not in kept:
        piece = stream.recv(65536)
        if piece.startswith(b"\x16\x03") and not kept:  # a TLS handshake on a plain port; as Go's server answers
            stream.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTPS request to an HTTP server.\n")
            return None, b""
        if not piece or len(kept) > MIB:
            return None, b""
        kept += piece
    head, kept = kept.split(b"\r\n\r\n", 1)
    lines = head.decode("latin-1").split("\r\n")
    method, path, _ = lines[0].split(" ")
    headers = {}
    for name, value in (line.split(":", 1) for line in lines[1:]):
        name = name.strip().lower()
        headers[name] = f"{headers[name]}, {value.strip()}" if name in headers else value.strip()
    length = int(headers.get("content-length", 0))
    while len(kept) < length:
        kept += stream.recv(65536)
    return Request(listener, method, path, headers, kept[:length], time.monotonic()), kept[length:]


class Exchange:
    """One request and the means to answer it well or badly. `kind` is "manifests", "blobs", "referrers"
    or ""; `name` the tag or digest."""

    def __init__(self, server, listener, stream, request):
        self.server, self.listener, self.stream, self.request = server, listener, stream, request
        self.method, self.path, self.headers = request.method, request.path, request.headers
        found = re.fullmatch(r"/v2/(.+)/(manifests|blobs|referrers)/([^/?]+)(?:\?.*)?", self.path)
        self.repository, self.kind, self.name = found.groups() if found else (self.path.split("?")[0], "", "")

    def answer(self):
        rule = self.server.rules.get(self.repository)
        if rule is None or not rule(self):
            self.serve()

    def serve(self):
        """As a registry should."""
        if self.path == "/v2/":
            return self.send(200, b"{}", {"Content-Type": "application/json", "Docker-Distribution-Api-Version": "registry/2.0"})
        content = self.content()
        if content is None:
            return self.error(404, "MANIFEST_UNKNOWN" if self.kind == "manifests" else "BLOB_UNKNOWN")
        return self.send(200, content[0], self.good_headers(*content))

    def content(self):
        """(bytes, media type) of what is asked for, or None."""
        if self.kind == "manifests":
            return self.server.manifest(self.repository, self.name)
        if self.kind == "blobs":
            data = self.server.blob(self.repository, self.name)
            return None if data is None else (data, "application/octet-stream")
        return None

    def good_headers(self, data, media_type):
        return {"Content-Type": media_type, "Docker-Content-Digest": digest_of(data), "Content-Length": str(len(data)),
                "Docker-Distribution-Api-Version": "registry/2.0"}

    def head(self, status, headers, reason="Because"):
        """The bytes of status line and headers; a list as value gives several headers of that name."""
        lines = [f"HTTP/1.1 {status} {reason}"]
        for name, value in headers.items():
            lines += [f"{name}: {one}" for one in (value if isinstance(value, list) else [value])]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def raw(self, data):
        self.stream.sendall(data)
        return True

    def send(self, status, body=b"", headers=None):
        headers = dict(headers or {})
        if status not in (204, 304):
            headers.setdefault("Content-Length", str(len(body)))
        return self.raw(self.head(status, headers) + (b"" if self.method == "HEAD" else body))

    def error(self, status, code, headers=None, message="internal-detail-42"):
        body = json.dumps({"errors": [{"code": code, "message": message, "detail": {}}]}).encode()
        return self.send(status, body, {"Content-Type": "application/json", **(headers or {})})

    def close(self):
        raise Closed

    def reset(self):
        reset(self.stream)
        raise Closed

    def wait(self, seconds):
        if self.server.stopping.wait(seconds):
            raise Closed
        return True

    def trickle(self, data, every):
        """One byte after the other, `every` seconds."""
        for byte in data:
            self.raw(bytes([byte]))
            self.wait(every)
        return True

    def pour(self, piece, framing):
        """Sends `piece` without end, in chunks, byte by byte as chunks, or as it is; notes how much was taken."""
        total = 0
        if framing == "chunked":
            piece = b"%x\r\n%s\r\n" % (len(piece), piece)
        elif framing == "small chunks":
            piece = SMALL_CHUNK * 10000
        try:
            while total < ENDLESS and not self.server.stopping.is_set():
                self.raw(piece)
                total += len(piece)
        finally:
            self.server.poured[self.repository] = self.server.poured.get(self.repository, 0) + total
        self.close()

    def authorization(self):
        return self.headers.get("authorization", "")

    def basic(self):
        return basic_credentials(self.authorization())


class MisbehavingRegistry:
    """`rules` by repository or, outside /v2/, by path. `poured`: bytes that endless answers got rid of."""

    def __init__(self, layout, authority, stranger=None):
        self.layout, self.authority, self._stranger = layout, authority, stranger
        self.rules, self.seen, self.poured = {}, [], {}
        self.lock, self.stopping = threading.RLock(), threading.Event()
        self._listeners, self._repositories = {}, {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for listener in self._listeners.values():
            listener.close()

    def listener(self, kind="good"):
        with self.lock:
            if kind not in LISTENERS:
                raise ValueError(kind)
            if kind not in self._listeners:
                self._listeners[kind] = Listener(self, kind)
            return self._listeners[kind]

    def stranger(self):
        """An authority that nobody trusts."""
        if self._stranger is None:
            (self.authority.directory / "stranger").mkdir()
            self._stranger = type(self.authority)(self.authority.directory / "stranger", "stranger")
        return self._stranger

    @property
    def host(self):
        return self.listener().host

    def reference(self, name, tag="1", kind="good"):
        return f"{self.listener(kind).host}/{repository(name)}:{tag}"

    def requests(self, repository_name=None):
        return [one for one in list(self.seen) if repository_name is None or f"/v2/{repository_name}/" in one.path]

    def add_manifest(self, name, data, media_type, tag="1"):
        """Serves these bytes in a repository, under the tag and their digest; returns the digest."""
        store = self._repositories.setdefault(name, {})
        store[tag] = store[digest_of(data)] = (data, media_type)
        return digest_of(data)

    def add_blob(self, name, data):
        self._repositories.setdefault(name, {})[digest_of(data)] = (data, None)
        return digest_of(data)

    def manifest(self, name, reference):
        """Bytes and media type: what was added, else the layout's image of that name, for any tag."""
        if name in self._repositories:
            return self._repositories[name].get(reference) or self._from_layout(name, reference)
        return self._from_layout(name, reference)

    def _from_layout(self, name, reference):
        if ":" in reference:
            path = self.layout.path(reference)
            data = path.read_bytes() if path.exists() else None
            return None if data is None else (data, json.loads(data).get("mediaType", ""))
        for image, descriptor in self.layout.names.items():
            if repository(image) == name:
                return self.layout.bytes(descriptor["digest"]), descriptor["mediaType"]
        return None

    def blob(self, name, digest):
        added = self._repositories.get(name, {}).get(digest)
        if added:
            return added[0]
        path = self.layout.path(digest)
        return path.read_bytes() if path.exists() else None


# ---------------------------------------------------------------- rules

def always(status, code="UNKNOWN", headers=None, body=None, kind=None):
    """Answers everything (of a kind) with an error."""
    def rule(exchange):
        if kind and exchange.kind != kind:
            return False
        if body is not None:
            return exchange.send(status, body, headers)
        return exchange.error(status, code, headers)
    return rule


def fail_first(times, status, headers=None):
    """The first requests fail, whatever they ask for; then all is well."""
    count = iter(range(1 << 30))
    return lambda exchange: next(count) < times and exchange.error(status, "UNAVAILABLE", headers)


def only(kind, method, answer):
    """`answer(exchange)` for requests of that kind and method; None is any."""
    def rule(exchange):
        if (kind and exchange.kind != kind) or (method and exchange.method != method):
            return False
        return answer(exchange)
    return rule


def redirect(location, kind="blobs", status=307):
    """`location`: a text, or what gives it for an exchange."""
    def answer(exchange):
        target = location(exchange) if callable(location) else location
        return exchange.send(status, b"", {"Location": target} if target is not None else {})
    return only(kind, None, answer)


def with_headers(**changes):
    """Serves well but for some headers: a text replaces, None leaves out. Content_Type is Content-Type."""
    def rule(exchange):
        content = exchange.content()
        if content is None:
            return False
        headers = exchange.good_headers(*content)
        for name, value in changes.items():
            headers.pop(name.replace("_", "-"), None)
            if value is not None:
                headers[name.replace("_", "-")] = value
        return exchange.raw(exchange.head(200, headers) + (b"" if exchange.method == "HEAD" else content[0]))
    return lambda exchange: exchange.kind == "manifests" and rule(exchange)


def challenge(text, accepted=None):
    """401 with these WWW-Authenticate headers, until `accepted` (an Authorization header) comes."""
    def rule(exchange):
        if accepted is not None and exchange.authorization() == accepted:
            return False
        return exchange.error(401, "UNAUTHORIZED", {"WWW-Authenticate": text})
    return rule


def gives_token(body=b'{"token":"good-token","expires_in":300}', status=200, users=None, headers=None):
    """For the path of a realm; with `users` only for those."""
    def rule(exchange):
        if users is not None and exchange.basic() not in users:
            return exchange.error(401, "UNAUTHORIZED")
        return exchange.send(status, body, {"Content-Type": "application/json", **(headers or {})})
    return rule


def gzipped(exchange):
    data, media_type = exchange.content()
    packed = gzip.compress(data, mtime=0)
    return exchange.send(200, packed, {**exchange.good_headers(data, media_type), "Content-Encoding": "gzip",
                                       "Content-Length": str(len(packed))})

