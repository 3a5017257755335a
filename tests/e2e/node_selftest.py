"""The test cluster itself: a node comes up, runs containers behind a Service, breaks when told to, and leaves nothing behind.

    PYTHONPATH=tests/support/control_plane:tests/support/node:tests/integration:tests/registry python3 tests/e2e/node_selftest.py
"""
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

import sandbox
import small_images
from harness import check_rows
from node import NAME, Node, is_running

APP = "localhost/team/app:1.0.0"
PULLED = "10.250.0.1:5001/team/big:1.0.0"
PULLED_BY_TOKEN = "10.250.0.1:5002/team/other:1.0.0"
ALL_KINDS = "cgroup directory mount network process"  # of what a sandbox with a running pod is seen by from outside
REPLICA_SETS = "system:serviceaccount:kube-system:replicaset-controller"


def pod_spec(image, pull="Never", **more):
    probe = {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1}
    container = {"name": "app", "image": image, "imagePullPolicy": pull, "env": [{"name": "PORT", "value": "8080"}],
                 "ports": [{"containerPort": 8080}], "readinessProbe": probe, "livenessProbe": probe}
    return {"containers": [container], "terminationGracePeriodSeconds": 1, **more}


def deployment(name, replicas=2):
    return {"metadata": {"name": name}, "spec": {
        "replicas": replicas, "selector": {"matchLabels": {"app": name}},
        "template": {"metadata": {"labels": {"app": name}}, "spec": pod_spec(APP)}}}


def fetched(url):
    try:
        return urllib.request.urlopen(url, timeout=2).read().decode().strip()
    except OSError:
        return ""


class Workloads:
    """Pods as users have them."""

    def __init__(self, node):
        self.node, self.address = node, None

    def running(self):
        return [pod["metadata"]["name"] for pod in self.node.pods("default", "app=app", running=True)]

    def wait_for_two(self):
        self.node.wait_until(lambda: len(self.running()) == len(self.node.pods("default", "app=app")) == 2, 60, "two pods run")

    def ready(self):
        return "Ready" if self.node.is_ready() else self.node.get(f"/api/v1/nodes/{NAME}")["status"]

    def rolled_out(self):
        self.node.create("/apis/apps/v1/namespaces/default/deployments", deployment("app"))
        self.wait_for_two()
        return "2 of 2 ready"

    def served(self):
        service = self.node.create("/api/v1/namespaces/default/services", {
            "metadata": {"name": "app"}, "spec": {"selector": {"app": "app"}, "ports": [{"port": 80, "targetPort": 8080}]}})
        self.address = service["spec"]["clusterIP"]
        return self.node.wait_until(lambda: fetched(f"http://{self.address}/"), 20, "the Service answers")

    def executed(self, *command):
        done = self.node.kubectl("exec", self.running()[0], "--", "/app", *command)
        return done.stdout.strip() or f"exit {done.returncode}"

    def logged(self):
        return self.node.pod_logs("default", self.running()[0]).strip()

    def debugged(self):
        pod = self.running()[0]
        done = self.node.kubectl("debug", pod, f"--image={APP}", "--image-pull-policy=Never", "--container=debugger", "--target=app")
        if done.returncode != 0:
            return done.stderr

        def state():
            statuses = self.node.get(f"/api/v1/namespaces/default/pods/{pod}")["status"].get("ephemeralContainerStatuses", [])
            return [status["name"] for status in statuses if "running" in status["state"]]
        return ", ".join(self.node.wait_until(state, 30, "the ephemeral container runs")) + " runs"

    def killed(self):
        self.node.kill_containers("default", "app=app", at_most=1)
        self.node.wait_until(lambda: any(status["restartCount"] for pod in self.node.pods("default", "app=app")
                                         for status in pod["status"]["containerStatuses"]), 30, "a restart is counted")
        self.wait_for_two()
        return "started again"

    def replaced(self):
        before = set(self.running())
        self.node.kubectl("delete", "pod", "-l", "app=app", "--wait=false")
        self.node.wait_until(lambda: len(set(self.running()) - before) == 2, 60, "new ones run")
        return "2 new ones"

    def memory(self):
        seen = self.node.pod_memory("default", "app=app")
        return "of 2 pods" if len(seen) == 2 and all(0 < one < 64 << 20 for pair in seen.values() for one in pair) else seen

    def controllers(self):
        users = {event["user"]["username"] for event in self.node.audit_events() if event["objectRef"].get("resource") == "pods"
                 and event["verb"] == "create"}
        return "the replica set controller" if REPLICA_SETS in users else users


