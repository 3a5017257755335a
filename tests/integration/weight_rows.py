#!/usr/bin/env python3
"""Reviews that cost nearly the whole budget, several at once: what the process has in memory at most."""

import json
import os
import sys
import threading

from harness import Server, check_rows, deployment, pod, read_answer, review, summary

MEMORY_LIMIT = 256  # MiB, of the pod
BUDGET = 128 << 20
CLIENTS = 6
ROUNDS = 3
# Each shape: a unit that repeats, and what surrounds it.
SHAPES = {
    "numbers": (b"1,", b'{"kind":"Pod","x":[%s1]}'),
    "empty texts": (b'"",', b'{"kind":"Pod","x":[%s""]}'),
    "members": (b'"":0,', b'{"kind":"Pod","x":{%s"":0}}'),
    "empty lists": (b"[],", b'{"kind":"Pod","x":[%s[]]}'),
    "empty objects": (b"{},", b'{"kind":"Pod","x":[%s{}]}'),
    "one text": (b"<", b'{"kind":"Pod","x":"%s"}'),
}


def cost(text):
    return len(text) + 16 * sum(text.count(c) for c in (b"{", b"}", b"[", b"]", b",", b":"))


def body_of(shape):
    """As many units as the budget, or the largest body, allows."""
    unit, around = SHAPES[shape]
    count = min((BUDGET - 65536) // cost(unit), ((32 << 20) - 4096) // len(unit))
    head, tail = json.dumps(review(pod())).encode().split(json.dumps(pod()).encode())
    return head + around % (unit * count) + tail


def at_once(server, shape):
    """The verdict once alone, then from several clients; those that found no room are shed."""
    body = body_of(shape)
    status, _, answer = server.post(body, query="?timeout=30s")
    alone = summary(json.loads(answer)["response"]) if status == 200 else f"HTTP {status}"
    statuses, lock = [], threading.Lock()

    def client():
        for _ in range(ROUNDS):
            try:
                seen = server.post(body, query="?timeout=30s")[0]
            except OSError as error:  # shed while the body was still being sent
                seen = "shed" if isinstance(error, (ConnectionResetError, BrokenPipeError)) else repr(error)
            with lock:
                statuses.append(seen)

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    others = [seen for seen in statuses if seen not in (200, 503, "shed")]
    print(f"{shape}: {len(body) >> 20} MiB each, {statuses.count(200)} of {len(statuses)} judged, "
          f"peak so far {server.peak_memory():.0f} MiB")
    return f"alone {alone}, {'others judged or shed' if not others else others}"


def kept_open(server):
    """Connections that stay open after a large review each, as the API server's do for 90 s."""
    body = body_of("one text")
    head = (f"POST /validate?timeout=30s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode()
    streams, statuses = [server.connect() for _ in range(25)], set()
    try:
        for stream in streams:
            stream.sendall(head + body)
            statuses.add(read_answer(stream)[0])
        print(f"{len(streams)} idle connections, peak so far {server.peak_memory():.0f} MiB")
        return f"{sorted(statuses)}"
    finally:
        for stream in streams:
            stream.close()


def main():
    if os.environ.get("PLIMSOLL_SANITIZED") == "1":
        print("not measured in this build, because a sanitizer multiplies memory: weight, several at once")
        return 0
    with Server() as server:
        rows = [("", f"{CLIENTS} at once: {shape}", "alone allow, others judged or shed",
                 lambda shape=shape: at_once(server, shape)) for shape in SHAPES]
        rows += [
            ("", "25 connections, 31 MiB on each, all kept open", "[200]", lambda: kept_open(server)),
            ("", "an ordinary review afterwards", "allow", lambda: summary(server.ask(review(deployment())))),
            ("", "the budget was given back", "0", lambda: int(server.metric("plimsoll_body_budget_used_bytes"))),
            ("", "peak memory is below the pod's limit", "True", lambda: server.peak_memory() < MEMORY_LIMIT),
        ]
        return check_rows("Weight, several at once", rows, workers=1)


if __name__ == "__main__":
    sys.exit(main())
