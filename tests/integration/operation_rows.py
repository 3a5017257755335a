#!/usr/bin/env python3
"""Certificates and policies that change, signals, and the end: nothing of it may lose a call."""

import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

import harness
from harness import Server, check_rows, container, deployment, is_closed, make_certificate, read_answer, review, summary

GOOD = json.dumps(review(deployment())).encode()
REQUEST = (f"POST /validate?timeout=10s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
           f"Content-Length: {len(GOOD)}\r\n\r\n").encode() + GOOD


class Load:
    """Clients that behave like the API server: keep-alive, a new connection after Connection: close."""

    def __init__(self, server, contexts, clients=6):
        self.server, self.contexts = server, contexts
        self.stop, self.failures, self.calls, self.refused = threading.Event(), [], 0, 0
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self._client, args=(number,)) for number in range(clients)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def _client(self, number):
        stream = None
        while not self.stop.is_set():
            if stream is None:
                try:
                    stream = self.server.connect(self.contexts(), timeout=10)
                except ConnectionRefusedError:
                    with self.lock:
                        self.refused += 1
                    return  # the server has stopped listening: a Service would have sent us elsewhere
                except (OSError, ssl.SSLError) as error:
                    with self.lock:
                        self.failures.append(f"connect: {error}")
                    return
            try:
                stream.sendall(REQUEST)
                answer = read_answer(stream)
            except OSError as error:
                answer, problem = None, error
            else:
                problem = "closed before the answer"
            if answer is None or answer[0] != 200:
                with self.lock:
                    self.failures.append(f"call: {problem if answer is None else answer[0]}")
                return
            with self.lock:
                self.calls += 1
            if answer[1].get("connection") == "close" or self.calls % 7 == 0:
                stream.close()
                stream = None
        if stream is not None:
            stream.close()


def wait_until(condition, seconds=10):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.05)
    return False


def serial(server):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with server.connect(context) as stream:
        return stream.getpeercert(binary_form=True)


def trusting_all():
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def replace(server, pair):
    for new, old in zip(pair, (server.certificate, server.key)):
        temporary = old.with_suffix(".new")
        shutil.copy(new, temporary)
        os.replace(temporary, old)


def swap_under_load():
    with Server() as server:
        pairs = [make_certificate(server.directory.name, f"pair{number}") for number in range(6)]
        seen = {serial(server)}
        with Load(server, trusting_all) as load:
            for pair in pairs:
                before = server.metric("plimsoll_certificate_reloads_total")
                replace(server, pair)
                if not wait_until(lambda: server.metric("plimsoll_certificate_reloads_total") > before):
                    return "not swapped"
                seen.add(serial(server))
            time.sleep(0.3)
        return f"{len(seen)} certificates, {load.failures or 'no failed call'}, {'many calls' if load.calls > 200 else load.calls}"


def mismatched_pair():
    with Server() as server:
        before = serial(server)
        other = make_certificate(server.directory.name, "other")
        replace(server, (server.certificate, other[1]))
        failed = wait_until(lambda: server.metric("plimsoll_certificate_reload_failures_total") > 0)
        kept = serial(server) == before
        ready = server.get("/readyz")[0]
        replace(server, other)
        mended = wait_until(lambda: serial(server) != before)
        return f"{'counted' if failed else 'not counted'}, {'kept' if kept else 'lost'}, ready {ready}, then {'swapped' if mended else 'stuck'}"


def mounted_secret():
    """As the kubelet does it: files behind a `..data` link that is swapped."""
    with Server() as server:
        root = Path(server.directory.name, "mount")
        for name in ("one", "two"):
            (root / f"..{name}").mkdir(parents=True)
            certificate, key = make_certificate(server.directory.name, name)
            shutil.copy(certificate, root / f"..{name}" / "tls.crt")
            shutil.copy(key, root / f"..{name}" / "tls.key")
        (root / "..data").symlink_to("..one")
        for file in ("tls.crt", "tls.key"):
            (root / file).symlink_to(f"..data/{file}")
        with Server("--cert", root / "tls.crt", "--key", root / "tls.key") as mounted:
            before = serial(mounted)
            (root / "..data_tmp").symlink_to("..two")
            os.replace(root / "..data_tmp", root / "..data")
            swapped = wait_until(lambda: serial(mounted) != before)
            moved = root.rename(root.with_name("gone"))
            time.sleep(0.6)
            alive = serial(mounted) is not None
            moved.rename(root)
            return f"{'swapped' if swapped else 'not swapped'}, {'served' if alive else 'dead'} while the directory was gone"


