"""Proves that the API proxy is transparent, and does what its rules say: `python3 tests/cluster/proxy_selftest.py`, under a minute."""
import concurrent.futures
import json
import os
import signal
import subprocess
import sys
import threading
import time

import programs
import proxy_action_rows
import proxy_actions as actions
import proxy_certificates as certificates
from api_proxy import ApiProxy
from control_plane import ADMIN, ControlPlane
from harness import check_rows, wait_until
from proxy_client import Raw, ask, connection, context, outcome
from proxy_exchange import fingerprint

MAPS, WRITES = "/api/v1/namespaces/few/configmaps", "/api/v1/namespaces/writes/configmaps"
OWN_HEADERS = {"Date", "Audit-Id"}  # other ones with every answer


def prepare(plane):
    for name in ("few", "large", "watched", "writes"):
        plane.namespace(name)
    for name in "abc":
        plane.create(MAPS, {"metadata": {"name": name}})
    plane.create("/api/v1/namespaces/large/configmaps", {"metadata": {"name": "large"}, "data": {"x": "some text " * 50_000}})


# ---------------------------------------------------------------- transparent

def same_answer(plane, target, **headers):
    """Status, headers and body, with the proxy and without."""
    with ApiProxy(plane) as proxy:
        through, direct = ask(proxy, target, headers=headers), ask(proxy, target, headers=headers, over=plane.connection())
    names = [sorted((name, value) for name, value in got[1].items() if name not in OWN_HEADERS) for got in (through, direct)]
    return through[0] == direct[0] and names[0] == names[1] and through[2] == direct[2]


def writes(proxy):
    def call(method, name="", body=None, **headers):
        return outcome(ask(proxy, WRITES + name, method, body, headers=headers))
    patch = {"Content-Type": "application/merge-patch+json"}
    return " ".join([call("POST", "", {"metadata": {"name": "w"}}), call("POST", "", {"metadata": {"name": "w"}}),
                     call("PUT", "/w", {"metadata": {"name": "w"}, "data": {"a": "b"}}),
                     call("PATCH", "/w", {"data": {"c": "d"}}, **patch), call("HEAD", "/w"), call("DELETE", "/w"), call("GET", "/w")])


def odd_requests(proxy):
    """A body in chunks, and one that waits for leave."""
    made = json.dumps({"metadata": {"name": "odd"}}).encode()
    chunks = b"5\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n" % (made[:5], len(made) - 5, made[5:])
    with Raw(proxy, WRITES, "POST", chunks, "Transfer-Encoding: chunked\r\n") as one:
        first = one.read().head.split()[1]
    with Raw(proxy, WRITES, "POST", made.replace(b"odd", b"even"), "Expect: 100-continue\r\n") as two:
        return f"{first.decode()} {' '.join(line.split()[1].decode() for line in two.read().data.splitlines() if line[:5] == b'HTTP/')}"


def watch_as_it_comes(proxy, plane):
    """Five events, each seen before the next one is made, in a watch that lasts."""
    target = WRITES + "?watch=1&timeoutSeconds=60&labelSelector=of%3Dwatch"
    with Raw(proxy, target) as made:
        made.read(until=lambda so_far: so_far.head)
        late = 0.0
        for number in range(5):
            plane.create(WRITES, {"metadata": {"name": f"event-{number}", "labels": {"of": "watch"}}})
            begun = time.monotonic()
            made.read(until=lambda so_far: len(so_far.lines()) > number)
            late = max(late, time.monotonic() - begun)
        lines = made.lines()
    exchange = proxy.exchanges(watch=True)[0]
    exchange.done.wait(5)
    return f"{len(lines)} events, {'soon' if late < 2 else f'after {late:.1f} s'}; {exchange.ended}"


def parallel(proxy, requests=400, threads=40):
    def one(number):
        return outcome(ask(proxy, MAPS if number % 4 else "/api/v1/namespaces/large/configmaps"))
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        codes = list(pool.map(one, range(requests)))
    wait_until(lambda: not proxy.live())
    known = proxy.exchanges(method="GET")
    return f"{codes.count('200')} answers; {len(known)} recorded, {len({one.number for one in known})} numbers"


