"""What the API proxy does with bytes: TLS streams whose every wait can be interrupted, heads and bodies of HTTP/1.1, ways to end."""
import collections
import fcntl
import math
import os
import select
import socket
import ssl
import struct
import termios
import threading
import time

CLOSE, FIN, RST = "close", "fin", "rst"  # with TLS's farewell; without it; by a reset
PIECE = 64 * 1024
LONGEST_HEAD = 1 << 20


class Cut(Exception):
    """The connection to the client is to be ended in this way."""

    def __init__(self, how, why=None):
        self.how, self.why = how, why or f"cut ({how})"
        super().__init__(self.why)


class Left(Exception):
    """The client has ended the connection."""


class ServerLost(Exception):
    """There is no real server, or it ended the connection too early."""


class Mailbox:
    """Orders of other threads to the one that serves a connection. Whatever that waits for, an order ends the wait."""

    def __init__(self):
        self.signal = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.orders, self.lock = collections.deque(), threading.Lock()

    def post(self, order):
        with self.lock:
            if self.signal is not None:
                self.orders.append(order)
                os.eventfd_write(self.signal, 1)

    def obey(self):
        """Runs the orders; what they raise ends what is going on."""
        while self.orders:
            self.orders.popleft()()

    def wait(self, seconds=None, readable=(), writable=()):
        """Until a socket is ready, an order came (it is obeyed), or the time is over."""
        poller = select.poll()
        poller.register(self.signal, select.POLLIN)
        for wanted, event in ((readable, select.POLLIN), (writable, select.POLLOUT)):
            for one in wanted:
                poller.register(one, event)
        ready = dict(poller.poll(None if seconds is None else math.ceil(max(seconds, 0) * 1000)))
        if self.signal in ready:
            os.eventfd_read(self.signal)
        self.obey()

    def close(self):
        with self.lock:
            signal, self.signal = self.signal, None
            os.close(signal)


class Stream:
    """A TLS connection. `kept`: bytes read and not yet used; `client`: whoever waits for this stream notices that the client left."""

    def __init__(self, plain, context, mailbox, client=None, **options):
        plain.setblocking(False)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = context.wrap_socket(plain, do_handshake_on_connect=False, **options)
        self.mailbox, self.client, self.kept = mailbox, client, bytearray()

    def handshake(self):
        """OSError (ssl.SSLError is one) where the peer does not want it."""
        self._repeat(self.socket.do_handshake)

    def _repeat(self, call):
        while True:
            self.mailbox.obey()
            try:
                return call()
            except ssl.SSLWantReadError:
                self.wait()
            except ssl.SSLWantWriteError:
                self.wait(writing=True)

    def wait(self, seconds=None, writing=False):
        """Until this stream may be ready, an order was obeyed, or the time is over."""
        others = [self.client.socket] if self.client else []
        if writing:
            self.mailbox.wait(seconds, others, [self.socket])
        else:
            self.mailbox.wait(seconds, [self.socket, *others])
        if self.client:
            self.client.check()

    def check(self):
        """Raises Left if the peer has ended the connection; keeps what it sent."""
        if self.take() == 0:
            raise Left

    def take(self):
        """Reads what is there: the number of bytes, 0 at the end, None where nothing is there yet."""
        try:
            piece = self.socket.recv(PIECE)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None
        except OSError:
            return 0
        self.kept += piece
        return len(piece)

    def fill(self):
        """Waits until something was read; false at the end."""
        while (count := self.take()) is None:
            self.wait()
        return count > 0

    def use(self, count):
        piece = bytes(self.kept[:count])
        del self.kept[:count]
        return piece

    def send(self, data):
        """Raises Left where the peer is gone."""
        view = memoryview(data)
        while view:
            try:
                view = view[self._repeat(lambda: self.socket.send(view[:PIECE])):]
            except OSError as gone:
                raise Left from gone

    def sleep(self, seconds):
        """Waits, for ever where `seconds` is None; Left if the peer ends the connection meanwhile."""
        until = None if seconds is None else time.monotonic() + seconds
        while until is None or time.monotonic() < until:
            self.check()
            self.wait(None if until is None else until - time.monotonic())

    def end(self, how):
        if how == CLOSE:
            try:
                self.socket.unwrap()  # says farewell, and does not wait for the peer's
            except (OSError, ValueError):
                pass
        end_socket(self.socket, how)


def end_socket(plain, how):
    """FIN (also for CLOSE) or RST; what was sent before arrives before."""
    try:
        until = time.monotonic() + 1
        while how == RST and time.monotonic() < until and unsent(plain):
            time.sleep(0.001)
        if how == RST:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            plain.shutdown(socket.SHUT_WR)
            while plain.recv(PIECE):  # unread bytes would make a reset of it
                pass
    except OSError:
        pass
    plain.close()


def unsent(plain):
    return struct.unpack("i", fcntl.ioctl(plain.fileno(), termios.TIOCOUTQ, b"\0" * 4))[0]


# ---------------------------------------------------------------- HTTP

def read_head(stream):
    """(first line, [(name, value)]), or None where the peer ended the connection before it."""
    while (end := stream.kept.find(b"\r\n\r\n")) < 0:
        if len(stream.kept) > LONGEST_HEAD:
            raise ValueError("too long a head")
        if not stream.fill():
            return None
    first, *lines = stream.use(end + 4)[:-4].decode("latin-1").split("\r\n")
    return first, [(name.strip(), value.strip()) for name, value in (line.split(":", 1) for line in lines)]


def header(headers, name, otherwise=""):
    """All values of the header, joined by commas."""
    found = [value for key, value in headers if key.lower() == name.lower()]
    return ", ".join(found) if found else otherwise


def without(headers, *names):
    dropped = {name.lower() for name in names}
    return [(name, value) for name, value in headers if name.lower() not in dropped]


def body_pieces(stream, headers, more):
    """The pieces of a body as they come, without their framing. `more()`: a generator that reads some, and may have pieces to add."""
    if header(headers, "Transfer-Encoding").lower() == "chunked":
        yield from _chunks(stream, more)
    else:
        yield from _exactly(stream, int(header(headers, "Content-Length", "0")), more)


def _exactly(stream, count, more):
    while count:
        if not stream.kept:
            yield from more()
        piece = stream.use(min(count, len(stream.kept)))
        count -= len(piece)
        if piece:
            yield piece


def _line(stream, more):
    while (end := stream.kept.find(b"\r\n")) < 0:
        yield from more()
    return stream.use(end + 2)[:-2]


def _chunks(stream, more):
    while True:
        size = int((yield from _line(stream, more)).split(b";")[0], 16)
        if size == 0:
            while (yield from _line(stream, more)):  # trailers
                pass
            return
        yield from _exactly(stream, size, more)
        yield from _line(stream, more)


def read_all(stream, headers):
    """The body of a request."""
    def more():
        if not stream.fill():
            raise Left
        yield from ()
    if header(headers, "Expect").lower() == "100-continue":
        stream.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    return b"".join(body_pieces(stream, headers, more))
