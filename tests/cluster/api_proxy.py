"""A proxy before the real API server of a ControlPlane, transparent unless a rule tells it to misbehave.

    import proxy_actions as actions
    import proxy_alterations as alter

    with ApiProxy(plane) as proxy:
        client = start(proxy.kubeconfig("reader", token))
        with proxy.rule(actions.cut_after(100), path="/apis/plimsoll.dev/.*", watch=True, times=3) as rule:
            wait_until(lambda: rule.applied == 3)
        proxy.exchanges(path="/api/v1/namespaces", watch=True)[-1].inject({"type": "BOOKMARK", "object": {}})
        with proxy.unreachable():
            ...

Of the rules in force, the first one that matches is followed. Clients are known by their tokens: a client certificate stops here.
"""
import contextlib
import re
import socket
import ssl
import threading
import time

from proxy_certificates import trusted
from proxy_exchange import fingerprint, read_exchange
from proxy_wire import CLOSE, FIN, RST, Cut, Left, Mailbox, ServerLost, Stream, end_socket

SERVE, SILENT, RESET, GARBAGE = "serve", "silent", "reset", "garbage"  # what a connection meets, see at_connect()


def matcher(method=None, path=None, prefix=None, query=None, watch=None, token=None, user_agent=None, when=None):
    """Says of an Exchange whether it is meant. `path`: a pattern of the whole path without the query; `query`: a pattern of some
    of the query; `method`: one, or several in a tuple; `when`: a function of the Exchange."""
    methods = (method,) if isinstance(method, str) else method

    def meant(exchange):
        return ((methods is None or exchange.method in methods)
                and (path is None or re.fullmatch(path, exchange.path) is not None)
                and (prefix is None or exchange.path.startswith(prefix))
                and (query is None or re.search(query, exchange.query) is not None)
                and (watch is None or exchange.watch == watch)
                and (token is None or exchange.token == fingerprint(token))
                and (user_agent is None or re.search(user_agent, exchange.user_agent) is not None)
                and (when is None or when(exchange)))
    return meant


class Rule:
    """In force until remove(), or to the end of its `with`. `nth`: the first match it is applied to (1 is the first one), then to
    `times` matches; without `times` to this one only. Without both it is applied to all."""

    def __init__(self, proxy, actions, meant, nth=None, times=None):
        self.proxy, self.actions, self.meant = proxy, actions, meant
        self.first, self.times = nth or 1, times if nth is None or times is not None else 1
        self.matched = self.applied = 0
        self.exchanges = []  # those it was applied to

    def applies(self, exchange):
        if not self.meant(exchange) or not all(getattr(action, "wants", lambda _: True)(exchange) for action in self.actions):
            return False
        self.matched += 1
        if self.matched < self.first or (self.times is not None and self.applied >= self.times):
            return False
        self.applied += 1
        self.exchanges.append(exchange)
        return True

    def remove(self):
        with self.proxy.lock, contextlib.suppress(ValueError):
            self.proxy.rules.remove(self)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()


class Connection:
    """One client, and a connection to the real server where needed; all by one thread."""

    def __init__(self, proxy, plain, meets):
        self.proxy, self.plain, self.meets = proxy, plain, meets
        self.mailbox = Mailbox()
        self.client = self.server = self.exchange = None
        self.last = self.server_is_idle = False
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        how = CLOSE
        try:
            how = self._serve()
        except Cut as cut:
            how = cut.how
        except Left:
            how = FIN
        except Exception as problem:  # a fault of the proxy: the test is told at the end
            self.proxy.problems.append(f"{self.exchange}: {problem!r}")
            how = RST
        finally:
            self._close_server()
            if self.client:
                self.client.end(how)
            else:
                end_socket(self.plain, how)
            self.proxy.forget(self)
            self.mailbox.close()

    def _serve(self):
        """Returns how the connection is to be ended."""
        if self.meets != SERVE:
            return self._be_rude()
        self.client = Stream(self.plain, self.proxy.context, self.mailbox, server_side=True)
        try:
            self.client.handshake()
        except OSError as error:
            self.proxy.refused_handshakes.append(getattr(error, "reason", None) or str(error))
            return FIN
        while not self.last:
            exchange = read_exchange(self, self.proxy.next_number)
            if exchange is None:
                return CLOSE
            self.exchange = exchange
            self.proxy.record(exchange)
            exchange.serve()
            if not self.server_is_idle:
                self._close_server()  # an answer that was not read to its end
        return CLOSE

    def _be_rude(self):
        self.plain.setblocking(False)
        self.mailbox.wait(readable=[self.plain])  # the client's hello
        if self.meets == RESET:
            return RST
        if self.meets == GARBAGE:
            self.plain.send(b"\x16\x03\x01 this is neither TLS nor HTTP\r\n" * 20)
            return FIN
        with contextlib.suppress(OSError):
            while self.plain.recv(4096):
                self.mailbox.wait(readable=[self.plain])
        return FIN

    def open_server(self):
        """The stream to the real server; a new one unless the last answer over it was read to its end."""
        if self.server and self.server_is_idle and self.server.take() is None:
            self.server_is_idle = False
            return self.server
        self._close_server()
        try:
            plain = socket.create_connection(("127.0.0.1", self.proxy.plane.port), timeout=10)
            self.server = Stream(plain, self.proxy.server_context, self.mailbox, self.client, server_hostname="127.0.0.1")
            self.server.handshake()
        except OSError as error:
            raise ServerLost(str(error)) from error
        return self.server

    def _close_server(self):
        if self.server:
            self.server.end(FIN)
        self.server, self.server_is_idle = None, False


