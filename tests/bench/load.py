"""Load on one server from core 1: hey (a Go client, as the API server is) and wrk (which saturates)."""
import os
import re
import statistics
import subprocess

CONNECTIONS = 25
ROUNDS = 5
SECONDS = 2


def run_hey(port, body, seconds):
    """Requests answered with 200."""
    result = subprocess.run(
        ["taskset", "-c", "1", "hey", "-z", f"{seconds}s", "-c", str(CONNECTIONS), "-m", "POST", "-T",
         "application/json", "-D", body, f"https://127.0.0.1:{port}/validate?timeout=10s"],
        env={**os.environ, "GOMAXPROCS": "1"}, capture_output=True, text=True, check=True)
    codes = dict(re.findall(r"\[(\d{3})\]\s+(\d+) responses", result.stdout))
    if set(codes) != {"200"}:
        raise SystemExit(f"bench: hey got {codes or 'nothing'}:\n{result.stdout[-1500:]}")
    return int(codes["200"])


def write_wrk_script(folder, body):
    script = folder / "post.lua"
    script.write_text(
        f'local file = io.open("{body}", "rb")\nwrk.method = "POST"\nwrk.body = file:read("*a")\nfile:close()\n'
        'wrk.headers["Content-Type"] = "application/json"\nwrk.headers["Accept"] = "application/json"\n')
    return script


def run_wrk(port, script, seconds, connections=CONNECTIONS):
    """(requests, median latency in milliseconds)."""
    result = subprocess.run(
        ["taskset", "-c", "1", "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", script, f"https://127.0.0.1:{port}/validate?timeout=10s"],
        capture_output=True, text=True, check=True)
    if "Non-2xx" in result.stdout or "Socket errors" in result.stdout:
        raise SystemExit(f"bench: wrk saw errors:\n{result.stdout}")
    requests = int(re.search(r"(\d+) requests in", result.stdout).group(1))
    latency, unit = re.search(r"50%\s+([\d.]+)(us|ms|s)", result.stdout).groups()
    return requests, float(latency) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def compare(servers, folder, body):
    """Client -> server -> {"cpu": [us per request of each round], "p50": [ms]}; servers alternate in a round."""
    script = write_wrk_script(folder, body)
    found = {client: {server.name: {"cpu": [], "p50": []} for server in servers} for client in ("hey", "wrk")}
    for number in range(ROUNDS):
        print(f"   round {number + 1} of {ROUNDS}", flush=True)
        for client, results in found.items():
            for server in servers:
                before = server.cpu_seconds()
                if client == "hey":
                    requests = run_hey(server.port, body, SECONDS)
                else:
                    requests, latency = run_wrk(server.port, script, SECONDS)
                    results[server.name]["p50"].append(latency)
                results[server.name]["cpu"].append((server.cpu_seconds() - before) / requests * 1e6)
    return found


def ratio(results, above, below):
    """Median of the ratios of each round: noise that lasts longer than a round falls out."""
    return statistics.median(a / b for a, b in zip(results[above]["cpu"], results[below]["cpu"]))