def kept_alive(proxy):
    used = connection(proxy)
    codes = {outcome(ask(proxy, MAPS, over=used)) for _ in range(30)}
    used.close()
    return f"{codes} over {proxy.accepted}"


def recorded(proxy):
    ask(proxy, MAPS + "?limit=1", headers={"User-Agent": "tester/1", "Accept": "application/json"})
    one = proxy.exchanges()[0]
    one.done.wait(5)
    fine = one.token == fingerprint(ADMIN) and ADMIN not in repr(one) and one.seconds > 0 and one.wire_bytes > one.body_bytes > 100
    return f"{one.method} {one.path} {one.query} {one.status} {one.user_agent} {one.accept} {one.watch} {one.ended} {fine}"


def rules_in_order(proxy):
    """nth, times, several rules, removal."""
    with proxy.rule(actions.fail(503), path=MAPS, nth=2), proxy.rule(actions.fail(500), prefix="/api/", times=1) as second:
        codes = [outcome(ask(proxy, MAPS)) for _ in range(4)]
    return f"{' '.join(code.split()[0] for code in codes)}, then {outcome(ask(proxy, MAPS))}; {second.matched} {second.applied}"


def rules_for_some(proxy):
    """By every part of a matcher; what is not meant is answered."""
    which = {"method": ("PUT", "GET"), "path": ".*/configmaps", "query": r"limit=\d", "watch": False, "token": ADMIN,
             "user_agent": "^tester/", "when": lambda exchange: "json" in exchange.accept}
    headers = {"User-Agent": "tester/1", "Accept": "application/json"}
    with proxy.rule(actions.fail(503), **which) as rule:
        codes = [outcome(ask(proxy, MAPS + query, headers={**headers, **other})).split()[0] for query, other in (
            ("?limit=1", {}), ("", {}), ("?limit=1&watch=1&timeoutSeconds=1", {}), ("/a?limit=1", {}),
            ("?limit=1", {"User-Agent": "other"}), ("?limit=1", {"Accept": "*/*"}), ("?limit=1", {"Authorization": "Bearer none"}))]
    return f"{' '.join(codes)}; {rule.applied} {rule.exchanges[0].query}"


def kubectl(plane, proxy, *arguments, given=None):
    config = proxy.kubeconfig("kubectl", ADMIN)
    done = plane.kubectl(*arguments, given=given, kubeconfig=config)
    return done.stdout.strip() or done.stderr.strip()


def kubectl_applies(plane, proxy):
    made = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "applied", "namespace": "writes"}})
    server = kubectl(plane, proxy, "apply", "--server-side", "-f", "-", given=made)
    return f"{kubectl(plane, proxy, 'apply', '-f', '-', given=made)}; {server}; {len(proxy.exchanges(method='PATCH')) > 0}"


def kubectl_watches(plane, proxy):
    """One object from its list, the other one from its watch."""
    maps, config = "/api/v1/namespaces/watched/configmaps", proxy.kubeconfig("watcher", ADMIN)
    plane.create(maps, {"metadata": {"name": "first"}})
    process = subprocess.Popen(
        [plane.programs["kubectl"], "--kubeconfig", config, "get", "configmaps", "-n", "watched", "--watch", "-o", "name"],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "HOME": str(plane.directory)})
    impatience = threading.Timer(20, process.kill)
    impatience.start()
    try:
        lines = [process.stdout.readline().strip()]
        wait_until(lambda: proxy.live(watch=True))
        plane.create(maps, {"metadata": {"name": "second"}})
        lines.append(process.stdout.readline().strip())
    finally:
        impatience.cancel()
        process.kill()
        process.communicate()
    wait_until(lambda: not proxy.live())
    return f"{lines}; {proxy.exchanges(watch=True)[0].ended}"


