"""A token service for a registry: signs what was asked for, counts, and can be told to fail.

    service = TokenServer(authority, directory)
    service.behaviour = "500"      # see BEHAVIOURS
    service.requests               # what was asked: TokenRequest(method, path, query, headers, form)
"""

import base64
import http.server
import json
import secrets
import ssl
import threading
import time
import urllib.parse
from dataclasses import dataclass

from certificates import openssl

SERVICE = "registry.test"
BEHAVIOURS = ("good", "401", "403", "500", "slow", "garbage", "html", "no-expires", "access-token", "huge", "empty",
              "redirect", "control-characters")


@dataclass
class TokenRequest:
    method: str
    path: str
    query: dict    # name -> list of values
    headers: dict  # in lower case
    form: dict


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def basic_credentials(header):
    """(user, password) of an Authorization header, or None."""
    scheme, _, value = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    user, _, password = base64.b64decode(value).decode().partition(":")
    return user, password


class TokenServer:
    """`users`: name -> password; they may pull everything, `pushers` push as well. Without credentials one
    may pull what `public` says, a prefix of repositories ("" is everything, None is nothing)."""

    def __init__(self, authority, directory, users, pushers=(), public=None, plain=False):
        self.users, self.pushers, self.public, self.plain = users, pushers, public, plain
        self.behaviour, self.lifetime, self.delay = "good", 300, 30.0
        self.requests, self._lock, self._stopping = [], threading.Lock(), threading.Event()
        # RS256: the registry knows nothing else.
        self.key, self.bundle = directory / "token.key", directory / "token.crt"
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", 2, "-subj", "/CN=tokens",
                "-keyout", self.key, "-out", self.bundle)
        self.chain = base64.b64encode(openssl("x509", "-in", self.bundle, "-outform", "DER")).decode()
        context = None if plain else authority.server(*authority.issue("token-server"))
        self._server = make_server(self, context)
        self.port = self._server.server_address[1]
        self.host = f"127.0.0.1:{self.port}"
        self.realm = f"http{'' if plain else 's'}://{self.host}/token"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()

    def count(self):
        with self._lock:
            return len(self.requests)

    def sign(self, user, access):
        """A token for `access`, a list of {"type", "name", "actions"}."""
        now = int(time.time())
        header = {"typ": "JWT", "alg": "RS256", "x5c": [self.chain]}
        claims = {"iss": SERVICE, "sub": user, "aud": SERVICE, "exp": now + self.lifetime, "nbf": now - 10, "iat": now,
                  "jti": secrets.token_hex(8), "access": access}
        signed = ".".join(base64url(json.dumps(part).encode()) for part in (header, claims))
        signature = openssl("dgst", "-sha256", "-sign", self.key, given=signed.encode())
        return signed + "." + base64url(signature)

    def allowed(self, user, scopes):
        access = []
        for scope in scopes:
            kind, name, actions = scope.rsplit(":", 1)[0].split(":", 1) + [scope.rsplit(":", 1)[1].split(",")]
            public = self.public is not None and name.startswith(self.public)
            may = ["pull"] if user or public else []
            if user in self.pushers:
                may += ["push", "delete"]
            access.append({"type": kind, "name": name, "actions": [action for action in actions if action in may]})
        return access

    def answer(self, request):
        """(status, headers, body) as it is asked to behave."""
        with self._lock:
            self.requests.append(request)
        behaviour = self.behaviour
        if behaviour in ("401", "403", "500"):
            return int(behaviour), {}, b'{"errors":[{"code":"DENIED","message":"internal-detail-42"}]}'
        if behaviour == "slow":
            self._stopping.wait(self.delay)
        fixed = {"garbage": b"\x00\xff not json", "html": b"<html><body>sign in</body></html>", "empty": b"{}",
                 "control-characters": b'{"token":"abc\\r\\nX-Injected: yes"}', "huge": b'{"token":"' + b"A" * (1 << 20) + b'"}'}
        if behaviour in fixed:
            return 200, {"Content-Type": "application/json"}, fixed[behaviour]
        if behaviour == "redirect":
            return 307, {"Location": self.realm + "?again"}, b""
        given = basic_credentials(request.headers.get("authorization"))
        form = {name: values[0] for name, values in request.form.items()}
        if form.get("grant_type") == "password":
            given = (form.get("username", ""), form.get("password", ""))
        elif form.get("grant_type") == "refresh_token":
            given = next((pair for pair in self.users.items() if pair[1] == form.get("refresh_token")), ("", "wrong"))
        if given is not None and self.users.get(given[0]) != given[1]:
            return 401, {"Content-Type": "application/json"}, b'{"errors":[{"code":"UNAUTHORIZED"}]}'
        user = given[0] if given else ""
        scopes = request.form.get("scope") or request.query.get("scope") or []
        token = self.sign(user, self.allowed(user, [one for scope in scopes for one in scope.split(" ")]))
        document = {"token": token, "access_token": token, "expires_in": self.lifetime,
                    "issued_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
        if behaviour == "no-expires":
            del document["expires_in"], document["issued_at"]
        if behaviour == "access-token":
            del document["token"]
        return 200, {"Content-Type": "application/json"}, json.dumps(document).encode()


def make_server(service, context):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def do_GET(self):
            length = int(self.headers.get("Content-Length", 0))
            form = urllib.parse.parse_qs(self.rfile.read(length).decode()) if length else {}
            path, _, query = self.path.partition("?")
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, more, body = service.answer(
                TokenRequest(self.command, path, urllib.parse.parse_qs(query), headers, form))
            self.send_response(status)
            for name, value in {**more, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def finish_request(self, request, client_address):  # in the connection's thread: a handshake may take long
            request.settimeout(60)
            try:
                if context:
                    request = context.wrap_socket(request, server_side=True)
                Handler(request, client_address, self)
            except (OSError, ssl.SSLError):
                pass
            finally:
                if context:
                    request.close()

    return Server(("127.0.0.1", 0), Handler)
