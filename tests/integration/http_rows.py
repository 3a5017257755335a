#!/usr/bin/env python3
"""What comes over the wire: HTTP and TLS as they should be, and as they should not."""

import json
import re
import socket
import ssl
import subprocess
import sys
import threading
import time

from harness import Server, check_rows, container, deployment, is_closed, pod, read_answer, review, summary

GOOD = json.dumps(review(deployment())).encode()
BAD = json.dumps(review(deployment(container("nginx")))).encode()


def request(body=GOOD, head="", target="/validate?timeout=10s", method="POST", length=True, version="HTTP/1.1"):
    text = f"{method} {target} {version}\r\nHost: plimsoll\r\nContent-Type: application/json\r\n{head}"
    if length:
        text += f"Content-Length: {len(body)}\r\n"
    return text.encode() + b"\r\n" + body


class Rows:
    def __init__(self, server):
        self.server = server

    def status(self, body, **options):
        """HTTP status, and the verdict where there is one."""
        status, _, answer = self.server.post(body, **options)
        return f"{status} {summary(json.loads(answer)['response'])}" if status == 200 else f"{status}"

    def raw(self, *pieces, pause=0.0):
        """Sends bytes as they are; the status, and whether the connection was closed."""
        with self.server.connect() as stream:
            for piece in pieces:
                try:
                    stream.sendall(piece)
                except (ConnectionError, ssl.SSLError):
                    break
                time.sleep(pause)
            answer = read_answer(stream)
            if answer is None:
                return "closed"
            status, headers, body, _ = answer
            verdict = " " + summary(json.loads(body)["response"]) if status == 200 else ""
            ends = headers.get("connection", "") == "close"
            return f"{status}{verdict}, {'close' if ends else 'kept'}"

    def kept_after(self, body):
        """The status, and whether the connection answers a second request."""
        with self.server.connect() as stream:
            stream.sendall(request(body))
            first = read_answer(stream)[0]
            stream.sendall(request(GOOD))
            second = read_answer(stream)
            return f"{first}, then {second[0] if second else 'closed'}"

    def missing(self, change, **options):
        made = review(deployment())
        change(made)
        return self.status(json.dumps(made).encode(), **options)

    def short_body(self):
        before = self.server.metric("plimsoll_short_bodies_total")
        with self.server.connect() as stream:
            stream.sendall(request(GOOD)[:-10])
            stream.shutdown(socket.SHUT_WR)
            closed = is_closed(stream)
        counted = self.server.metric("plimsoll_short_bodies_total") > before
        return f"{'no answer' if closed else 'answered'}, {'counted' if counted else 'not counted'}"

    def huge(self, chunked=False):
        """40 MiB with the uid in front: an early verdict, and a connection that stays for it."""
        body = GOOD[:400] + b"x" * (40 << 20)
        with self.server.connect() as stream:
            if chunked:
                stream.sendall(request(b"", "Transfer-Encoding: chunked\r\n", length=False))
                try:
                    for start in range(0, len(body), 1 << 20):
                        piece = body[start:start + (1 << 20)]
                        stream.sendall(b"%x\r\n" % len(piece) + piece + b"\r\n")
                except (ConnectionError, ssl.SSLError):
                    pass
            else:
                try:
                    stream.sendall(request(body))
                except (ConnectionError, ssl.SSLError):
                    pass
            answer = read_answer(stream)
            if answer is None:
                return "the verdict was lost"
            return f"{answer[0]} {summary(json.loads(answer[2])['response'])}, {answer[1].get('connection')}"

    def huge_without_uid(self):
        with self.server.connect() as stream:
            try:
                stream.sendall(request(b"x" * (33 << 20)))
            except (ConnectionError, ssl.SSLError):
                pass
            answer = read_answer(stream)
            return f"{answer[0]}, {answer[1].get('connection')}" if answer else "lost"

    def expect_continue(self):
        with self.server.connect() as stream:
            stream.sendall(request(GOOD, "Expect: 100-continue\r\n")[:-len(GOOD)])
            first = read_answer(stream)[0]
            stream.sendall(GOOD)
            return f"{first}, then {read_answer(stream)[0]}"

    def slow_header(self):
        began = time.monotonic()
        with self.server.connect() as stream:
            try:
                for byte in request(GOOD)[:60]:
                    stream.sendall(bytes([byte]))
                    time.sleep(0.5)
            except (ConnectionError, ssl.SSLError):
                pass
            closed = is_closed(stream, 1)
        took = time.monotonic() - began
        return "closed after about 10 s" if closed and 9 < took < 14 else f"{closed} {took:.1f}"

    def slow_body(self):
        began = time.monotonic()
        with self.server.connect() as stream:
            stream.sendall(request(GOOD, target="/validate?timeout=1s")[:-100])
            closed = is_closed(stream, 5)
        took = time.monotonic() - began
        return "closed after about 1 s" if closed and 0.9 < took < 2.5 else f"{closed} {took:.1f}"

    def never_reads(self):
        """Pipelines until the answers stop the server's writing; then it must close."""
        context = self.server.context()
        plain = socket.socket()
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        plain.connect(("127.0.0.1", self.server.port))
        before = self.server.metric("plimsoll_slow_peers_closed_total")
        with context.wrap_socket(plain, server_hostname="localhost") as stream:
            stream.settimeout(20)
            try:
                for _ in range(40000):
                    stream.sendall(request(BAD))
            except (OSError, ssl.SSLError):
                pass
        until = time.monotonic() + 10
        while time.monotonic() < until and self.server.metric("plimsoll_slow_peers_closed_total") == before:
            time.sleep(0.1)
        return "closed" if self.server.metric("plimsoll_slow_peers_closed_total") > before else "not closed"

    def half_closed(self):
        with self.server.connect() as stream:
            stream.sendall(request(GOOD))
            answer = read_answer(stream)
            stream.settimeout(5)
            try:
                stream.unwrap()  # close_notify, and wait for theirs
                ended = "closed"
            except OSError:
                ended = "closed" if is_closed(stream) else "open"
            return f"{answer[0]}, then {ended}"

    def reset(self):
        for _ in range(20):
            stream = self.server.connect()
            stream.sendall(request(GOOD)[:-50])
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            stream.close()
        return self.status(GOOD)

    def plain_http(self):
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=5) as plain:
            plain.sendall(request(GOOD))
            data = plain.recv(65536)
            return "not served" if b"allowed" not in data else "served"

    def old_tls(self, *flags):
        done = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{self.server.port}", "-cipher", "ALL:@SECLEVEL=0", *flags],
            input=b"", capture_output=True, timeout=10)
        refused = b"Cipher is (NONE)" in done.stdout or b"alert" in done.stderr
        return "refused" if refused else "accepted"

    def new_tls(self, *flags):
        done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{self.server.port}", *flags],
                              input=b"", capture_output=True, timeout=10)
        text = done.stdout.decode("latin-1")
        return re.search(r"(TLSv1\.\d), Cipher is (\S+)", text).group(0)

    def split_hello(self):
        """The ClientHello in pieces of 100 bytes."""
        listener = socket.create_server(("127.0.0.1", 0))
        def relay():
            client, _ = listener.accept()
            upstream = socket.create_connection(("127.0.0.1", self.server.port))
            upstream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            hello = client.recv(65536)
            for start in range(0, len(hello), 100):
                upstream.sendall(hello[start:start + 100])
                time.sleep(0.005)
            client.sendall(upstream.recv(65536))
            client.settimeout(5)
            upstream.settimeout(5)

            def copy(source, target):
                try:
                    while data := source.recv(65536):
                        target.sendall(data)
                except OSError:
                    pass
            threading.Thread(target=copy, args=(client, upstream), daemon=True).start()
            copy(upstream, client)

        threading.Thread(target=relay, daemon=True).start()
        plain = socket.create_connection(listener.getsockname(), timeout=10)
        with self.server.context().wrap_socket(plain, server_hostname="x" * 60 + ".example") as stream:
            stream.sendall(request(GOOD))
            return f"{read_answer(stream)[0]}"

    def server_name(self, name):
        plain = socket.create_connection(("127.0.0.1", self.server.port), timeout=10)
        with self.server.context().wrap_socket(plain, server_hostname=name) as stream:
            stream.sendall(request(GOOD))
            return f"{read_answer(stream)[0]}"

    def protocol(self, *offered):
        context = self.server.context()
        if offered:
            context.set_alpn_protocols(list(offered))
        try:
            with self.server.connect(context) as stream:
                return f"{stream.selected_alpn_protocol()}"
        except ssl.SSLError as error:
            return "an alert" if "no application protocol" in str(error) else str(error)

    def stalled_handshake(self):
        began = time.monotonic()
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=20) as plain:
            plain.sendall(b"\x16\x03\x01")
            closed = is_closed(plain, 15)
        took = time.monotonic() - began
        return "closed after about 10 s" if closed and 9 < took < 12 else f"{closed} {took:.1f}"

    def key_updates(self, count):
        """openssl s_client sends a key update for each line `k`."""
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{self.server.port}", "-tls1_3"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            time.sleep(0.5)
            for _ in range(count):
                process.stdin.write(b"k\n")
                process.stdin.flush()
                time.sleep(0.03)
            until = time.monotonic() + 3
            while time.monotonic() < until and process.poll() is None:
                time.sleep(0.05)
            return "closed" if process.poll() is not None else "open"
        except BrokenPipeError:
            return "closed"
        finally:
            process.kill()
            process.wait()

    def renegotiation(self):
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{self.server.port}", "-tls1_2"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        time.sleep(0.5)
        process.stdin.write(b"R\n")
        process.stdin.flush()
        time.sleep(1)
        process.kill()
        return "refused" if b"no renegotiation" in process.communicate()[0] else "accepted"

    def pipelined(self):
        uids = [f"uid-{number}" for number in range(20)]
        with self.server.connect() as stream:
            bodies = [json.dumps(review(deployment(), uid=uid)).encode() for uid in uids]
            stream.sendall(b"".join(request(body) for body in bodies))
            data = b""
            while data.count(b'"allowed"') < len(uids):
                data += stream.recv(65536)
        return "in order" if re.findall(rb'"uid":"(uid-\d+)"', data) == [uid.encode() for uid in uids] else "mixed up"

    def second_without_body(self):
        """A request without a body must not be answered with the body of the one before."""
        with self.server.connect() as stream:
            stream.sendall(request(GOOD))
            first = read_answer(stream)[0]
            stream.sendall(request(b"", length=False))
            return f"{first}, then {read_answer(stream)[0]}"

    def resumption(self):
        context = self.server.context()
        with self.server.connect(context) as stream:
            stream.sendall(request(GOOD))
            read_answer(stream)
            session = stream.session
        plain = socket.create_connection(("127.0.0.1", self.server.port), timeout=10)
        try:
            with context.wrap_socket(plain, server_hostname="localhost", session=session) as stream:
                return "resumed" if stream.session_reused else "full handshake"
        except ValueError:
            return "full handshake"

    def idle(self):
        """Longer than the deadlines for handshake and head."""
        with self.server.connect() as stream:
            stream.sendall(request(GOOD))
            first = read_answer(stream)[0]
            time.sleep(12)
            stream.sendall(request(GOOD))
            return f"{first}, then {read_answer(stream)[0]}"