def transparent_rows(plane):
    def through(function, *given):
        with ApiProxy(plane) as proxy:
            return function(*given, proxy) if given else function(proxy)
    large = "/api/v1/namespaces/large/configmaps/large"
    exact = f"resourceVersion={plane.get(MAPS)['metadata']['resourceVersion']}&resourceVersionMatch=Exact"
    return [
        ("the same answer: /version", True, lambda: same_answer(plane, "/version")),
        ("the same answer: a list", True, lambda: same_answer(plane, f"{MAPS}?limit=2&{exact}")),
        ("the same answer: 500 KB in chunks", True, lambda: same_answer(plane, large)),
        ("the same answer: in gzip", True, lambda: same_answer(plane, large, **{"Accept-Encoding": "gzip"})),
        ("the same answer: 404", True, lambda: same_answer(plane, MAPS + "/none")),
        ("the same answer: 401", True, lambda: same_answer(plane, MAPS, Authorization="Bearer wrong")),
        ("the same answer: a watch", True, lambda: same_answer(plane, MAPS + "?watch=1&timeoutSeconds=1")),
        ("create, create, put, patch, head, delete, get", "201 409 AlreadyExists 200 200 405 200 404 NotFound", lambda: through(writes)),
        ("a body in chunks, Expect: 100-continue", "201 100 201", lambda: through(odd_requests)),
        ("events as they come", "5 events, soon; client left", lambda: through(lambda proxy: watch_as_it_comes(proxy, plane))),
        ("400 requests of 40 threads", "400 answers; 400 recorded, 400 numbers", lambda: through(parallel)),
        ("30 requests over one connection", "{'200'} over 1", lambda: through(kept_alive)),
        ("what is recorded", f"GET {MAPS} limit=1 200 tester/1 application/json False complete True", lambda: through(recorded)),
        ("rules: nth, times, order, removal", "500 503 200 200, then 200; 3 1", lambda: through(rules_in_order)),
        ("rules: only what is meant", "503 200 200 200 200 200 401; 1 limit=1", lambda: through(rules_for_some)),
        ("kubectl get", "configmap/a configmap/b configmap/c", lambda: through(
            lambda proxy: " ".join(kubectl(plane, proxy, "get", "configmaps", "-n", "few", "-o", "name").split()))),
        ("kubectl apply", "configmap/applied configured; configmap/applied serverside-applied; True",
         lambda: through(kubectl_applies, plane)),
        ("kubectl get --watch", "['configmap/first', 'configmap/second']; client left", lambda: through(kubectl_watches, plane)),
    ]


# ---------------------------------------------------------------- connections

def with_certificate(plane, make):
    with ApiProxy(plane) as proxy:
        with proxy.certificate(make(plane)):
            bad = outcome(ask(proxy, MAPS))
        return f"{bad}; then {outcome(ask(proxy, MAPS))}; {len(proxy.refused_handshakes)} {len(proxy.exchanges())}"


def certificate_rows(plane):
    made = {"a stranger": (certificates.stranger, "unable to get local issuer certificate"),
            "its own": (certificates.self_signed, "self-signed certificate"),
            "the past": (certificates.expired, "certificate has expired"),
            "the future": (certificates.not_yet_valid, "certificate is not yet valid"),
            "another name": (certificates.wrong_name, "IP address mismatch, certificate is not valid for '127.0.0.1'.")}
    return [(f"a certificate of {whose}", f"{bad}; then 200; 1 1", lambda make=make: with_certificate(plane, make))
            for whose, (make, bad) in made.items()]


