#!/usr/bin/env python3
"""The webhook with rules about images: what it asks registries, what it answers, and always in time."""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import harness

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "registry"))
import certificates  # noqa: E402
import images  # noqa: E402
import misbehaving  # noqa: E402
from scenarios import SCENARIOS  # noqa: E402

PROGRAM = harness.PROGRAM
POLICY = """apiVersion: plimsoll.dev/v1alpha1
kind: HygienePolicy
metadata: {{name: images}}
spec:
  rules:
    {rules}
  {more}
"""
SIZE = "image-size: {action: enforce, maximum: 1Mi}"
EXISTS = "image-exists: {action: enforce}"


def policy(*rules, more="onUnknown: {definite: deny, access: deny, outage: warn, scan: warn}"):
    return POLICY.format(rules="\n    ".join(rules), more=more)


def pod(*references, name="web"):
    containers = [{"name": f"c{number}", "image": reference} for number, reference in enumerate(references)]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "shop"}, "spec": {"containers": containers}}


def review(thing, **more):
    made = harness.review(thing, kind=thing["kind"], name=thing["metadata"]["name"], namespace="shop")
    made["request"]["resource"]["resource"] = "pods"
    made["request"]["kind"]["group"] = made["request"]["resource"]["group"] = ""
    made["request"].update(more)
    return made


class World:
    """A registry that misbehaves on command, images in it, and files that point at it."""

    def __init__(self):
        self.directory = tempfile.TemporaryDirectory()
        self.root = Path(self.directory.name)
        self.authority = certificates.Authority(self.root / "authority")
        self.layout = images.build_all(self.root / "images", fat_mib=6)
        self.registry = misbehaving.MisbehavingRegistry(self.layout, self.authority)
        for name in ("light", "fat", "multi", "shared_a", "shared_b"):
            self.add(f"app/{name.replace('_', '-')}", name)
        self.number = 0

    def add(self, repository, image, rule=None):
        descriptor = self.layout.names[image]
        self.registry.add_manifest(repository, self.layout.bytes(descriptor["digest"]), descriptor["mediaType"])
        if rule:
            self.registry.rules[repository] = rule
        return f"{self.registry.host}/{repository}:1"

    def registries(self, entries=None, credentials=None, **spec):
        self.number += 1
        path = self.root / f"registries-{self.number}.yaml"
        if entries is None:
            entries = [{"host": self.registry.host, "private": True, "ca": str(self.authority.ca)}]
        path.write_text(json.dumps({"apiVersion": "plimsoll.dev/v1alpha1", "kind": "RegistryConfig",
                                    "spec": {"registries": entries, **spec}}))
        return path

    def server(self, *rules, registries=None, flags=(), **more):
        return harness.Server("--registries", registries or self.registries(), *flags, policy=policy(*rules, **more))

    def requests(self):
        return len(self.registry.seen)

    def close(self):
        self.registry.__exit__(None, None, None)
        self.directory.cleanup()


ROWS = []


def row(function):
    ROWS.append(function)
    return function


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


@row
def a_fat_image_is_refused_with_the_layer_to_blame(world):
    with world.server(SIZE) as server:
        response = server.ask(review(pod(f"{world.registry.host}/app/fat:1")))
    text = response["status"]["message"]
    expect(not response["allowed"], "allowed")
    for part in ("deny image-size: container \"c0\" image", "MiB compressed (linux/amd64), limit 1 MiB", "largest layer",
                 "RUN apt-get update && apt-get install -y build-essential", "a pull costs up to $", "fix: multi-stage build"):
        expect(part in text, f"{part!r} is not in {text!r}")


@row
def a_light_image_is_admitted(world):
    with world.server(SIZE, EXISTS) as server:
        response = server.ask(review(pod(f"{world.registry.host}/app/light:1")))
    expect(response["allowed"] and "warnings" not in response, response)


@row
def what_a_reference_denies_already_is_not_looked_up(world):
    with world.server("image-tag: {action: enforce}", SIZE) as server:
        before = world.requests()
        response = server.ask(review(pod(f"{world.registry.host}/app/fat")))
        expect(not response["allowed"], "allowed")
        expect("not looked up, since this is refused already: image-size" in response["status"]["message"], response)
        expect(world.requests() == before, "the registry was asked")


