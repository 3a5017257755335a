"""Group 6: the API server and etcd away, slow, or out of plimsoll's reach: it goes on judging with what it knows."""
import base64
import contextlib
import ssl
import subprocess
import time

from counting import CLOSED, Traffic, leave, make_namespaces
from node import is_running
from stage import CONFIGURATION, OWN, bad_container, deployment, values

POLICY = {"apiVersion": "plimsoll.dev/v1alpha1", "kind": "HygienePolicy", "metadata": {"name": "ours"}}
FROM_FILES, FROM_OBJECT, CHANGED = "refused: liveness-probe", "refused: image-tag", "refused: resources"
ALL_REFUSED = "all refused by plimsoll, counted alike"
NOTICED = 180  # seconds, at most: a watch may be silent for 90 before it is taken for cut off
PARTS = ("serve", "controller")


def settings():
    return values(rules={"liveness-probe": "enforce"}, failClosed={"namespaces": [CLOSED]})


class Outage:
    def __init__(self, stage):
        self.stage, self.node, self.bad = stage, stage.node, deployment("bad", bad_container())
        self.changed_seen, self.judged = "not tried", 0

    def put_policy(self, rule):
        code, said = self.stage.apply({**POLICY, "spec": {"rules": {rule: {"action": "enforce"}}}})
        assert code == 0, said

    def ready_texts(self, component="serve"):
        """(status, text) of /readyz of every running pod, as the kubelet asks for it."""
        seen = []
        for pod in self.stage.running(component):
            done = subprocess.run(["curl", "-s", "-m", "5", "-w", "\n%{http_code}", f"http://{pod['status']['podIP']}:8080/readyz"],
                                  capture_output=True, text=True)
            text, _, status = done.stdout.rpartition("\n")
            seen.append((status, text))
        return seen

    def all_say(self, part, seconds=120):
        """Waits until both replicas are ready and say so; returns "200, 200"."""
        def said():
            seen = self.ready_texts()
            return len(seen) == 2 and all(part in text for _, text in seen) and ", ".join(status for status, _ in seen)
        return self.node.wait_until(said, seconds, f"both replicas say {part!r}; they say {self.ready_texts()}")

    def judge(self):
        self.judged += 1
        return self.stage.verdict(self.bad, CLOSED, "--dry-run=server")

    def installed(self):
        make_namespaces(self.stage)
        self.stage.install(settings())
        files = self.stage.comes_to(FROM_FILES, self.bad)
        self.put_policy("image-tag")
        self.all_say("policies: from the cluster")
        return f"{files}; then {self.stage.comes_to(FROM_OBJECT, self.bad)}"

    # Out of reach.

    def cut_off(self):
        """Also sees, for the next row, what becomes of a policy that is changed meanwhile."""
        restarts, self.judged = self.restarts(), 0
        with Traffic(self.stage) as traffic:
            with self.node.pods_cut_off_from_api():
                statuses = self.all_say("cluster: ", NOTICED)
                leading = self.leading()
                self.put_policy("resources")
                time.sleep(5)
                meanwhile = self.judge()
                statuses += f" and {self.all_say('cluster: ')}"
            began = time.monotonic()
            self.node.wait_until(lambda: self.judge() == CHANGED, 120, "the change is in force")
            others = self.judged
            self.node.wait_until(lambda: not any("cluster: " in text for _, text in self.ready_texts()), 120, "no trouble is told")
            print(f"   a policy changed meanwhile was in force {time.monotonic() - began:.1f} s after the way was free", flush=True)
        traffic.figures("pods cut off from the API server")
        self.changed_seen = f"{meanwhile}; then {self.judge()}"
        return f"/readyz {statuses}; {leading} lead; {self.restarts() - restarts} restarts; {traffic.verdict(others)}"

    def changed(self):
        return self.changed_seen

    def started_meanwhile(self):
        """New pods never had an answer of the API server: the kubelet mounts their files, the node is not cut off."""
        with self.node.pods_cut_off_from_api():
            before = {pod["metadata"]["uid"] for pod in self.node.pods(OWN)}
            self.node.kubectl("delete", "pods", "--all", "-n", OWN, "--force", "--grace-period=0")
            self.node.wait_until(lambda: all(len(self.stage.running(part)) == 2 for part in PARTS)
                                 and not before & {pod["metadata"]["uid"] for pod in self.node.pods(OWN)}, 150, "new pods are ready")
            statuses = self.all_say("policies: from files")
            listed = all("not everything has been listed yet" in text for _, text in self.ready_texts())
            seen = self.stage.comes_to(FROM_FILES, self.bad)
        began = time.monotonic()
        self.all_say("policies: from the cluster")
        print(f"   replicas that started without an API server had its policies {time.monotonic() - began:.1f} s after the way was free",
              flush=True)
        return f"/readyz {statuses}{', it says why' if listed else ''}; {seen}; then {self.stage.comes_to(CHANGED, self.bad)}"

    # Restarted.

    def restarted(self, kill):
        """What fails is the API server's own: nothing comes through unjudged, and plimsoll can be called all the time."""
        with Traffic(self.stage) as traffic:
            time.sleep(2)
            self.node.restart_api_server(kill)
            until = traffic.denied() + 200
            self.node.wait_until(lambda: traffic.denied() >= until, 60, "calls are answered again")
        kinds = {policy: traffic.missed(policy)[2] for policy in traffic.loads}
        for policy, load in traffic.loads.items():
            count, seconds, seen = traffic.missed(policy)
            print(f"   API server {'killed' if kill else 'restarted'}, {policy}: of {load.total():,} calls {count} without a verdict, "
                  f"over {seconds:.1f} s: {', '.join(seen)}", flush=True)
        wrong = [kind for seen in kinds.values() for kind in seen if kind == "admitted" or "webhook" in kind]
        return f"unjudged, or plimsoll not called: {wrong or 'none'}; {self.stage.comes_to(CHANGED, self.bad)}"

    # etcd.

    def slow(self):
        with Traffic(self.stage) as traffic, self.node.slow_etcd(400):
            time.sleep(30)
        traffic.figures("etcd slow")
        return traffic.verdict()

    def paused(self):
        """Refusals need no etcd: the API server knows the configuration, plimsoll the policies."""
        with Traffic(self.stage) as traffic, self.node.paused("etcd"):
            time.sleep(12)
        traffic.figures("etcd paused")
        wrong = [kind for policy in traffic.loads for kind in traffic.missed(policy)[2] if kind == "admitted" or "webhook" in kind]
        return f"unjudged, or plimsoll not called: {wrong or 'none'}; {self.stage.comes_to(CHANGED, self.bad, seconds=60)}"

    # What is left.

    def restarts(self):
        return sum(status["restartCount"] for pod in self.node.pods(OWN) for status in pod["status"].get("containerStatuses", []))

    def leading(self):
        """How many controllers say that they lead."""
        return sum("\nplimsoll_controller_leads 1\n" in self.stage.fetch(pod, "/metrics") for pod in self.node.pods(OWN) if is_running(pod))

    def one_leads(self):
        self.node.wait_until(lambda: self.leading() == 1, 60, "one controller leads")
        holder = self.node.get(f"/apis/coordination.k8s.io/v1/namespaces/{OWN}/leases/plimsoll-controller")["spec"]["holderIdentity"]
        names = [pod["metadata"]["name"] for pod in self.stage.running("controller")]
        known = any(holder.startswith(name) for name in names)
        return f"{self.leading()} of {len(names)} leads; holder: {'one of them' if known else holder}"

    def consistent(self):
        """Every entry trusts what the Secret has, and each replica serves a certificate under it."""
        secret = self.node.get(f"/api/v1/namespaces/{OWN}/secrets/plimsoll-tls")["data"]
        bundles = {entry["clientConfig"]["caBundle"] for entry in self.node.get(CONFIGURATION)["webhooks"]}
        authority = self.stage.directory / "bundle.pem"
        authority.write_bytes(base64.b64decode(secret["ca.crt"]))
        served = [ssl.get_server_certificate((pod["status"]["podIP"], 10250), timeout=5) for pod in self.stage.running()]
        signed = [self.node.run(["openssl", "verify", "-CAfile", authority], given=one).returncode for one in served]
        return f"caBundle: {'as in the Secret' if bundles == {secret['ca.crt']} else bundles}; {signed.count(0)} replicas serve under it"

    def troubled(self):
        seen = self.ready_texts() + self.ready_texts("controller")
        return [text for status, text in seen if status != "200" or "cluster: " in text or "house: " in text or "status: " in text]

    def all_well(self):
        """As soon as the last request that waited has been made again."""
        with contextlib.suppress(AssertionError):
            self.node.wait_until(lambda: not self.troubled(), 90, "no trouble is told")
        seen = len(self.ready_texts() + self.ready_texts("controller"))
        return f"{seen} ready, {self.troubled() or 'none in trouble'}; {self.restarts()} restarts"

    def changes_again(self):
        self.put_policy("image-tag")
        return self.stage.comes_to(FROM_OBJECT, self.bad)

    def rows(self):
        nothing_wrong = f"unjudged, or plimsoll not called: none; {CHANGED}"
        return [
            ("6.1", "installed: policies from files, then from a HygienePolicy", f"{FROM_FILES}; then {FROM_OBJECT}", self.installed),
            ("6.2", "plimsoll cut off from the API server, under load",
             f"/readyz 200, 200 and 200, 200; 0 lead; 0 restarts; {ALL_REFUSED}", self.cut_off),
            ("6.3", "a policy that was changed meanwhile", f"{FROM_OBJECT}; then {CHANGED}", self.changed),
            ("6.4", "pods that start while they are cut off", f"/readyz 200, 200, it says why; {FROM_FILES}; then {CHANGED}",
             self.started_meanwhile),
            ("6.5", "API server restarted, under load", nothing_wrong, lambda: self.restarted(kill=False)),
            ("6.6", "API server killed and started, under load", nothing_wrong, lambda: self.restarted(kill=True)),
            ("6.7", "etcd slow, under load", ALL_REFUSED, self.slow),
            ("6.8", "etcd answers nothing for 12 s, under load", nothing_wrong, self.paused),
            ("6.9", "a controller leads", "1 of 2 leads; holder: one of them", self.one_leads),
            ("6.10", "certificates", "caBundle: as in the Secret; 2 replicas serve under it", self.consistent),
            ("6.11", "a policy is changed, after all of it", FROM_OBJECT, self.changes_again),
            ("6.12", "/readyz, after all of it", "4 ready, none in trouble; 0 restarts", self.all_well),
            ("6.13", "helm uninstall", "0 webhook configurations", lambda: leave(self.stage)),
        ]


def rows(stage):
    return Outage(stage).rows()