def connection_rows(plane):
    def meets(what):
        with ApiProxy(plane) as proxy, proxy.at_connect(what, times=1):
            return f"{outcome(ask(proxy, MAPS, timeout=1))}; then {outcome(ask(proxy, MAPS))}"

    def refused():
        with ApiProxy(plane) as proxy, Raw(proxy, MAPS + "?watch=1") as living:
            living.read(until=lambda so_far: so_far.head)
            codes = []
            for _ in range(5):
                with proxy.unreachable(drop="rst"):
                    codes.append(outcome(ask(proxy, MAPS)))
                codes.append(outcome(ask(proxy, MAPS)))
            return f"{sorted(set(codes))}; {living.read().ending}; {proxy.exchanges()[0].ended}"

    def refused_but_kept():
        with ApiProxy(plane) as proxy:
            used = connection(proxy)
            codes = [outcome(ask(proxy, MAPS, over=used))]
            with proxy.unreachable(drop=None):
                codes += [outcome(ask(proxy, MAPS)), outcome(ask(proxy, MAPS, over=used))]
            used.close()
            return " ".join(codes)

    def unanswering():
        with ApiProxy(plane) as proxy:
            with proxy.unanswering():
                bad = outcome(ask(proxy, MAPS, timeout=0.5))
            return f"{bad}; then {outcome(ask(proxy, MAPS))}"

    return [
        ("a silent handshake", "TimeoutError; then 200", lambda: meets("silent")),
        ("a reset in the handshake", "ConnectionResetError; then 200", lambda: meets("reset")),
        ("garbage in the handshake", "SSLEOFError; then 200", lambda: meets("garbage")),
        ("refused and back, five times", "['200', 'ConnectionRefusedError']; rst; ended by the proxy", refused),
        ("refused, but the living live on", "200 ConnectionRefusedError 200", refused_but_kept),
        ("attempts to connect without an answer", "TimeoutError; then 200", unanswering),
    ]


def server_rows(plane):
    """The real server hangs, and ends; nothing else can be looked at meanwhile."""
    def hung():
        with ApiProxy(plane) as proxy:
            plane.api.send_signal(signal.SIGSTOP)
            try:
                bad = outcome(ask(proxy, MAPS, timeout=0.5))
                wait_until(lambda: proxy.exchanges()[0].ended == "client left")
            finally:
                plane.api.send_signal(signal.SIGCONT)
            return f"{bad}; then {outcome(ask(proxy, MAPS))}"

    def killed():
        with ApiProxy(plane) as proxy, Raw(proxy, MAPS + "?watch=1") as living:
            living.read(until=lambda so_far: len(so_far.lines()) == 3)
            plane.stop_api(kill=True)
            bad = outcome(ask(proxy, MAPS))
            ends = [one.ended.split(":")[0] for one in proxy.exchanges()]
            plane.start_api()
            return f"{living.read().ending}, {bad}; {ends}; then {outcome(ask(proxy, MAPS))}"

    return [("the real server hangs", "TimeoutError; then 200", hung),
            ("the real server is killed, and comes back", "fin, RemoteDisconnected; ['server lost', 'server lost']; then 200", killed)]


def left_behind(before):
    """Threads and open files that were not there before; this is a thread of its own."""
    def now():
        return threading.active_count() - 1, len(os.listdir("/proc/self/fd"))
    until = time.monotonic() + 5
    while now() != before and time.monotonic() < until:
        time.sleep(0.05)
    return f"{now()[0] - before[0]} threads, {now()[1] - before[1]} files"


def check(plane):
    prepare(plane)
    with ApiProxy(plane) as proxy:  # what Python opens once is open from here on
        ask(proxy, "/version")
        context(proxy)
    before = threading.active_count(), len(os.listdir("/proc/self/fd"))
    made = transparent_rows(plane) + certificate_rows(plane) + connection_rows(plane) + proxy_action_rows.rows(plane)
    numbered = [(number, what, str(expected), see) for number, (what, expected, see) in enumerate(made, 1)]
    failed = check_rows("API proxy", numbered, workers=16)
    alone = [("A", "nothing is left behind", "0 threads, 0 files", lambda: left_behind(before))]
    alone += [(f"S{number}", *row) for number, row in enumerate(server_rows(plane), 1)]
    return check_rows("API proxy, one after the other", alone, workers=1) or failed


def main():
    begun = time.monotonic()
    try:
        with ControlPlane() as plane:
            failed = check(plane)
    except programs.Unavailable as missing:
        programs.end_without(missing)
    print(f"{time.monotonic() - begun:.0f} s", file=sys.stderr)
    return failed


if __name__ == "__main__":
    sys.exit(main())