def expired_certificate():
    with Server() as server:
        expired = Path(server.directory.name, "old")
        expired.mkdir()
        key, request, certificate = expired / "tls.key", expired / "tls.csr", expired / "tls.crt"
        run = lambda *command: subprocess.run([str(part) for part in command], check=True, capture_output=True)
        run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=old",
            "-keyout", key, "-out", request)
        run("openssl", "x509", "-req", "-in", request, "-signkey", key, "-days", "-1", "-out", certificate)
        replace(server, (certificate, key))
        unready = wait_until(lambda: server.get("/readyz")[0] == 503)
        served = serial(server) is not None
        told = wait_until(lambda: any("expired" in line["event"] for line in server.log_lines()))
        days = server.metric("plimsoll_certificate_days_left")
        return f"{'not ready' if unready else 'ready'}, {'served' if served else 'down'}, {'told' if told else 'silent'}, {'below 0' if days < 0 else days} days left"


def bad_policy():
    with Server() as server:
        verdict = lambda: summary(server.ask(review(deployment(container("nginx")))))
        first = verdict()
        file = server.policy / "policy.yaml"
        good = file.read_text()
        file.write_text(good.replace("action", "actoin"))
        refused = wait_until(lambda: server.metric("plimsoll_policy_reload_failures_total") > 0)
        status, text = server.get("/readyz")
        kept = verdict()
        hint = 'did you mean "action"' in text and "policy.yaml:" in text
        file.write_text(good.replace("image-tag: {action: enforce}", "image-tag: {action: warn}"))
        changed = wait_until(lambda: verdict() == "allow + warning")
        file.unlink()
        time.sleep(0.6)
        gone = verdict()
        return (f"{first}; {'refused' if refused else 'taken'}, ready {status}, {'file, line and nearest key' if hint else text}, {kept}; "
                f"then {'changed' if changed else 'stuck'}; deleted: {gone}")


def refused_start(*flags, policy=harness.ENFORCING, break_key=False):
    with harness.tempfile.TemporaryDirectory() as directory:
        certificate, key = make_certificate(directory)
        if break_key:
            key.write_text("nonsense")
        Path(directory, "policy.yaml").write_text(policy)
        command = [harness.PROGRAM, "serve", "--listen", "127.0.0.1:0", "--health-listen", "off"]
        if not flags:
            command += ["--cert", str(certificate), "--key", str(key)]
        done = subprocess.run([*command, *flags, "--policy", str(Path(directory, "policy.yaml"))],
                              capture_output=True, text=True, timeout=20)
        return f"exit {done.returncode}, {len(done.stderr.splitlines())} line: " + done.stderr.replace(directory + "/", "").strip()


def terminated_under_load():
    """SIGTERM: every call that was begun is answered, and the end comes when the last client has gone."""
    server = Server("--shutdown-delay", "1s")
    with Load(server, trusting_all) as load:
        time.sleep(0.7)
        began = time.monotonic()
        server.signal()
        wait_until(lambda: server.get("/readyz")[0] == 503, 2)
        calls = load.calls
        time.sleep(0.5)
        went_on = load.calls > calls
        code = server.process.wait(timeout=30)
        took = time.monotonic() - began
    server.stop()
    return (f"exit {code}, {load.failures or 'no lost call'}, {'accepting until the delay was over' if went_on else 'stopped at once'}, "
            f"{'ended soon after' if 1 <= took < 4 else took}")


def idle_at_the_end():
    """An idle connection is left to the peer until the drain timeout."""
    server = Server("--drain-timeout", "2s")
    stream = server.connect()
    stream.sendall(REQUEST)
    read_answer(stream)
    began = time.monotonic()
    server.signal()
    time.sleep(0.5)
    stream.sendall(REQUEST)
    answer = read_answer(stream)
    closes = answer is not None and answer[1].get("connection") == "close"
    waiting = server.alive()
    other = "ended" if is_closed(stream, 5) else "open"
    code = server.process.wait(timeout=10)
    took = time.monotonic() - began
    server.stop()
    return f"answered with {'Connection: close' if closes else answer}, {'alive' if waiting else 'gone'}, {other}, exit {code}, {'in time' if took < 3 else took}"


