"""Measures plimsoll and writes the figures into docs/benchmarks.md: run.py [BUILD] [--keep-page].

BUILD is build/release by default. With --keep-page the tables are only printed. Loopback only, under ten
minutes on two cores. The order is that of the page: instructions, server CPU, policies, process.
"""
import datetime
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile
import time

import cluster_idle
import fixtures
import image_facts
import instructions
import load
import processes
import report
import servers

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOLS = ("valgrind", "hey", "wrk", "strace", "openssl", "taskset", "skopeo")
USUAL = "deployment-12k"


def machine_line():
    model = "unknown processor"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True,
                            check=False).stdout.strip() or "unknown"
    return (f"{datetime.date.today()}, after commit {commit}; {os.cpu_count()} x {model}, Linux "
            f"{platform.release().split('-')[0]}, virtual machine. Made by `make bench`.")


def step(text):
    print(f"==> {text}", flush=True)


def in_process(build, folder, sizes):
    program = build / "review_bench"
    paths = {name: str(folder / f"{name}.json") for name in sizes}
    step("instructions and allocations per review (callgrind)")
    measured = instructions.per_phase(program, paths)
    counted = instructions.allocations(program, paths)
    step("the cost of one more policy (callgrind)")
    costs = instructions.per_policy(program, folder, paths[USUAL])
    whole = measured[USUAL]["answer"]
    return report.instructions_part(sizes, measured, counted), report.policies_part(costs, whole)


def with_servers(build, folder, sizes):
    body = folder / f"{USUAL}.json"
    step("server CPU per request: plimsoll, null, nginx in turns")
    with servers.plimsoll(build, folder) as full, servers.null_server(build, folder) as null, \
            servers.nginx(folder) as peer:
        found = load.compare((full, null, peer), folder, body)
    return report.servers_part(found, sizes[USUAL])


def process(build, folder):
    body = folder / f"{USUAL}.json"
    step("system calls, memory, time to listening")
    with servers.plimsoll(build, folder) as server:
        calls = {"hey": processes.calls_with_hey(server, body, folder),
                 "wrk": processes.calls_with_wrk(server, body, folder)}
    with servers.plimsoll(build, folder, core=None, threads=0) as server:
        time.sleep(0.5)  # what it does right after the start is not idleness
        idle = server.rss_bytes()
        loaded = processes.rss_with_idle_connections(server, folder, body.read_bytes())
    return report.process_part(calls, processes.seconds_to_listening(build, folder), idle, loaded)


def images(build, folder):
    step("rules about images: CPU, requests, memory, layers")
    return report.images_part(image_facts.measure(build, folder, folder / f"{USUAL}.json"))


def in_a_cluster(build):
    step("a cluster of 1,000 policies and 20,000 namespaces, followed")
    return cluster_idle.part(cluster_idle.measure(build), report.table, report.mebibytes)


def main():
    arguments = [word for word in sys.argv[1:] if word != "--keep-page"]
    build = pathlib.Path(arguments[0] if arguments else "build/release").resolve()
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing or not (shutil.which("nginx") or os.path.exists("/usr/sbin/nginx")):
        raise SystemExit(f"bench: {', '.join(missing) or 'nginx'} not found; scripts/install-packages.sh bench")
    for program in ("plimsoll", "review_bench", "null_server"):
        if not (build / program).exists():
            raise SystemExit(f"bench: {build / program} is not built; make bench builds it")
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="plimsoll-bench-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        sizes = fixtures.write_all(folder)
        servers.make_certificate(folder)
        costs, policies = in_process(build, folder, sizes)
        parts = [costs, with_servers(build, folder, sizes), policies, process(build, folder), images(build, folder),
                 in_a_cluster(build)]
    print("\n" + "\n\n".join(parts) + "\n")
    if "--keep-page" not in sys.argv:
        report.write_into(ROOT / "docs" / "benchmarks.md", machine_line(), parts)
        step("wrote the figures into docs/benchmarks.md")
    print(f"bench: done in {time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
