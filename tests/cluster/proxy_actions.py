"""What a rule of the API proxy may do to connections and answers. What it may do to the content of watches and lists is in
proxy_alterations.py. `how` is how a connection is ended: "close" (with TLS's farewell), "fin" (without), "rst".

    proxy.rule(actions.fail(503, retry_after=1), path="/api/v1/namespaces", times=2)
    proxy.rule(actions.delay(2), actions.cut_after(100, "rst"), watch=True)
"""
import itertools
import threading
import time
import zlib

from proxy_wire import FIN, Cut

MIB = 1 << 20
WRITES = ("POST", "PUT", "PATCH", "DELETE")
REASONS = {400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 405: "MethodNotAllowed", 409: "Conflict",
           410: "Expired", 413: "RequestEntityTooLarge", 415: "UnsupportedMediaType", 422: "Invalid", 429: "TooManyRequests",
           500: "InternalError", 503: "ServiceUnavailable", 504: "Timeout"}
MESSAGES = {401: "Unauthorized", 410: "too old resource version: 1 (1000)", 429: "Too many requests, please try again later.",
            503: "the server is currently unable to handle the request"}


class Action:
    """`act(exchange)` is true if it has answered; only for exchanges that it `wants`."""

    def __init__(self, act, wants=lambda exchange: True):
        self.act, self.wants = act, wants

    def __call__(self, exchange):
        return self.act(exchange)


def is_write(exchange):
    return exchange.method in WRITES


# ---------------------------------------------------------------- cut

def cut(how=FIN):
    """Before the answer; the real server is not asked."""
    def act(_):
        raise Cut(how)
    return Action(act)


def lose_answer(how=FIN):
    """The real server has done it, and nothing of its answer arrives."""
    def act(exchange):
        exchange.ask().read()
        raise Cut(how, f"answer lost ({how})")
    return Action(act)


def cut_after_status_line(how=FIN):
    return _cut_wire(lambda head: head.index(b"\r\n") + 2, how)


