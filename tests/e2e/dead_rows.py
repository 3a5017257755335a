"""Group 5: every replica and every controller dead, failurePolicy Fail: what goes on, what does not, and how plimsoll comes back."""
import time

from control_plane import Status
from counting import CLOSED, OPEN, api_server_counts, leave, make_namespaces
from node import NAME
from stage import CONFIGURATION, OWN, bad_container, deployment, template, values

REFUSED = "refused: image-tag, liveness-probe, readiness-probe, resources"
LEASE = f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{NAME}"
UNREACHABLE = "refused, plimsoll cannot be called"
PARTS = ("serve", "controller")
EVERYWHERE = {"tolerations": [{"operator": "Exists"}]}  # also on a node that takes no new pods


class Dead:
    def __init__(self, stage):
        self.stage, self.node = stage, stage.node
        self.bad, self.good = deployment("bad", bad_container()), deployment("fine")

    def installed(self):
        make_namespaces(self.stage)
        self.stage.install(values(failClosed={"namespaces": [CLOSED]}))
        seen = [self.stage.comes_to(REFUSED, self.bad, name) for name in (CLOSED, OPEN)]
        self.stage.apply(deployment("steady", replicas=2))
        return f"{'refused in both' if set(seen) == {REFUSED} else seen}; steady: {self.stage.rolled_out('steady')}"

    def die(self):
        """No pod of plimsoll runs, and none finds a node: the only one takes no new pods."""
        self.node.kubectl("cordon", NAME)
        self.node.kubectl("delete", "pods", "--all", "-n", OWN, "--force", "--grace-period=0")
        self.node.wait_until(lambda: self.told("shop", self.good) == UNREACHABLE, 60, "plimsoll cannot be called")

    def told(self, name_space, thing, *flags):
        seen = self.stage.verdict(thing, name_space, *(flags or ("--dry-run=server",)))
        return UNREACHABLE if 'failed calling webhook "fail-closed.workloads.plimsoll.dev"' in seen else seen

    def without_plimsoll(self):
        self.die()
        before = api_server_counts(self.node)
        seen = {name: {self.told(name, self.good), self.told(name, self.bad)} for name in (CLOSED, OPEN)}
        after = api_server_counts(self.node)
        counted = {key: after[key] - before[key] for key in ("not called", "failed open")}
        judged = "; ".join(f"{name}: {', '.join(sorted(found))}" for name, found in seen.items())
        return f"{judged}; counted {counted['not called']} and {counted['failed open']}"

    # What goes on.

    def kube_system(self):
        made = [self.stage.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "e2e"}}, "kube-system")[0]]
        daemons = {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "e2e"},
                   "spec": {"selector": {"matchLabels": {"app": "e2e"}}, "template": template("e2e")}}
        made.append(self.stage.apply(daemons, "kube-system")[0])
        made.append(self.stage.apply(deployment("e2e-deployment", **EVERYWHERE), "kube-system")[0])
        daemon = self.node.kubectl("rollout", "status", "daemonset/e2e", "-n", "kube-system", "--timeout=60s", timeout=90)
        seen = "DaemonSet rolled out" if daemon.returncode == 0 else daemon.stderr
        rolled = self.stage.rolled_out("e2e-deployment", "kube-system")
        self.node.kubectl("delete", "configmap/e2e", "daemonset/e2e", "deployment/e2e-deployment", "-n", "kube-system", "--wait=false")
        return f"made: {made.count(0)}; {seen}; Deployment {rolled}"

    def own(self):
        def waiting():
            return [pod for pod in self.node.pods(OWN) if pod["status"]["phase"] == "Pending" and "nodeName" not in pod["spec"]]
        self.node.wait_until(lambda: len(waiting()) == 4, 60, "four new pods wait for a node")
        return "4 new pods wait for a node"

    def nodes(self):
        def renewed():
            return self.node.get(LEASE)["spec"]["renewTime"]
        before = renewed()
        self.node.wait_until(lambda: renewed() != before, 60, "the Lease is renewed")
        labelled = self.node.kubectl("label", "node", NAME, "e2e=dead", "--overwrite").returncode
        condition = {"type": "Tested", "status": "True", "reason": "Tested", "message": "by hand"}
        self.node.patch(f"/api/v1/nodes/{NAME}/status", {"status": {"conditions": [condition]}}, "application/strategic-merge-patch+json")
        conditions = {one["type"]: one["status"] for one in self.node.get(f"/api/v1/nodes/{NAME}")["status"]["conditions"]}
        return f"Lease renewed; label: exit {labelled}; status: Ready {conditions['Ready']}, Tested {conditions['Tested']}"

    def not_judged(self):
        """What people do in the namespace with Fail, and plimsoll has no say in."""
        about = {"kind": "ConfigMap", "name": "e2e", "namespace": CLOSED}
        things = {"ConfigMap": {}, "Secret": {}, "Service": {"spec": {"ports": [{"port": 80}]}},
                  "Event": {"involvedObject": about, "reason": "Tested", "type": "Normal"}}
        codes = {kind: self.stage.apply({"apiVersion": "v1", "kind": kind, "metadata": {"name": "e2e"}, **more})[0]
                 for kind, more in things.items()}
        codes["Namespace"] = self.stage.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "e2e-new"}}, "default")[0]
        commands = {"annotate": ("annotate", "deployment/steady", "note=e2e", "--overwrite"),
                    "scale": ("scale", "deployment/steady", "--replicas=3"),
                    "delete": ("delete", "configmap/e2e", "secret/e2e", "service/e2e")}
        codes |= {what: self.node.kubectl(*command, "-n", "shop").returncode for what, command in commands.items()}
        self.node.kubectl("delete", "namespace", "e2e-new", "--wait=false")
        failed = [what for what, code in codes.items() if code]
        return f"{len(codes)} of {len(codes)}" if not failed else f"failed: {failed}"

    def steady(self):
        return self.node.pods("shop", "app=steady", running=True)

    def lost(self):
        """The API server refuses what would replace it, and the events say why."""
        self.node.kubectl("delete", "pod", self.steady()[0]["metadata"]["name"], "-n", "shop", "--wait=true")

        def said():
            events = self.node.get("/api/v1/namespaces/shop/events")["items"]
            return any(event["reason"] == "FailedCreate" and "failed calling webhook" in event["message"] for event in events)
        self.node.wait_until(said, 60, "an event says why no pod is made")
        return f"{len(self.node.pods('shop', 'app=steady'))} of 2 pods, an Event says why"

    # How it comes back.

    def judges(self, since, what):
        self.node.wait_until(lambda: self.told("shop", self.bad) == REFUSED, 120, "plimsoll judges again")
        print(f"   {what}: judges again after {time.monotonic() - since:.1f} s", flush=True)
        self.node.wait_until(lambda: all(len(self.stage.running(part)) == 2 for part in PARTS), 120, "all of it runs")
        return f"{self.told('shop', self.bad)}; {self.told('shop', self.good)}"

    def back(self):
        self.node.kubectl("uncordon", NAME)
        return self.judges(time.monotonic(), "the node takes pods again")

    def replaced(self):
        began = time.monotonic()
        self.node.wait_until(lambda: len(self.steady()) == 3, 240, "the Deployment has its pods")
        print(f"   the Deployment had its pods again {time.monotonic() - began:.1f} s after plimsoll was back", flush=True)
        return f"{len(self.steady())} pods"

    def restarts(self):
        return sum(status["restartCount"] for pod in self.node.pods(OWN) for status in pod["status"].get("containerStatuses", []))

    def kill_all(self, what):
        """Returns what is judged when all have been started again."""
        before, killed = self.restarts(), self.node.kill_containers(OWN)
        began = time.monotonic()
        self.node.wait_until(lambda: self.restarts() - before == killed, 120, "the kubelet started them again")
        return f"{killed} killed, {self.judges(began, what)}"

    def killed(self):
        return self.kill_all("SIGKILL to all")

    def killed_again(self):
        """The kubelet waits before it starts them a second time."""
        return self.kill_all("SIGKILL to all, again")

    def broken_glass(self):
        self.die()
        done = self.node.kubectl("delete", "validatingwebhookconfiguration", "plimsoll")
        began = time.monotonic()
        after = deployment("after", **EVERYWHERE)
        self.node.wait_until(lambda: self.told("shop", after, "--server-side") == "admitted", 30, "it is admitted")
        print(f"   break-glass: the first Deployment is admitted {time.monotonic() - began:.1f} s after", flush=True)
        return f"exit {done.returncode}; a Deployment {self.stage.rolled_out('after')}"

    def stays_off(self):
        """plimsoll comes back, says that it is off, and does not switch itself on."""
        self.node.kubectl("uncordon", NAME)
        self.node.wait_until(lambda: all(len(self.stage.running(part)) == 2 for part in PARTS), 120, "all of it runs")
        said = "does not exist: nothing is checked"
        self.node.wait_until(lambda: any(said in self.stage.fetch(pod, "/readyz") for pod in self.stage.running("controller")), 60, said)
        try:
            self.node.get(CONFIGURATION)
        except Status as status:
            return f"the controller says so; the configuration: {status.code}; {self.told('shop', self.bad)}"
        return "the configuration is there"

    def on_again(self):
        self.stage.upgrade(values(failClosed={"namespaces": [CLOSED]}))
        return self.judges(time.monotonic(), "helm upgrade after break-glass")

    def gone(self):
        self.node.kubectl("label", "node", NAME, "e2e-")
        return leave(self.stage)

    def rows(self):
        judged = f"{REFUSED}; admitted"
        return [
            ("5.1", "installed, a good Deployment in the namespace with Fail", "refused in both; steady: rolled out", self.installed),
            ("5.2", "no replica, no controller: a good and a bad Deployment with Fail, and with Ignore",
             f"shop: {UNREACHABLE}; market: admitted; counted 2 and 2", self.without_plimsoll),
            ("5.3", "kube-system meanwhile: ConfigMap, DaemonSet, Deployment", "made: 3; DaemonSet rolled out; Deployment rolled out",
             self.kube_system),
            ("5.4", "plimsoll's own namespace meanwhile", "4 new pods wait for a node", self.own),
            ("5.5", "the node meanwhile", "Lease renewed; label: exit 0; status: Ready True, Tested True", self.nodes),
            ("5.6", "in the namespace with Fail meanwhile: what plimsoll has no say in", "8 of 8", self.not_judged),
            ("5.7", "a pod of a good Deployment is lost meanwhile", "1 of 2 pods, an Event says why", self.lost),
            ("5.8", "plimsoll comes back when its pods find a node", judged, self.back),
            ("5.9", "the Deployment, which was scaled to 3 meanwhile, comes to its pods", "3 pods", self.replaced),
            ("5.10", "SIGKILL to all replicas and controllers at once", f"4 killed, {judged}", self.killed),
            ("5.11", "the same again", f"4 killed, {judged}", self.killed_again),
            ("5.12", "break-glass, with all of it dead", "exit 0; a Deployment rolled out", self.broken_glass),
            ("5.13", "plimsoll after break-glass", "the controller says so; the configuration: 404; admitted", self.stays_off),
            ("5.14", "switched on again by helm upgrade", judged, self.on_again),
            ("5.15", "helm uninstall", "0 webhook configurations", self.gone),
        ]


def rows(stage):
    return Dead(stage).rows()