def wrong_length(made):
    made["request"]["uid"] = "x" * 254


def rows_of(r, audit):
    field = lambda name, value: lambda made: made["request"].update({name: value})
    drop = lambda name: lambda made: made["request"].pop(name)
    many = "".join(f"X-{number}: y\r\n" for number in range(101))
    json_type = {"Content-Type": "application/json; charset=utf-8"}
    chunked = "Transfer-Encoding: chunked\r\n"
    rows = [
        (1, "a body that is not JSON", "400, then 200", lambda: r.kept_after(b"hello there, this is not JSON")),
        (2, "JSON cut off, Content-Length as sent", "400", lambda: r.status(GOOD[:-20])),
        (3, "a body shorter than its Content-Length, then the end", "no answer, counted", r.short_body),
        (4, "an empty body", "400", lambda: r.status(b"")),
        (4, "no body at all, after a good review on the same connection", "200, then 400", r.second_without_body),
        (5, "a JSON list", "400", lambda: r.status(b"[]")),
        (5, "another kind", "400", lambda: r.status(GOOD.replace(b"AdmissionReview", b"Review"))),
        (5, "an unknown apiVersion", "400", lambda: r.status(GOOD.replace(b"admission.k8s.io/v1", b"admission.k8s.io/v2"))),
        (5, "v1beta1 is answered, too", "200 allow", lambda: r.status(GOOD.replace(b"admission.k8s.io/v1", b"admission.k8s.io/v1beta1"))),
        (6, "no request", "400", lambda: r.status(b'{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1"}')),
        (7, "no uid", "400", lambda: r.missing(drop("uid"))),
        (7, "an empty uid", "400", lambda: r.missing(field("uid", ""))),
        (7, "a number as uid", "400", lambda: r.missing(field("uid", 5))),
        (7, "a uid of 254 bytes", "400", lambda: r.missing(wrong_length)),
        (8, "no operation", "200 deny 400", lambda: r.missing(drop("operation"))),
        (8, "no resource", "200 deny 400", lambda: r.missing(drop("resource"))),
        (8, "no operation, audit mode", "200 allow + warning", lambda: audit.missing(drop("operation"))),
        (9, "Content-Type text/plain", "415", lambda: r.status(GOOD, headers={"Content-Type": "text/plain"})),
        (9, "Content-Type with a charset", "200 allow", lambda: r.status(GOOD, headers=json_type)),
        (10, "no Content-Type", "415", lambda: r.status(GOOD, headers={})),
        (12, "an unknown path", "404", lambda: r.status(GOOD, path="/other")),
        (12, "a doubled slash", "404", lambda: r.status(GOOD, path="//validate")),
        (12, "/../", "404", lambda: r.status(GOOD, path="/x/../validate")),
        (12, "an encoded slash", "404", lambda: r.status(GOOD, path="/%2Fvalidate")),
        (12, "a query on an unknown path", "404", lambda: r.status(GOOD, path="/", query="?timeout=1s")),
        (13, "a trailing slash", "404", lambda: r.status(GOOD, path="/validate/")),
        (14, "no timeout", "200 allow", lambda: r.status(GOOD, query="")),
        (16, "a timeout of one second", "200 deny 403", lambda: r.status(BAD, query="?timeout=1s")),
        (17, "40 MiB, the uid in front", "200 deny 413, close", r.huge),
        (17, "the same in audit mode", "200 allow + warning, close", audit.huge),
        (17, "33 MiB without a uid", "413, close", r.huge_without_uid),
        (18, "40 MiB in chunks", "200 deny 413, close", lambda: r.huge(chunked=True)),
        (19, "Content-Length and Transfer-Encoding", "400, close", lambda: r.raw(request(GOOD, chunked))),
        (19, "two Content-Lengths", "400, close", lambda: r.raw(request(GOOD, "Content-Length: 5\r\n"))),
        (19, "the same Content-Length twice", "400, close", lambda: r.raw(request(GOOD, f"Content-Length: {len(GOOD)}\r\n"))),
        (19, "Content-Length: +5", "400, close", lambda: r.raw(request(b"hello", "Content-Length: +5\r\n", length=False))),
        (19, "a chunk size beyond 64 bits", "400, close", lambda: r.raw(request(b"fffffffffffffffff\r\nx", chunked, length=False))),
        (19, "line feeds without carriage returns", "400, close", lambda: r.raw(request(GOOD).replace(b"\r\n", b"\n"))),
        (19, "Transfer-Encoding: gzip", "501, close", lambda: r.raw(request(GOOD, "Transfer-Encoding: gzip\r\n", length=False))),
        (20, "Content-Encoding: gzip", "415, close", lambda: r.raw(request(GOOD, "Content-Encoding: gzip\r\n"))),
        (21, "Expect: 100-continue", "100, then 200", r.expect_continue),
        (21, "Expect: 100-continue on an unknown path", "404, close", lambda: r.raw(request(GOOD, "Expect: 100-continue\r\n", target="/x")[:-len(GOOD)])),
        (22, "a head of more than 64 KiB", "431, close", lambda: r.raw(request(GOOD, "X: " + "y" * 70000 + "\r\n"))),
        (22, "more than 100 fields", "431, close", lambda: r.raw(request(GOOD, many))),
        (23, "a head of one byte each half second", "closed after about 10 s", r.slow_header),
        (24, "a body that never comes to its end, timeout=1s", "closed after about 1 s", r.slow_body),
        (25, "a client that never reads its answers", "closed", r.never_reads),
        (26, "close_notify after a request", "200, then closed", r.half_closed),
        (27, "resets in the middle of 20 requests, then a good one", "200 allow", r.reset),
        (28, "plain HTTP on the TLS port", "not served", r.plain_http),
        (29, "TLS 1.0", "refused", lambda: r.old_tls("-tls1")),
        (29, "TLS 1.1", "refused", lambda: r.old_tls("-tls1_1")),
        (29, "TLS 1.2 with static RSA", "refused", lambda: r.old_tls("-tls1_2", "-cipher", "AES128-GCM-SHA256")),
        (29, "TLS 1.2 with CBC", "refused", lambda: r.old_tls("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA")),
        (29, "TLS 1.2 as it should be", "TLSv1.2, Cipher is ECDHE-ECDSA-AES128-GCM-SHA256", lambda: r.new_tls("-tls1_2")),
        (29, "TLS 1.3 is preferred", "TLSv1.3, Cipher is TLS_AES_128_GCM_SHA256", r.new_tls),
        (30, "a ClientHello in pieces", "200", r.split_hello),
        (31, "no server name", "200", lambda: r.server_name(None)),
        (31, "a foreign server name", "200", lambda: r.server_name("elsewhere.example")),
        (32, "ALPN h2 only", "an alert", lambda: r.protocol("h2")),
        (32, "ALPN h2 and http/1.1", "http/1.1", lambda: r.protocol("h2", "http/1.1")),
        (32, "no ALPN", "None", r.protocol),
        (33, "the preface of HTTP/2", "505, close", lambda: r.raw(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")),
        (34, "HTTP/1.0", "200 allow, close", lambda: r.raw(request(GOOD, version="HTTP/1.0"))),
        (34, "HTTP/0.9", "505, close", lambda: r.raw(request(GOOD, version="HTTP/0.9"))),
        (35, "a handshake that stalls", "closed after about 10 s", r.stalled_handshake),
        (36, "renegotiation", "refused", r.renegotiation),
        (36, "10 key updates", "open", lambda: r.key_updates(10)),
        (36, "60 key updates", "closed", lambda: r.key_updates(60)),
        (38, "20 requests at once", "in order", r.pipelined),
        (40, "a session offered again", "full handshake", r.resumption),
        (41, "a request after 12 s of silence", "200, then 200", r.idle),
    ]
    for method in ("GET", "PUT", "HEAD", "OPTIONS", "DELETE", "PATCH"):
        rows.append((11, f"{method} /validate", "405", lambda method=method: r.status(b"", method=method)))
    rows.append((11, "the 405 names what is allowed", "POST", lambda: r.server.post(b"", method="GET")[1]["Allow"]))
    for text in ("garbage", "-5s", "0s", "1e9h", "10", "", "5s&timeout=x", "%31s", "99999999999999999999s"):
        rows.append((15, f"timeout={text}", "200 allow", lambda text=text: r.status(GOOD, query=f"?timeout={text}")))
    return sorted(rows, key=lambda row: row[0])


def main():
    with Server() as server, Server(mode="audit") as audit:
        code = check_rows("HTTP and TLS", rows_of(Rows(server), Rows(audit)))
        failures = server.metric("plimsoll_internal_failures_total")
        if not server.alive() or failures:
            print(f"the server is {'up' if server.alive() else 'down'}; {failures} internal failures")
            return 1
    return code


if __name__ == "__main__":
    sys.exit(main())
