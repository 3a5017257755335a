"""One request at the API proxy: what is recorded of it, and the means to answer it as the real server does, or worse.

An action of a rule is called with the Exchange. It answers by itself and returns True, or it changes what is to come (`plain`,
`target`, `changes`, `out`) and returns False; then the request goes to the real server.
"""
import hashlib
import json
import re
import threading
import time
import urllib.parse
from dataclasses import dataclass

from proxy_wire import FIN, Cut, Left, ServerLost, body_pieces, header, read_all, read_head, without

HOP_BY_HOP = ("Connection", "Keep-Alive", "Proxy-Connection", "TE", "Upgrade", "Transfer-Encoding", "Content-Length", "Expect")
REASONS = {200: "OK", 201: "Created", 307: "Temporary Redirect", 409: "Conflict", 410: "Gone", 429: "Too Many Requests"}


def fingerprint(token):
    """What is recorded in the place of a token."""
    return hashlib.sha256(token.encode()).hexdigest()[:12]


@dataclass
class Answer:
    """`body`: bytes in pieces, in any iterable; without a Content-Length among the headers they go out as chunks."""
    status: int
    headers: list
    body: object
    reason: str = ""

    def header(self, name):
        return header(self.headers, name)

    def set(self, name, value):
        """None leaves the header out."""
        self.headers = without(self.headers, name) + ([] if value is None else [(name, str(value))])

    def read(self):
        """The rest of the body; it can still be sent afterwards."""
        data = b"".join(self.body)
        self.body = [data]
        return data

    def replace(self, data):
        self.body = [data]
        self.set("Content-Length", len(data))


