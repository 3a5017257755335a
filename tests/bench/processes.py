"""What one server process costs: system calls per request, memory, time to listening."""
import asyncio
import re
import resource
import signal
import ssl
import statistics
import subprocess
import time

import load
import servers

FEW, MANY = 200, 2200
IDLE_CONNECTIONS = 1000
STARTS = 9


class Tracer:
    """Counts the system calls of a server while its block runs."""

    def __init__(self, server, folder):
        self.report = folder / "strace.txt"
        self.process = subprocess.Popen(
            ["strace", "-c", "-f", "-o", self.report, "-p", str(server.process.pid)], stderr=subprocess.PIPE, text=True)
        self.calls = {}

    def __enter__(self):
        line = self.process.stderr.readline()
        if "attached" not in line:
            self.process.kill()
            raise SystemExit(f"bench: strace cannot attach: {line}")
        time.sleep(0.3)  # it prints that line before all threads are attached
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        self.process.communicate()
        for row in self.report.read_text().splitlines():
            cells = row.split()
            if len(cells) >= 5 and re.fullmatch(r"[\d.]+", cells[0]) and cells[-1] != "total":
                self.calls[cells[-1]] = int(cells[3])


def _seldom_left_out(calls):
    return {name: count for name, count in sorted(calls.items(), key=lambda item: -item[1]) if count > 0.005}


def calls_with_hey(server, body, folder):
    """System call -> how often per request on one connection, by the slope between two counts."""
    counted = []
    for requests in (FEW, MANY):
        with Tracer(server, folder) as tracer:
            subprocess.run(["hey", "-n", str(requests), "-c", "1", "-m", "POST", "-T", "application/json", "-D", body,
                            f"https://127.0.0.1:{server.port}/validate?timeout=10s"], check=True, capture_output=True)
        counted.append(tracer.calls)
    few, many = counted
    return _seldom_left_out({name: (many[name] - few.get(name, 0)) / (MANY - FEW) for name in many})


def calls_with_wrk(server, body, folder):
    """The same with a client that sends a request in one piece; one connection, the handshake included."""
    script = load.write_wrk_script(folder, body)
    with Tracer(server, folder) as tracer:
        requests, _ = load.run_wrk(server.port, script, 2, connections=1)
    return _seldom_left_out({name: count / requests for name, count in tracer.calls.items()})


async def _open_and_ask(port, context, request):
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise SystemExit(f"bench: an idle connection got {head[:80]!r}")
    length = int(re.search(rb"content-length: *(\d+)", head, re.IGNORECASE).group(1))
    await reader.readexactly(length)
    return writer


async def _rss_with_connections(server, folder, body, count):
    context = ssl.create_default_context(cafile=str(folder / "tls.crt"))
    context.check_hostname = False
    request = (b"POST /validate?timeout=10s HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
               b"Content-Length: %d\r\n\r\n" % len(body)) + body
    writers = []
    try:
        while len(writers) < count:
            batch = min(20, count - len(writers))
            writers += await asyncio.gather(*(_open_and_ask(server.port, context, request) for _ in range(batch)))
        return server.rss_bytes()
    finally:
        for writer in writers:
            writer.transport.abort()


def rss_with_idle_connections(server, folder, body, count=IDLE_CONNECTIONS):
    """Resident bytes with `count` TLS connections that have each served one request and wait."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, count + 200), hard), hard))
    return asyncio.run(_rss_with_connections(server, folder, body, count))


def seconds_to_listening(build, folder):
    """Median over some starts, from fork to the first accepted connection."""
    times = []
    for _ in range(STARTS):
        with servers.plimsoll(build, folder, core=None, threads=0) as server:
            times.append(server.seconds_to_listening)
    return statistics.median(times)