def cut_in_headers(how=FIN):
    return _cut_wire(lambda head: head.index(b"\r\n") + (len(head) - head.index(b"\r\n")) // 2, how)


def cut_on_wire(count, how=FIN):
    """After this many bytes of the whole answer: status line, headers, body and its framing."""
    return _cut_wire(lambda head: count, how)


def creeping_cut(start=0, step=1, how=FIN):
    """As cut_on_wire(), every time `step` bytes later: a client that comes again is cut at every point."""
    counts, lock = itertools.count(start, step), threading.Lock()

    def limit(_):
        with lock:
            return next(counts)
    return _cut_wire(limit, how)


def _cut_wire(limit, how):
    """`limit`: gives the number of bytes, for the head of the answer."""
    def act(exchange):
        below, left = exchange.out, None

        def out(data):
            nonlocal left
            left = limit(data) if left is None else left
            if left:
                below(data[:left])
            if len(data) >= left:
                raise Cut(how)
            left -= len(data)
        exchange.out = out
    return Action(act)


def cut_after(count, how=FIN):
    """After this many bytes of the body; 0 is after the headers. A shorter body is answered whole."""
    def ending(_):
        raise Cut(how)
    return _at_byte(count, ending)


def _at_byte(count, then):
    """Calls `then(exchange)` when so much of the body is sent."""
    def act(exchange):
        def pieces(body):
            left = count
            if left == 0:
                then(exchange)
            for piece in body:
                if 0 < left <= len(piece):
                    yield piece[:left]
                    then(exchange)
                    piece, left = piece[left:], 0
                left = max(left - len(piece), 0)
                yield piece

        def change(answer):
            answer.body = pieces(answer.body)
        exchange.changes.append(change)
    return Action(act)


# ---------------------------------------------------------------- hang, stall, slow

def hang(perform=False):
    """No answer, for ever; with `perform` the real server has done it."""
    return delay(None, perform)


def delay(seconds, perform=False):
    """Before the real server is asked; with `perform` after it."""
    def act(exchange):
        if not perform:
            exchange.sleep(seconds)
            return False
        answer = exchange.ask()
        exchange.sleep(seconds)
        return exchange.relay(answer)
    return Action(act)


def hold(released):
    """Before the real server is asked, until the threading.Event is set."""
    def act(exchange):
        while not released.is_set():
            exchange.sleep(0.02)
        return False
    return Action(act)


def stall_after_head(seconds=None):
    return stall_after(0, seconds)


def stall_after(count, seconds=None):
    """After so many bytes of the body; for ever, or then it goes on."""
    return _at_byte(count, lambda exchange: exchange.sleep(seconds))


def slow(bytes_per_second):
    """The whole answer, in equal small pieces."""
    def act(exchange):
        below, at_once = exchange.out, max(1, bytes_per_second // 20)

        def out(data):
            for start in range(0, len(data), at_once):
                begun = time.monotonic()
                piece = data[start:start + at_once]
                below(piece)
                exchange.sleep(max(0, len(piece) / bytes_per_second - (time.monotonic() - begun)))
        exchange.out = out
    return Action(act)


# ---------------------------------------------------------------- answer instead

def answer(status=200, body=b"", headers=(), content_type="application/json", wants=lambda exchange: True):
    """`body`: bytes, text, or what becomes JSON; or a function that gives one of these, or an iterator, for an exchange."""
    def act(exchange):
        made = body(exchange) if callable(body) else body
        return exchange.send(status, made, headers, content_type=content_type)
    return Action(act, wants)


def status(code, message=None, reason=None, details=None, metadata=None):
    """A Status object as the API server writes it."""
    made = {"kind": "Status", "apiVersion": "v1", "metadata": metadata or {}, "status": "Failure",
            "message": message or MESSAGES.get(code, f"the proxy answers {code}"), "reason": reason or REASONS.get(code, "")}
    if details is not None:
        made["details"] = details
    return {**made, "code": code}


def fail(code, message=None, reason=None, details=None, retry_after=None, headers=(), wants=lambda exchange: True):
    """An answer with a Status; `retry_after` is sent as a header and within the details."""
    given = dict(headers)
    if retry_after is not None:
        given["Retry-After"] = str(retry_after)
        if isinstance(retry_after, int):
            details = {**(details or {}), "retryAfterSeconds": retry_after}
    return answer(code, status(code, message, reason, details), given, wants=wants)


def version_too_large(asked=99999999, current=1000):
    causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
    return fail(504, f"Timeout: Too large resource version: {asked}, current: {current}", details={"causes": causes}, retry_after=1)


def conflict():
    """For writes; the real server is not asked."""
    return fail(409, "Operation cannot be fulfilled: the object has been modified; please apply your changes to the latest version and "
                "try again", wants=is_write)


def already_exists():
    return fail(409, "it already exists", "AlreadyExists", wants=lambda exchange: exchange.method == "POST")


def html(code=502):
    page = f"<!DOCTYPE html>\n<html><head><title>{code}</title></head><body><h1>{code}</h1><hr>gateway</body></html>\n"
    return answer(code, page, content_type="text/html")


def redirect(to, code=307):
    """To the same path on another server; `to` as in https://host:port."""
    return Action(lambda exchange: exchange.send(code, b"", {"Location": to + exchange.target}))


def garbage():
    """Not HTTP; then the end."""
    def act(exchange):
        exchange.raw(b"\x00\xff\x17 this is not HTTP \x80\r\n\r\n" * 20)
        raise Cut(FIN, "garbage")
    return Action(act)


def garbage_body():
    """A good answer of bytes that are neither JSON nor UTF-8."""
    return answer(200, bytes(range(128, 256)) * 8)


def not_a_list(value=()):
    """JSON, but neither a list of objects nor an event; by default an empty array."""
    return answer(200, value)


def long_line(size=40 * MIB, tail=b""):
    """A string within an object that is as long as that; it is never closed, and no line ever ends, unless by the `tail`."""
    def pieces(exchange):
        yield b'{"type":"ADDED","object":{"x":"' if exchange.watch else b'{"kind":"List","items":[{"x":"'
        for start in range(0, size, 64 * 1024):
            yield b"x" * min(64 * 1024, size - start)
        yield tail
    return answer(200, pieces)


def deep_nesting(depth=100_000):
    """A list, or an event, with arrays within arrays in its only object."""
    def body(exchange):
        deep = b'{"metadata":{"name":"deep","resourceVersion":"1"},"spec":' + b"[" * depth + b"]" * depth + b"}"
        if exchange.watch:
            return b'{"type":"ADDED","object":' + deep + b"}\n"
        return b'{"kind":"List","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[' + deep + b"]}"
    return answer(200, body)


def gzip_bomb(size=256 * MIB):
    """A small answer with Content-Encoding: gzip that is as large as that when unpacked, all blanks."""
    def pieces(_):
        packer = zlib.compressobj(wbits=31)
        for start in range(0, size, MIB):
            yield packer.compress(b" " * min(MIB, size - start))
        yield packer.flush()
    return answer(200, pieces, {"Content-Encoding": "gzip"})


# ---------------------------------------------------------------- the real answer, changed

def changed(change, plain=False):
    """`change(answer)` changes the real server's Answer, or this one's; `plain`: ask for it without compression."""
    def act(exchange):
        exchange.plain = exchange.plain or plain
        exchange.changes.append(change)
    return Action(act)


def gzipped():
    """Compressed whether asked for or not, a watch piece by piece."""
    def change(real):
        packer = zlib.compressobj(wbits=31)

        def pieces(body):
            for piece in body:
                yield packer.compress(piece) + packer.flush(zlib.Z_SYNC_FLUSH)
            yield packer.flush()
        real.body = pieces(real.body)
        real.set("Content-Length", None)
        real.set("Content-Encoding", "gzip")
    return changed(change, plain=True)


def says_gzip():
    """Content-Encoding: gzip on what is not compressed."""
    return with_header("Content-Encoding", "gzip")


def content_type(value):
    return with_header("Content-Type", value)


def with_header(name, value):
    """None leaves it out."""
    return changed(lambda real: real.set(name, value), plain=True)


def truncated_json(part=0.5):
    """HTTP says that it is complete. For lists and objects: it waits for the end of the answer."""
    def change(real):
        data = real.read()
        real.replace(data[:int(len(data) * part)])
    return Action(changed(change, plain=True).act, lambda exchange: not exchange.watch)