class Exchange:
    """The record, and while it lasts the serving of it. `status`: what the client was sent, or None if not all of its head;
    `real_status`: what the real server said, or None if it was not asked. When `done` is set, `ended` says how: "complete",
    "client left", "cut (rst)" and the like."""

    def __init__(self, connection, number, method, target, headers, body):
        self.connection, self.number, self.at = connection, number, time.monotonic()
        self.method, self.target, self.request_headers, self.body = method, target, headers, body
        self.path, _, self.query = target.partition("?")
        self.parameters = dict(urllib.parse.parse_qsl(self.query, keep_blank_values=True))
        self.watch = method == "GET" and self.parameters.get("watch", "false").lower() in ("1", "t", "true")
        self.accept, self.user_agent = self.header("Accept"), self.header("User-Agent")
        self.token = fingerprint(self.header("Authorization")[7:]) if self.header("Authorization").startswith("Bearer ") else None
        self.status = self.real_status = self.rule = self.ended = self.seconds = None
        self.body_bytes = self.wire_bytes = 0
        self.done = threading.Event()
        # What actions may set.
        self.plain = False     # ask the real server for an answer without compression
        self.changes = []      # functions that change the Answer before it is sent
        self.out = self._write  # through which everything goes to the client, the head in one piece
        self._injected, self._line_begins = [], True

    def __repr__(self):
        return (f"<{self.number}: {self.method} {self.target} -> {self.status}"
                f"{'' if self.status == self.real_status else f' (really {self.real_status})'}, {self.body_bytes} bytes, {self.ended}>")

    def header(self, name):
        return header(self.request_headers, name)

    @property
    def client(self):
        return self.connection.client

    def json(self):
        """The body of the request."""
        return json.loads(self.body)

    # For other threads, while it lasts.
    def cut(self, how=FIN):
        self.connection.mailbox.post(lambda: self._cut_if_open(how))

    def inject(self, line):
        """Sends a line (an event as a dict, or bytes) with what the real server sends, at the next beginning of a line."""
        self.connection.mailbox.post(lambda: self._injected.append(as_line(line)))

    def _cut_if_open(self, how):
        if not self.done.is_set():
            raise Cut(how)

    # Serving.
    def serve(self):
        """Answers; whatever goes wrong is in `ended`. Raises Cut where the connection is to be ended."""
        try:
            self.rule = self.connection.proxy.rule_for(self)
            if not any(action(self) for action in (self.rule.actions if self.rule else ())):
                self.relay(self.ask())
            self.ended = "complete"
        except Cut as cut:
            self.ended = cut.why
            raise
        except Left:
            self.ended = "client left"
            raise Cut(FIN) from None
        except ServerLost as lost:
            self.ended = f"server lost: {lost}"
            raise Cut(FIN) from lost
        except Exception as problem:
            self.ended = f"problem: {problem!r}"
            raise
        finally:
            self.seconds = time.monotonic() - self.at
            self.done.set()

    def ask(self):
        """Sends the request to the real server; returns its Answer, the body of which comes piece by piece."""
        headers = without(self.request_headers, *HOP_BY_HOP, *(["Accept-Encoding"] if self.plain else []))
        if self.body or self.method in ("POST", "PUT", "PATCH"):
            headers.append(("Content-Length", str(len(self.body))))
        lines = [f"{self.method} {self.target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers), "", ""]
        server = self.connection.open_server()
        try:
            server.send("\r\n".join(lines).encode("latin-1") + self.body)
            head = read_head(server)
        except Left as gone:
            raise self._who_is_gone() from gone
        if head is None:
            raise ServerLost("no answer")
        _, status, *reason = head[0].split(" ", 2)
        self.real_status = int(status)
        return Answer(self.real_status, without(head[1], "Transfer-Encoding"), self._server_body(server, head[1]), "".join(reason))

    def _who_is_gone(self):
        return Left() if self.client.take() == 0 else ServerLost("it ended the connection")

    def _server_body(self, server, headers):
        def more():
            while (count := server.take()) is None:
                if self._injected and self._line_begins:
                    yield self._injected.pop(0)
                else:
                    server.wait()
            if count == 0:
                raise ServerLost("in the middle of an answer")
        if self.method != "HEAD" and self.real_status not in (204, 304):
            for piece in body_pieces(server, headers, more):
                self._line_begins = piece.endswith(b"\n")
                yield piece
        self.connection.server_is_idle = header(headers, "Connection").lower() != "close"

    def relay(self, answer):
        """Sends an Answer, after the changes that actions want."""
        for change in self.changes:
            change(answer)
        chunked = not answer.header("Content-Length") and answer.status not in (204, 304) and self.method != "HEAD"
        headers = answer.headers + ([("Transfer-Encoding", "chunked")] if chunked else [])
        self.connection.last = self.connection.last or answer.header("Connection").lower() == "close"
        lines = [f"HTTP/1.1 {answer.status} {answer.reason or REASONS.get(answer.status, 'Because')}",
                 *(f"{name}: {value}" for name, value in headers), "", ""]
        self.status = answer.status
        try:
            self.out("\r\n".join(lines).encode("latin-1"))
        except BaseException:
            self.status = None
            raise
        for piece in answer.body:
            self.body_bytes += len(piece)
            self.out(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked and piece else piece)
        if chunked:
            self.out(b"0\r\n\r\n")
        return True

    def send(self, status, body=b"", headers=(), reason="", content_type="application/json"):
        """Answers in the place of the real server: bytes, text, what becomes JSON, or an iterator of pieces."""
        made = Answer(status, [("Content-Type", content_type), *dict(headers).items()], body, reason)
        if not hasattr(body, "__next__"):
            made.replace(body if isinstance(body, bytes) else as_text(body))
        if self.method == "HEAD":
            made.body = []
        return self.relay(made)

    def raw(self, data):
        self.out(data)
        return True

    def sleep(self, seconds):
        """For ever where it is None: until the client ends the connection, or the proxy is ended."""
        self.client.sleep(seconds)

    def _write(self, data):
        self.client.send(data)
        self.wire_bytes += len(data)


def as_text(body):
    return body.encode() if isinstance(body, str) else json.dumps(body, separators=(",", ":")).encode()


def as_line(event):
    """An event of a watch as the API server writes it; bytes stay as they are."""
    return event if isinstance(event, bytes) else as_text(event) + b"\n"


def read_exchange(connection, number):
    """The next request of a connection, or None at its end."""
    head = read_head(connection.client)
    if head is None:
        return None
    found = re.fullmatch(r"([A-Z]+) (\S+) HTTP/1\.1", head[0])
    if found is None:
        raise ValueError(f"no request of HTTP/1.1: {head[0]!r}")
    body = read_all(connection.client, head[1])
    connection.last = header(head[1], "Connection").lower() == "close"
    return Exchange(connection, number(), found.group(1), found.group(2), head[1], body)