def never_leaves():
    """A peer that keeps its idle connection open: the drain timeout ends it."""
    server = Server("--drain-timeout", "2s")
    stream = server.connect()
    stream.sendall(REQUEST)
    read_answer(stream)
    began = time.monotonic()
    server.signal()
    code = server.process.wait(timeout=10)
    took = time.monotonic() - began
    stream.close()
    server.stop()
    return f"exit {code}, {'at the drain timeout' if 1.9 < took < 3.5 else took}"


def second_signal(first, second=None):
    server = Server("--shutdown-delay", "60s")
    stream = server.connect()
    stream.sendall(REQUEST)
    read_answer(stream)
    began = time.monotonic()
    server.signal(first)
    if second is not None:
        time.sleep(0.2)
        server.signal(second)
    code = server.process.wait(timeout=10)
    took = time.monotonic() - began
    stream.close()
    server.stop()
    return f"exit {code}, {'within 2 s' if took < 2.5 else took}"


def harmless_signals():
    with Server("--poll-interval", "1h") as server:
        policy = server.policy / "policy.yaml"
        policy.write_text(policy.read_text().replace("image-tag: {action: enforce}", "image-tag: {action: warn}"))
        server.signal(signal.SIGHUP)
        reloaded = wait_until(lambda: summary(server.ask(review(deployment(container("nginx"))))) == "allow + warning")
        server.signal(signal.SIGPIPE)
        time.sleep(0.2)
        return f"{'reloaded' if reloaded else 'not reloaded'}, {'alive' if server.alive() else 'dead'}"


def blocked_log():
    """Nobody reads standard output; reviews are answered all the same."""
    read_end, write_end = os.pipe()
    with Server() as server:
        command = [harness.PROGRAM, "serve", "--cert", server.certificate, "--key", server.key, "--policy", server.policy,
                   "--listen", "127.0.0.1:0", "--health-listen", "off", "--shutdown-delay", "0s"]
        process = subprocess.Popen([str(part) for part in command], stdout=write_end)
        os.close(write_end)
        line = os.read(read_end, 4096)
        server.port, kept = int(json.loads(line)["address"].rsplit(":", 1)[1]), server.port
        bad = review(deployment(container("nginx")), uid="u" * 250, user="v" * 2000)
        for _ in range(400):
            server.ask(bad)
        answered = summary(server.ask(bad))
        server.port = kept
        process.kill()
        process.wait()
        os.close(read_end)
        return answered


def out_of_descriptors():
    """With few descriptors: connections wait, nobody spins, and later calls are answered."""
    with Server() as server:
        subprocess.run(["prlimit", f"--pid={server.process.pid}", "--nofile=40:40"], check=True)
        streams = []
        for _ in range(60):
            plain = harness.socket.create_connection(("127.0.0.1", server.port), timeout=5)
            streams.append(plain)
        time.sleep(1)
        ticks = lambda: sum(map(int, Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]))
        before = ticks()
        time.sleep(1)
        busy = ticks() - before
        for plain in streams:
            plain.close()
        return f"{'quiet' if busy < 30 else f'{busy} ticks'}, then {summary(server.ask(review(deployment())))}"


def limits_of_connections():
    """At the cap no more are accepted; when one ends, the next is served."""
    with Server("--max-connections", "2") as server:
        first, second = server.connect(), server.connect()
        result = []
        third = threading.Thread(target=lambda: result.append(summary(server.ask(review(deployment())))))
        third.start()
        time.sleep(0.5)
        waited = not result
        first.close()
        third.join(10)
        second.close()
        return f"{'waited' if waited else 'served at once'}, then {result[0] if result else 'nothing'}"


