"""Plain clients of the API proxy that see every byte and how a connection ends."""
import http.client
import json
import socket
import ssl
import time

from control_plane import ADMIN


def context(proxy):
    return ssl.create_default_context(cafile=str(proxy.plane.authority.certificate))


def connection(proxy, timeout=20):
    return http.client.HTTPSConnection("127.0.0.1", proxy.port, context=context(proxy), timeout=timeout)


def ask(proxy, target, method="GET", body=None, token=ADMIN, headers=None, timeout=20, over=None):
    """(status, headers, body as bytes), or the name of what went wrong; `over`: a connection to use, and to leave open."""
    used = over or connection(proxy, timeout)
    try:
        used.request(method, target, body if body is None or isinstance(body, bytes) else json.dumps(body),
                     {"Authorization": f"Bearer {token}", "Content-Type": "application/json", **(headers or {})})
        answer = used.getresponse()
        return answer.status, answer.headers, answer.read()
    except (OSError, http.client.HTTPException) as error:
        return getattr(error, "verify_message", None) or type(error).__name__
    finally:
        if not over:
            used.close()


def outcome(seen):
    """"200", "409 Conflict", "RemoteDisconnected"."""
    if isinstance(seen, str):
        return seen
    try:
        reason = json.loads(seen[2]).get("reason")
    except (ValueError, AttributeError, RecursionError):
        reason = None
    return f"{seen[0]} {reason}" if reason else str(seen[0])


class Raw:
    """A request on a connection of its own. `ending`: "close", "fin", "rst", or None while it is open."""

    def __init__(self, proxy, target, method="GET", body=b"", headers="", token=ADMIN):
        self.plain = socket.create_connection(("127.0.0.1", proxy.port), timeout=20)
        self.inward, self.outward = ssl.MemoryBIO(), ssl.MemoryBIO()
        # Not a socket of the ssl module: that tells a reset from an end only sometimes.
        self.stream = context(proxy).wrap_bio(self.inward, self.outward, server_hostname="127.0.0.1")
        self.data, self.ending = b"", None
        self._talk(self.stream.do_handshake)
        length = f"Content-Length: {len(body)}\r\n" if body and "chunked" not in headers else ""
        request = (f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n"
                   f"Content-Type: application/json\r\n{length}{headers}\r\n".encode())
        self._talk(lambda: self.stream.write(request + body))

    def _talk(self, step):
        """Repeats a step of TLS as often as it wants bytes of the peer."""
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                self._send()
                piece = self.plain.recv(65536)
                self.inward.write(piece) if piece else self.inward.write_eof()
            finally:
                self._send()

    def _send(self):
        if self.outward.pending:
            self.plain.sendall(self.outward.read())

    def read(self, seconds=6, until=lambda raw: False):
        """To the end of the connection, or of the time, or until something holds."""
        end = time.monotonic() + seconds
        while self.ending is None and (left := end - time.monotonic()) > 0 and not until(self):
            self.plain.settimeout(left)
            try:
                piece = self._talk(lambda: self.stream.read(65536))
                self.data += piece
                self.ending = None if piece else "close"
            except ssl.SSLZeroReturnError:
                self.ending = "close"
            except ssl.SSLEOFError:
                self.ending = "fin"
            except ConnectionResetError:
                self.ending = "rst"
            except TimeoutError:
                break
        return self

    def close(self):
        self.plain.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def head(self):
        return self.data.partition(b"\r\n\r\n")[0]

    def body(self):
        """(the body without its framing, whether it is whole)"""
        head, found, rest = self.data.partition(b"\r\n\r\n")
        if not found:
            return b"", False
        if b"transfer-encoding: chunked" in head.lower():
            return dechunked(rest)
        length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
        return rest, len(rest) == length

    def lines(self):
        """Of a watch: "ADDED a", "ERROR 410", "BOOKMARK 12", "empty line", "31 bytes"."""
        *whole, rest = self.body()[0].split(b"\n")
        return [described(line) for line in whole] + ([f"{len(rest)} bytes"] if rest else [])

    def summary(self):
        """What came, and the end: "whole", or how the connection ended, or "open"."""
        _, whole = self.body()
        return ", ".join([*self.lines(), "whole" if whole and self.ending == "close" else self.ending or "open"])


def dechunked(data):
    made = b""
    while b"\r\n" in data:
        size, data = data.split(b"\r\n", 1)
        if int(size, 16) == 0:
            return made, data == b"\r\n"
        made, data = made + data[:int(size, 16)], data[int(size, 16) + 2:]
    return made, False


def described(line):
    if not line:
        return "empty line"
    try:
        event = json.loads(line)
    except ValueError:
        return f"broken line of {len(line)} bytes"
    if "object" not in event:
        return event["kind"]
    made = event["object"]
    metadata = made.get("metadata", {})
    return f"{event['type']} {made.get('code') or metadata.get('name') or metadata.get('resourceVersion')}"