class Pulls:
    """Images that containerd pulls over TLS."""

    def __init__(self, node, directory):
        self.node, self.directory, self.digests = node, directory, {}

    def status(self, name):
        statuses = self.node.get(f"/api/v1/namespaces/default/pods/{name}")["status"].get("containerStatuses", [])
        return statuses[0] if statuses else {"state": {}, "imageID": "", "ready": False}

    def refused(self, mode, image, archive):
        """The registry starts, has an image, and gives it to nobody without credentials."""
        self.node.registry(mode)
        self.digests[image] = self.node.push_image(archive, image)
        name = f"{mode}-without"
        self.node.create("/api/v1/namespaces/default/pods", {"metadata": {"name": name}, "spec": pod_spec(image, "Always")})
        waits = self.node.wait_until(lambda: self.status(name)["state"].get("waiting", {}).get("reason", "").endswith(("ErrImagePull", "BackOff")),
                                     30, "the pull is refused")
        self.node.kubectl("delete", "pod", name, "--wait=false")
        return "refused" if waits else "?"

    def pulled(self, mode, image):
        name = f"{mode}-with"
        self.node.pull_secret("default", name, image.partition("/")[0])
        self.node.create("/api/v1/namespaces/default/pods", {
            "metadata": {"name": name}, "spec": pod_spec(image, "Always", imagePullSecrets=[{"name": name}])})
        self.node.wait_until(lambda: self.status(name)["ready"], 60, "the pod with the secret is ready")
        return "the digest that was pushed" if self.status(name)["imageID"].endswith(self.digests[image]) else self.status(name)["imageID"]


class Broken:
    """What goes wrong on purpose, and is over afterwards."""

    def __init__(self, node, workloads):
        self.node, self.workloads, self.count = node, workloads, 0

    def write(self, timeout=30):
        self.count += 1
        began = time.monotonic()
        self.node.create("/api/v1/namespaces/default/configmaps", {"metadata": {"name": f"written-{self.count}"}}, timeout=timeout)
        return time.monotonic() - began

    def slowed(self):
        before = statistics.median(self.write() for _ in range(5))
        with self.node.slow_etcd(300):
            during = statistics.median(self.write() for _ in range(5))
        after = statistics.median(self.write() for _ in range(5))
        return "slower, and fast again" if during > 0.1 > max(before, after) else f"{before:.3f} {during:.3f} {after:.3f}"

    def paused(self):
        with self.node.paused("etcd"):
            try:
                return f"written in {self.write(timeout=2):.3f} s"
            except OSError:
                pass
        return "hangs, and works again" if self.node.wait_until(lambda: self.write() < 1, 30, "writes work again") else ""

    def cut_off(self):
        def reached():
            return "HTTPS server" in self.workloads.executed("get", "10.96.0.1", "443")
        seen = [reached()]
        with self.node.pods_cut_off_from_api():
            seen.append(reached())
        return str([*seen, reached()])

    def restarted(self, kill=False):
        before = set(self.workloads.running())
        began = time.monotonic()
        self.node.restart_api_server(kill)
        print(f"API server {'killed' if kill else 'stopped'} and started: {time.monotonic() - began:.1f} s", flush=True)
        self.node.kubectl("scale", "deployment/app", "--replicas=3")
        self.node.wait_until(lambda: len(self.workloads.running()) == 3, 60, "a third pod runs")
        self.node.kubectl("scale", "deployment/app", "--replicas=2")
        self.node.wait_until(lambda: len(self.workloads.running()) == 2, 60, "two pods run")
        after, answer = set(self.workloads.running()), fetched(f"http://{self.workloads.address}/")
        return "a third pod came, the Service answers" if len(after) == 2 and answer == "ok" else f"{before} {after} {answer}"