def stalled_handshakes():
    """200 peers that begin a handshake and fall silent: others are served all the same."""
    with Server() as server:
        silent = []
        for _ in range(200):
            plain = harness.socket.create_connection(("127.0.0.1", server.port), timeout=5)
            plain.sendall(b"\x16\x03\x01")
            silent.append(plain)
        began = time.monotonic()
        seen = summary(server.ask(review(deployment())))
        took = time.monotonic() - began
        for plain in silent:
            plain.close()
        return f"{seen}, {'long before their deadline' if took < 6 else took}"


def shedding():
    """More than the budget at once: 503 with Retry-After before the body is read, and the rest is served."""
    with Server("--body-budget", "33Mi") as server:
        body = GOOD[:200] + b" " * (20 << 20)
        head = REQUEST.split(b"\r\n\r\n")[0].rsplit(b"\r\n", 1)[0] + f"\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        first = server.connect()
        first.sendall(head + body[: 1 << 20])  # holds 20 MiB of the budget
        time.sleep(0.3)
        second = server.connect()
        second.sendall(head)
        status, headers, _, _ = read_answer(second)
        shed = f"{status}, Retry-After {headers.get('retry-after')}, {headers.get('connection')}"
        small = summary(server.ask(review(deployment())))
        first.close()
        second.close()
        given_back = wait_until(lambda: server.metric("plimsoll_body_budget_used_bytes") == 0)
        return f"{shed}; small ones: {small}; {'given back' if given_back else 'lost'}"


def main():
    selector = harness.ENFORCING.replace("  rules:", "  match: {namespaceSelector: {matchLabels: {a: b}}}\n  rules:")
    rows = [
        (91, "SIGTERM under load", "exit 0, no lost call, accepting until the delay was over, ended soon after", terminated_under_load),
        (91, "SIGTERM, a request on an idle connection", "answered with Connection: close, alive, ended, exit 0, in time", idle_at_the_end),
        (91, "SIGTERM, a peer that never leaves", "exit 0, at the drain timeout", never_leaves),
        (92, "SIGTERM twice", "exit 0, within 2 s", lambda: second_signal(signal.SIGTERM, signal.SIGTERM)),
        (92, "SIGINT", "exit 0, within 2 s", lambda: second_signal(signal.SIGINT)),
        (93, "SIGHUP looks at the files, SIGPIPE does nothing", "reloaded, alive", harmless_signals),
        (95, "six certificates swapped under load", "7 certificates, no failed call, many calls", swap_under_load),
        (96, "a certificate and a key that do not belong together", "counted, kept, ready 200, then swapped", mismatched_pair),
        (97, "the swapped link of a mounted Secret", "swapped, served while the directory was gone", mounted_secret),
        (98, "an expired certificate", "not ready, served, told, below 0 days left", expired_certificate),
        (100, "a policy is broken, mended, deleted", "deny 403; refused, ready 200, file, line and nearest key, deny 403; then changed; deleted: allow + warning", bad_policy),
        (100, "a bad policy at the start", 'exit 78, 1 line: policy.yaml:8:34: unknown key "actoin"; did you mean "action"?',
         lambda: refused_start(policy=harness.ENFORCING.replace("image-tag: {action:", "image-tag: {action: enforce, actoin:"))),
        (100, "a bad key at the start", "exit 78", lambda: refused_start(break_key=True)[:7]),
        (100, "a namespaceSelector, and no cluster to ask", "exit 78", lambda: refused_start(policy=selector)[:7]),
        ("", "--self-signed on an address that others reach", "exit 2", lambda: refused_start("--self-signed", "--listen", "0.0.0.0:0")[:6]),
        ("", "no certificate", "exit 2", lambda: refused_start("--mode", "warn")[:6]),
        (105, "a log that nobody reads", "deny 403", blocked_log),
        (106, "no descriptors left", "quiet, then allow", out_of_descriptors),
        (35, "200 stalled handshakes", "allow, long before their deadline", stalled_handshakes),
        (109, "over the budget", "503, Retry-After 1, close; small ones: allow; given back", shedding),
        ("", "at the limit of connections", "waited, then allow", limits_of_connections),
    ]
    if os.environ.get("PLIMSOLL_SANITIZED") == "1":
        print("left out in this build, because its sanitizer needs descriptors of its own: no descriptors left")
        rows = [row for row in rows if row[3] is not out_of_descriptors]
    return check_rows("Operation", rows, workers=6)


if __name__ == "__main__":
    sys.exit(main())