class ApiProxy:
    """Everything ends with the `with` block; what went wrong within the proxy itself is raised there."""

    def __init__(self, plane):
        self.plane, self.lock = plane, threading.RLock()
        self.rules, self.problems, self.refused_handshakes = [], [], []
        self.accepted = 0  # connections
        self.url = self.port = self.context = self.server_context = None
        self._exchanges, self._number, self._connections, self._threads = [], 0, set(), set()
        self._meets, self._meets_times = SERVE, None
        self._reserved = self._listener = self._acceptor = None

    def __enter__(self):
        self.server_context = ssl.create_default_context(cafile=str(self.plane.authority.certificate))
        self.server_context.set_alpn_protocols(["http/1.1"])
        self.use_certificate()
        self._reserved = reserve()  # as long as it is bound nobody else is given the port
        self.port = self._reserved.getsockname()[1]
        self.url = f"https://127.0.0.1:{self.port}"
        self._listen()
        return self

    def __exit__(self, kind, *_):
        self._close_listener()
        self._reserved.close()
        self.drop(FIN)
        with self.lock:
            left = list(self._threads)
        for thread in left:
            thread.join(10)
        left = [thread for thread in left if thread.is_alive()]
        if kind is None and (left or self.problems):
            raise AssertionError(f"threads of the proxy that did not end: {len(left)}; problems: {self.problems}")

    # What tests use.
    def kubeconfig(self, name, token):
        """A file for a client that talks to the proxy."""
        return self.plane.write_kubeconfig(f"{name}-{self.port}", token, server=self.url)

    def rule(self, *actions, nth=None, times=None, **which):
        """Puts a rule in force; `which` as in matcher(). Several actions are taken in order; the first that answers ends it."""
        made = Rule(self, actions, matcher(**which), nth, times)
        with self.lock:
            self.rules.append(made)
        return made

    def exchanges(self, **which):
        """Those so far that are meant, in order; `which` as in matcher()."""
        with self.lock:
            known = list(self._exchanges)
        return [exchange for exchange in known if matcher(**which)(exchange)]

    def live(self, **which):
        """Those that are not over."""
        return [exchange for exchange in self.exchanges(**which) if not exchange.done.is_set()]

    def forget_exchanges(self):
        with self.lock:
            self._exchanges.clear()

    def drop(self, how=FIN, **which):
        """Ends the connections of all live exchanges that are meant; without `which` every connection, idle ones too."""
        for exchange in self.live(**which) if which else ():
            exchange.cut(how)
        if not which:
            with self.lock:
                connections = list(self._connections)
            for connection in connections:
                connection.mailbox.post(lambda: raise_cut(how))

    def use_certificate(self, pair=None):
        """(certificate, key) for connections from now on; without it a good one. Bad ones: proxy_certificates.py."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        context.load_cert_chain(*(pair or trusted(self.plane)))
        self.context = context

    @contextlib.contextmanager
    def certificate(self, pair):
        self.use_certificate(pair)
        try:
            yield
        finally:
            self.use_certificate()

    @contextlib.contextmanager
    def at_connect(self, meets, times=None):
        """New connections, `times` of them, meet: "silent" (accepted, and no handshake ever), "reset", or "garbage"."""
        if meets not in (SILENT, RESET, GARBAGE):
            raise ValueError(meets)
        with self.lock:
            self._meets, self._meets_times = meets, times
        try:
            yield
        finally:
            with self.lock:
                self._meets = SERVE

    @contextlib.contextmanager
    def unreachable(self, drop=FIN):
        """Connections are refused; those there are ended so, or live on with drop=None."""
        self._close_listener()
        if drop:
            self.drop(drop)
        try:
            yield
        finally:
            self._listen()

    @contextlib.contextmanager
    def unanswering(self, drop=FIN):
        """Attempts to connect get no answer at all, not even a refusal."""
        self._close_listener()
        if drop:
            self.drop(drop)
        full = Full(self.port)
        try:
            yield
        finally:
            full.close()
            self._listen()

    # Between the threads.
    def rule_for(self, exchange):
        with self.lock:
            return next((rule for rule in self.rules if rule.applies(exchange)), None)

    def next_number(self):
        with self.lock:
            self._number += 1
            return self._number

    def record(self, exchange):
        with self.lock:
            self._exchanges.append(exchange)

    def forget(self, connection):
        with self.lock:
            self._connections.discard(connection)
            self._threads.discard(connection.thread)

    def _listen(self):
        self._listener = bound(self.port)
        self._listener.listen(1024)
        self._acceptor = threading.Thread(target=self._accept, args=(self._listener,), daemon=True)
        self._acceptor.start()

    def _close_listener(self):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join(10)
        self._listener.close()

    def _accept(self, listener):
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            with self.lock:
                self.accepted += 1
                connection = Connection(self, plain, self._met())
                self._connections.add(connection)
                self._threads.add(connection.thread)
            connection.thread.start()

    def _met(self):
        if self._meets == SERVE or self._meets_times == 0:
            return SERVE
        self._meets_times = None if self._meets_times is None else self._meets_times - 1
        return self._meets


class Full:
    """A listening socket that takes no more connections: the next attempt waits for an answer."""

    def __init__(self, port):
        self.listener, self.waiting = bound(port), []
        self.listener.listen(0)
        for _ in range(16):
            one = socket.socket()
            self.waiting.append(one)
            one.settimeout(0.1)
            try:
                one.connect(("127.0.0.1", port))
            except TimeoutError:
                return
        raise RuntimeError("the queue of connections is never full")

    def close(self):
        for one in (*self.waiting, self.listener):
            one.close()


def bound(port):
    """A socket bound to the port, beside others that are bound to it and do not listen."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    until = time.monotonic() + 5
    while True:
        try:
            made.bind(("127.0.0.1", port))
            return made
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)


def reserve():
    return bound(0)


def raise_cut(how):
    raise Cut(how, "ended by the proxy")