def inside(directory, began):
    pause = small_images.archive(directory, "localhost/pause:1")
    app = small_images.oci_archive(directory, "app")
    big = small_images.oci_archive(directory, "big", [small_images.big_layer(24)])
    # Not `app` again: an image that was pulled with a secret, the kubelet gives to no pod without it, by whatever name.
    other = small_images.oci_archive(directory, "other", [small_images.big_layer(1, "other")])
    with Node(pause) as node:
        print(f"from nothing to a ready node: {time.monotonic() - began:.1f} s", flush=True)
        node.load_image(app, APP)
        workloads, pulls = Workloads(node), Pulls(node, directory)
        broken = Broken(node, workloads)
        return check_rows("the test cluster", [
            (1, "the node", "Ready", workloads.ready),
            (2, "a Deployment of two pods with HTTP probes", "2 of 2 ready", workloads.rolled_out),
            (3, "its Service, asked from the node", "ok", workloads.served),
            (4, "its Service, asked from a pod", "ok", lambda: workloads.executed("get", workloads.address, "80")),
            (5, "kubectl exec of a program in the image", "exit 0", lambda: workloads.executed("true")),
            (6, "kubectl logs", "listening on 8080", workloads.logged),
            (7, "the pods' memory", "of 2 pods", workloads.memory),
            (8, "who makes a Deployment's pods, by the audit log", "the replica set controller", workloads.controllers),
            (9, "kubectl debug", "debugger runs", workloads.debugged),
            (10, "a pull from a registry with basic authentication, without a secret", "refused", lambda: pulls.refused("basic", PULLED, big)),
            (11, "the same pull of 24 MiB with an imagePullSecret", "the digest that was pushed", lambda: pulls.pulled("basic", PULLED)),
            (12, "a pull from a registry with tokens, without a secret", "refused", lambda: pulls.refused("token", PULLED_BY_TOKEN, other)),
            (13, "the same pull with an imagePullSecret", "the digest that was pushed", lambda: pulls.pulled("token", PULLED_BY_TOKEN)),
            (14, "a container that is killed", "started again", workloads.killed),
            (15, "pods that are deleted", "2 new ones", workloads.replaced),
            (16, "writes with a slow etcd", "slower, and fast again", broken.slowed),
            (17, "a write with a paused etcd", "hangs, and works again", broken.paused),
            (18, "a pod asks the API server: before, cut off, after", "[True, False, True]", broken.cut_off),
            (19, "the API server restarted", "a third pod came, the Service answers", broken.restarted),
            (20, "the API server killed and started", "a third pod came, the Service answers", lambda: broken.restarted(kill=True))], workers=1)


# Outside.

class Held:
    """This program as another process, which holds a node with a running pod until it is told to end."""

    def __init__(self):
        self.process = subprocess.Popen([sys.executable, __file__, "hold"], stdout=subprocess.PIPE, text=True)
        self.name = f"{sandbox.PREFIX}{self.process.pid}"
        if self.process.stdout.readline().strip() != "holding":
            raise RuntimeError("there is no node to hold")
        self.before = " ".join(sorted({line.split()[0] for line in sandbox.leftovers(self.name)}))

    def end(self, number):
        self.process.send_signal(number)
        self.process.wait(60)
        self.process.stdout.close()

    def told(self, number):
        self.end(number)
        return f"{self.before}; exit {self.process.returncode}; left: {sandbox.leftovers(self.name)}"

    def killed(self):
        """The kernel ends what ran; the next run removes the rest."""
        self.end(signal.SIGKILL)
        Node.wait_until(lambda: not sandbox.processes_of(self.name), 20, "no process is left")
        next_name = f"{sandbox.PREFIX}{os.getpid()}"
        os.close(sandbox.make(next_name))
        sandbox.remove(next_name)
        return f"{self.before}; left: {sandbox.leftovers(self.name) + sandbox.leftovers(next_name)}"


def outside(name):
    return check_rows("the test cluster, after it", [
        (21, "what is left", "[]", lambda: sandbox.leftovers(name)),
        (22, "a run that is told to end by SIGINT", f"{ALL_KINDS}; exit 130; left: []", lambda: Held().told(signal.SIGINT)),
        (23, "a run that is told to end by SIGTERM", f"{ALL_KINDS}; exit 143; left: []", lambda: Held().told(signal.SIGTERM)),
        (24, "a run that is killed, and the next one", f"{ALL_KINDS}; left: []", lambda: Held().killed())], workers=1)


def hold(directory):
    pod = {"metadata": {"name": "held", "namespace": "default"}, "spec": pod_spec(APP)}
    with Node(small_images.archive(directory, "localhost/pause:1")) as node:
        node.load_image(small_images.oci_archive(directory, "app"), APP)
        node.wait_until(lambda: node.kubectl("create", "-f", "-", given=json.dumps({"apiVersion": "v1", "kind": "Pod", **pod})).returncode == 0,
                        20, "the namespace has its account")
        node.wait_until(lambda: node.pods("default", running=True), 30, "the pod runs")
        print("holding", flush=True)
        signal.pause()


def main():
    holding = sys.argv[1:] == ["hold"]
    try:
        sandbox.enter(None if holding else outside)
    except sandbox.Unavailable as missing:
        print(f"SKIPPED: no cluster of containers here: {missing}")
        return 77
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as directory:
        return hold(directory) if holding else inside(directory, began)


if __name__ == "__main__":
    sys.exit(main())
