"""The test cluster itself: a node comes up, runs containers behind a Service, and leaves nothing behind."""
import sys
import tempfile
import time
import urllib.request

import sandbox
import small_images
from harness import check_rows
from node import Node, is_running

APP = "10.250.0.1:5000/team/app:1.0.0"


def deployment(name, image, replicas=2, pull="Never"):
    probe = {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1}
    container = {"name": "app", "image": image, "imagePullPolicy": pull, "env": [{"name": "PORT", "value": "8080"}],
                 "ports": [{"containerPort": 8080}], "readinessProbe": probe}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
            "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}},
                     "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container], "terminationGracePeriodSeconds": 1}}}}


def rows(node, began):
    def rolled_out():
        node.create("/apis/apps/v1/namespaces/default/deployments", deployment("app", APP))
        node.wait_until(lambda: sum(map(is_running, node.pods("default", "app=app"))) == 2, 60, "two pods run")
        return "2 of 2 ready"

    def served():
        service = node.create("/api/v1/namespaces/default/services", {
            "metadata": {"name": "app"}, "spec": {"selector": {"app": "app"}, "ports": [{"port": 80, "targetPort": 8080}]}})
        url = f"http://{service['spec']['clusterIP']}/"
        return node.wait_until(lambda: fetched(url), 20, "the Service answers")

    def execed():
        pod = node.pods("default", "app=app", running=True)[0]["metadata"]["name"]
        return str(node.kubectl("exec", pod, "--", "/app", "true").returncode)

    def killed():
        node.kill_containers("default", "app=app", at_most=1)
        node.wait_until(lambda: any(status["restartCount"] for pod in node.pods("default", "app=app") for status in pod["status"]["containerStatuses"]),
                        30, "a restart is counted")
        node.wait_until(lambda: sum(map(is_running, node.pods("default", "app=app"))) == 2, 60, "it runs again")
        return "started again"

    def replaced():
        before = {pod["metadata"]["name"] for pod in node.pods("default", "app=app")}
        node.kubectl("delete", "pod", "-l", "app=app", "--wait=false")
        node.wait_until(lambda: {pod["metadata"]["name"] for pod in node.pods("default", "app=app", running=True)} - before
                        and sum(map(is_running, node.pods("default", "app=app"))) == 2, 60, "new ones run")
        return "2 new ones"

    print(f"from nothing to a ready node: {time.monotonic() - began:.1f} s")
    return [(1, "a Deployment of two pods with probes", "2 of 2 ready", rolled_out), (2, "its Service", "ok", served),
            (3, "kubectl exec", "0", execed), (4, "a container that is killed", "started again", killed),
            (5, "pods that are deleted", "2 new ones", replaced)]


def fetched(url):
    try:
        return urllib.request.urlopen(url, timeout=2).read().decode().strip()
    except OSError:
        return ""


def main():
    sandbox.enter()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as directory:
        pause = small_images.archive(directory, "localhost/pause:1")
        app = small_images.archive(directory, APP)
        with Node(pause) as node:
            node.load(app)
            return check_rows("the test cluster", rows(node, began), workers=1)


if __name__ == "__main__":
    sys.exit(main())