@row
def an_update_with_the_same_images_asks_nobody(world):
    with world.server(SIZE) as server:
        thing = pod(f"{world.registry.host}/app/fat:1")
        before = world.requests()
        changed = json.loads(json.dumps(thing))
        changed["metadata"]["labels"] = {"a": "b"}
        response = server.ask(review(changed, operation="UPDATE", oldObject=thing))
        expect(response["allowed"], response)
        expect(world.requests() == before, "the registry was asked")
        other = pod(f"{world.registry.host}/app/fat:1", f"{world.registry.host}/app/light:1")
        response = server.ask(review(other, operation="UPDATE", oldObject=thing))
        expect(response["allowed"], response)
        asked = {request.path.split("/")[3] for request in world.registry.seen[before:]}
        expect(asked == {"light"}, asked)


@row
def what_an_update_takes_away_is_new_although_the_image_is_old(world):
    reference = f"{world.registry.host}/app/fat:1"
    probed = pod(reference)
    probed["spec"]["containers"][0]["livenessProbe"] = {"tcpSocket": {"port": 80}}
    probed["spec"]["containers"][0]["securityContext"] = {"runAsUser": 1000}
    bare = pod(reference)
    for rule in ("health-check: {action: enforce}", "health-check: {action: enforce, accept: [probe, image]}", "image-user: {action: enforce}"):
        with world.server(rule) as server:
            taken = server.ask(review(bare, operation="UPDATE", oldObject=probed))
            expect(not taken["allowed"], f"{rule}: allowed: {taken}")
            kept = server.ask(review(bare, operation="UPDATE", oldObject=bare))
            expect(kept["allowed"], f"{rule}: refused for what was there before: {kept}")


@row
def a_pod_of_a_controller_asks_nobody(world):
    with world.server(SIZE) as server:
        before = world.requests()
        response = server.ask(review(pod(f"{world.registry.host}/app/fat:1"),
                                     userInfo={"username": "system:serviceaccount:kube-system:replicaset-controller"}))
        expect(response["allowed"], response)
        expect(world.requests() == before, "the registry was asked")


@row
def a_thousand_reviews_of_ten_images_ask_for_each_once(world):
    references = [world.add(f"ten/app-{number}", "light") for number in range(10)]
    with world.server(EXISTS, SIZE) as server:
        before = world.requests()
        bodies = [json.dumps(review(pod(*references))).encode()] * 1000
        failed = []

        def work(part):
            for body in part:
                status, _, answer = server.post(body)
                if status != 200 or not json.loads(answer)["response"]["allowed"]:
                    failed.append(answer)
        threads = [threading.Thread(target=work, args=(bodies[start::4],)) for start in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        expect(not failed, failed[:1])
        asked = world.requests() - before
        expect(asked == 11, f"{asked} requests; ten manifests and the one configuration that all ten share are 11")
        expect(server.metric("plimsoll_registry_requests_total") == 11, "the metric says otherwise")


@row
def sixty_pods_at_once_share_one_look_up(world):
    reference = world.add("slow/one", "multi", rule=lambda exchange: exchange.wait(0.5) and False)
    with world.server(EXISTS, SIZE) as server:
        body = json.dumps(review(pod(reference))).encode()
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(server.post(body)[0])) for _ in range(60)]
        before = world.requests()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        expect(answers == [200] * 60, answers)
        expect(world.requests() - before == 3, f"{world.requests() - before} requests; index, manifest and configuration are 3")


@row
def a_registry_that_stops_leaves_what_was_known(world):
    reference = world.add("stops/one", "light")
    fat = world.add("stops/fat", "fat")
    with world.server(SIZE) as server:
        expect(server.ask(review(pod(reference)))["allowed"], "before")
        world.registry.rules["stops/one"] = world.registry.rules["stops/fat"] = lambda exchange: exchange.reset() or True
        expect(server.ask(review(pod(reference)))["allowed"], "after")
        response = server.ask(review(pod(fat)))
        expect(response["allowed"] and "warnings" in response, response)
        expect("image-size" in response["warnings"][0] and "registry" in response["warnings"][0], response)
        expect(server.metric("plimsoll_unknown_images_total") > 0, "no metric tells")
        lines = [line for line in server.log_lines() if line["event"] == "registry asked"]
        expect(any(line["reason"] == "registry-error" for line in lines) and all("?" not in line["url"] for line in lines), lines[-1:])


@row
def a_bad_registries_file_never_replaces_a_good_one(world):
    path = world.registries()
    with world.server(SIZE, registries=path) as server:
        path.write_text("{")
        harness.wait_until(lambda: "registries: the files as they are now were refused" in server.get("/readyz")[1])
        expect(server.get("/readyz")[0] == 200, "not ready")
        expect(server.ask(review(pod(f"{world.registry.host}/app/light:1")))["allowed"], "the old one is not in force")


