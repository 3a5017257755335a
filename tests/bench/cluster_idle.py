"""What following a cluster costs: an idle server and an idle controller with many policies and namespaces, and how soon a change counts."""
import concurrent.futures
import http.client
import json
import os
import pathlib
import re
import ssl
import statistics
import sys
import tempfile
import time

import servers

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "support" / "control_plane"), str(TESTS / "integration"), str(TESTS / "cluster")]

POLICIES, NAMESPACES, CHANGES, IDLE_SECONDS = 1_000, 20_000, 20, 20
PATH = "/apis/plimsoll.dev/v1alpha1/hygienepolicies"


def create_many(plane, path, things):
    """Over a few connections that are kept."""
    from control_plane import ADMIN

    def some(part):
        connection = plane.connection()
        for thing in part:
            connection.request("POST", path, json.dumps(thing), {"Authorization": f"Bearer {ADMIN}", "Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != 201:
                raise SystemExit(f"bench: {path}: {answer.status} {text[:200]}")
        connection.close()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(some, things[start::8]) for start in range(8)]:
            done.result()


def policy(name, action="warn", **match):
    return {"apiVersion": "plimsoll.dev/v1alpha1", "kind": "HygienePolicy", "metadata": {"name": name}, "spec": {
        "match": match, "rules": {"image-tag": {"action": action}, "liveness-probe": {"action": "warn"}, "resources": {"action": "warn"}}}}


def resident(pid):
    return int(re.search(r"VmRSS:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1)) * 1024


def cpu_seconds(pid):
    return sum(int((task / "schedstat").read_text().split()[0]) for task in pathlib.Path(f"/proc/{pid}/task").iterdir()) / 1e9


def idle(pid):
    """Milliseconds of processor in each second of idleness."""
    before = cpu_seconds(pid)
    time.sleep(IDLE_SECONDS)
    return (cpu_seconds(pid) - before) / IDLE_SECONDS * 1000


def health(port, name):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/metrics")
    found = re.search(rf"(?m)^plimsoll_{name} (\S+)$", connection.getresponse().read().decode())
    connection.close()
    return float(found.group(1)) if found else None


def wait(holds, seconds=180):
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            raise SystemExit("bench: the cluster is not followed")
        time.sleep(0.1)


def seconds_until_in_force(plane, port):
    """Median, from the API server's answer to a change until a review is answered by it."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=30)
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "changing"}, "spec": {"containers": [
        {"name": "c", "image": "nginx:latest"}]}}
    body = json.dumps({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "0df28fbd-5f5f-11e8-bc74-36e6bb280816", "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "resource": {"group": "", "version": "v1", "resource": "pods"}, "name": "p", "namespace": "changing", "operation": "CREATE",
        "userInfo": {"username": "alice"}, "object": pod, "oldObject": None, "dryRun": True}})

    def allowed():
        connection.request("POST", "/validate?timeout=10s", body, {"Content-Type": "application/json"})
        return json.loads(connection.getresponse().read())["response"]["allowed"]
    times, state = [], allowed()
    for _ in range(CHANGES):
        plane.patch(f"{PATH}/changing", {"spec": {"rules": {"image-tag": {"action": "enforce" if state else "warn"}}}})
        began = time.monotonic()
        while allowed() == state:
            time.sleep(0.002)
        times.append(time.monotonic() - began)
        state = not state
        time.sleep(0.3)
    return statistics.median(times)


def measure(build):
    """None where there is no API server to measure with."""
    import programs
    from control_plane import ControlPlane
    os.environ["PLIMSOLL"] = str(build / "plimsoll")
    try:
        plane = ControlPlane()
    except programs.Unavailable as missing:
        print(f"bench: no real API server: {missing}")
        return None
    with plane, tempfile.TemporaryDirectory(prefix="plimsoll-bench-") as name:
        folder = pathlib.Path(name)
        servers.make_certificate(folder)
        plane.kubectl("apply", "-k", TESTS.parent / "manifests" / "crds")
        plane.await_kinds("hygienepolicies.plimsoll.dev", "hygieneexceptions.plimsoll.dev")
        plane.namespace("plimsoll-system")
        plane.create("/api/v1/namespaces/plimsoll-system/secrets", {"metadata": {"name": "plimsoll-tls"}, "type": "Opaque"})
        return with_cluster(build, folder, plane)


def with_cluster(build, folder, plane):
    found = {}
    ports = [servers.free_port() for _ in range(3)]
    serve = [build / "plimsoll", "serve", "--policies", "cluster", "--kubeconfig", plane.kubeconfig, "--cert", folder / "tls.crt", "--key",
             folder / "tls.key", "--listen", f"127.0.0.1:{ports[0]}", "--health-listen", f"127.0.0.1:{ports[1]}", "--shutdown-delay", "0s"]
    control = [build / "plimsoll", "controller", "--kubeconfig", plane.kubeconfig, "--namespace", "plimsoll-system", "--health-listen",
               f"127.0.0.1:{ports[2]}"]
    with servers.Server("serve", serve, ports[0], core=None) as server:
        wait(lambda: health(ports[1], "cluster_synced") == 1)
        time.sleep(1)
        found["memory_without"] = resident(server.process.pid)
    create_many(plane, "/api/v1/namespaces", [{"metadata": {"name": f"team-{number}", "labels": {"team": str(number), "tier": "gold"}}}
                                              for number in range(NAMESPACES)])
    create_many(plane, PATH, [policy(f"team-{number}", namespaces=[f"team-{number}"]) for number in range(POLICIES - 1)]
                + [policy("changing", namespaces=["changing"])])
    with servers.Server("serve", serve, ports[0], core=None) as server:
        wait(lambda: health(ports[1], "cluster_synced") == 1 and health(ports[1], "cluster_namespaces") >= NAMESPACES)
        time.sleep(2)
        found["memory_with"] = resident(server.process.pid)
        found["in_force"] = seconds_until_in_force(plane, ports[0])
        with servers.Server("controller", control, ports[2], core=None) as controller:
            began = time.monotonic()
            wait(lambda: health(ports[2], "status_writes_total") >= POLICIES)
            found["statuses"] = time.monotonic() - began
            time.sleep(3)
            found["controller_memory"] = resident(controller.process.pid)
            found["controller_cpu"] = idle(controller.process.pid)
        time.sleep(1)
        found["serve_cpu"] = idle(server.process.pid)
    return found


def part(found, table, mebibytes):
    """As Markdown; `table` and `mebibytes` are report.py's."""
    if found is None:
        return "### A cluster that is followed\n\nNot measured: there was no API server."
    rows = [
        ("server, resident memory with neither", mebibytes(found["memory_without"])),
        ("server, resident memory", mebibytes(found["memory_with"])),
        (f"server, idle for {IDLE_SECONDS} s: processor", f"{found['serve_cpu']:.2f} ms per second"),
        (f"from a change of a policy until it counts, median of {CHANGES}", f"{found['in_force'] * 1000:.0f} ms"),
        ("controller, until every status is written, 20 requests a second at most", f"{found['statuses']:.0f} s"),
        ("controller, resident memory", mebibytes(found["controller_memory"])),
        (f"controller, idle for {IDLE_SECONDS} s: processor", f"{found['controller_cpu']:.2f} ms per second"),
    ]
    return (f"### A cluster that is followed\n\nWith {POLICIES:,} policies and {NAMESPACES:,} namespaces on a real API server.\n\n"
            + table(("what", "measured"), rows))


if __name__ == "__main__":
    import report
    print(part(measure(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build/release").resolve()), report.table, report.mebibytes))
