#!/usr/bin/env python3
"""Reviews of invented namespaces, thousands of them: watches have their turns all the same, little is asked, and memory stays small."""
import concurrent.futures
import http.client
import itertools
import json
import sys
import time

from api_proxy import ApiProxy
from control_plane import ADMIN, control_plane_or_end
from controller_status import install_crds
from following import LATEST, change, follower, put_policy, seconds_until, verdict
from harness import check_rows, review

LONG = 1_000_000  # bytes
BURST, RATE = 20, 10  # docs/operations.md: what is asked of the API server for reviews, and each second
MOST_MEMORY = 128  # MiB
WITHIN = 60  # s: a change that waits for turns of a flood of thousands would take minutes
NUMBERS = itertools.count(1)
WARNED = "allow + warning"  # onUnknown.outage warns where a policy does not say otherwise


def posted(server, names, timeout):
    """One connection, one review for each name, one after the other; returns how many were allowed with a warning."""
    connection, warned = http.client.HTTPSConnection("127.0.0.1", server.port, context=server.context(), timeout=60), 0
    for name in names:
        body = json.dumps(review(LATEST, namespace=name)).encode()
        connection.request("POST", f"/validate?timeout={timeout}", body, {"Content-Type": "application/json"})
        response = json.loads(connection.getresponse().read())["response"]
        warned += response["allowed"] and bool(response.get("warnings"))
    connection.close()
    return warned


def flood(plane, proxy, server, count, timeout="1s", connections=8, padding=""):
    """So many reviews; then every watch is cut, and a policy changes."""
    names = [f"invented-{next(NUMBERS)}{padding}" for _ in range(count)]
    before, began = len(proxy.exchanges(prefix="/api/v1/namespaces/")), time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(connections) as pool:
        warned = sum(pool.map(lambda some: posted(server, some, timeout), [names[start::connections] for start in range(connections)]))
    taken = time.monotonic() - began
    asked = len(proxy.exchanges(prefix="/api/v1/namespaces/")) - before
    proxy.drop("fin", watch=True)
    until_in_force = change(plane, server, WITHIN)
    print(f"   {count} reviews in {taken:.1f} s, {asked} namespaces asked for, a change in force after {until_in_force:.2f} s, "
          f"{server.peak_memory():.0f} MiB", flush=True)
    answers = "each warned" if warned == count else f"{warned} of {count} warned"
    modest = "modest" if 0 < asked <= BURST + RATE * taken + 1 else f"{asked} asked for in {taken:.1f} s" if asked else "nothing asked for"
    return f"{answers}, {modest}, {'in force' if until_in_force < WITHIN else 'not in force'}"


def new_namespace(plane, server):
    """One that is made after all of it is judged by its labels."""
    plane.create("/api/v1/namespaces", {"metadata": {"name": "new-gold", "labels": {"tier": "gold"}}})
    seconds_until(lambda: verdict(server, name_space="new-gold") == "deny 403", WITHIN)
    return verdict(server, name_space="new-gold")


def memory(server):
    return f"under {MOST_MEMORY} MiB" if server.peak_memory() < MOST_MEMORY else f"{server.peak_memory():.0f} MiB"


def rows_of(plane, proxy, server):
    unasked, modest = (f"each warned, {asked}, in force" for asked in ("nothing asked for", "modest"))
    return [
        ("reviews without time for a question", unasked, lambda: flood(plane, proxy, server, 4_000)),
        ("the same with names of 1 MB", unasked, lambda: flood(plane, proxy, server, 200, padding="x" * LONG)),
        ("names that no namespace has, and time to wait", unasked, lambda: flood(plane, proxy, server, 400, "10s", padding=".x")),
        ("more that wait than may be asked for", modest, lambda: flood(plane, proxy, server, 480, "10s", connections=96)),
        ("an invented namespace afterwards", WARNED, lambda: verdict(server, name_space="invented-afterwards")),
        ("a new namespace afterwards", "deny 403", lambda: new_namespace(plane, server)),
        ("memory", f"under {MOST_MEMORY} MiB", lambda: memory(server))]


def main():
    began = time.monotonic()
    plane = control_plane_or_end()
    with plane:
        install_crds(plane)
        put_policy(plane, "gold", match={"namespaceSelector": {"matchLabels": {"tier": "gold"}}})
        with ApiProxy(plane) as proxy, follower(proxy.kubeconfig("flood", ADMIN), "--drain-timeout", "1s") as server:
            if change(plane, server) > WITHIN:
                raise AssertionError("it does not follow without any flood: " + server.log_path.read_text()[-1000:])
            rows = [(number, *row) for number, row in enumerate(rows_of(plane, proxy, server), 1)]
            code = check_rows("a flood of invented namespaces", rows, workers=1)
    print(f"{time.monotonic() - began:.1f} s")
    return code


if __name__ == "__main__":
    sys.exit(main())