@row
def a_bad_registries_file_at_the_start_ends_it(world):
    path = world.registries()
    path.write_text('{"apiVersion": "plimsoll.dev/v1alpha1", "kind": "RegistryConfig", "spec": {"registriez": []}}')
    done = subprocess.run([PROGRAM, "serve", "--self-signed", "--listen", "127.0.0.1:0", "--registries", path], capture_output=True, text=True, timeout=30)
    expect(done.returncode == 78, done.returncode)
    expect("did you mean \"registries\"" in done.stderr, done.stderr)


@row
def reports_are_read_while_it_runs(world):
    reports = world.root / "reports"
    reports.mkdir()
    reference = f"{world.registry.host}/app/light:1"
    rules = "image-scan: {action: enforce, critical: 0, graceFor: 0s}"
    with world.server(rules, flags=("--scan-reports", reports)) as server:
        response = server.ask(review(pod(reference)))
        expect(response["allowed"] and "there is no scan report of it" in response["warnings"][0], response)
        digest = world.layout.names["light"]["digest"]
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        (reports / "light.json").write_text(json.dumps({
            "apiVersion": "plimsoll.dev/v1alpha1", "kind": "ImageVerdicts",
            "items": [{"digest": digest, "status": "scanned", "scannedAt": now, "scanner": {"name": "t", "version": "1"},
                       "vulnerabilities": [{"id": "CVE-2026-1", "package": "openssl", "installed": "1", "fixed": "2", "severity": "critical"}]}]}))
        harness.wait_until(lambda: not server.ask(review(pod(reference)))["allowed"])
        text = server.ask(review(pod(reference)))["status"]["message"]
        expect("1 critical vulnerability (1 fixable)" in text and "CVE-2026-1 openssl 1 -> 2" in text, text)


def always_in_time(world):
    """Every way to misbehave, through the webhook: an answer before the API server's deadline, and the reason in it."""
    chosen = {name: value for name, value in SCENARIOS.items() if value[1]}
    problems, seen = [], 0
    targets = {}
    for name, (setup, expected, _) in chosen.items():
        targets[name] = (setup(world.registry), expected)
    hosts, credentials = {}, {}
    for target, _ in targets.values():
        if getattr(target, "spec", None):
            continue
        for entry in target.hosts:
            hosts.setdefault(entry["host"], entry)
    entries = [entry for entry in hosts.values()]
    with world.server(EXISTS, SIZE, "image-user: {action: warn}", registries=world.registries(entries),
                      more="onUnknown: {definite: warn, access: warn, outage: warn, scan: warn}") as server:
        slowest = 0.0
        lock = threading.Lock()

        def ask(part):
            nonlocal seen, slowest
            for name in part:
                target, expected = targets[name]
                if getattr(target, "spec", None) or target.credentials:
                    continue
                if not target.hosts and target.reference.partition("/")[0] in hosts:
                    continue  # a port that was free again, and is configured for another one
                began = time.monotonic()
                try:
                    status, _, body = server.post(json.dumps(review(pod(target.reference))).encode(), query="?timeout=10s")
                except OSError as error:
                    status, body = f"none ({error})", b""
                took = time.monotonic() - began
                with lock:
                    seen += 1
                    slowest = max(slowest, took)
                    if status != 200 or took > 9:
                        problems.append(f"{name}: HTTP {status} after {took:.1f} s")
                        continue
                    response = json.loads(body)["response"]
                    if response["allowed"] and "warnings" not in response:
                        problems.append(f"{name}: {response}")
        names = sorted(targets)
        threads = [threading.Thread(target=ask, args=(names[start::8],)) for start in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if not server.alive():
            text = server.log_path.read_text()
            print("the server is gone: " + "\n".join(line for line in text.splitlines() if not line.startswith("{"))[:4000], flush=True)
            return [*problems, "the server is gone"]
        peak = server.peak_memory()
        if peak > 256 and os.environ.get("PLIMSOLL_SANITIZED") != "1":
            problems.append(f"{peak:.0f} MiB, 256 are the most")
    print(f"always in time: {seen} ways to misbehave, the slowest answer after {slowest:.1f} s of 10, {peak:.0f} MiB at most")
    return problems


def main():
    wanted = sys.argv[1:]
    world = World()
    failed = 0
    for function in ROWS:
        name = function.__name__.replace("_", " ")
        if wanted and not any(word in name for word in wanted):
            continue
        try:
            function(world)
            print(f"ok {name}", flush=True)
        except Exception as error:  # the other rows still count
            failed += 1
            print(f"FAILED {name}: {type(error).__name__}: {error}", flush=True)
    if not wanted or "always" in wanted:
        for problem in always_in_time(world):
            failed += 1
            print("FAILED always in time: " + problem)
    world.close()
    print(f"image rows: {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
