"""Makes AdmissionReviews out of the demo's manifests, and shows the answers.

  reviews.py make DIRECTORY    writes DIRECTORY/NAME.json for each case; DIRECTORY/registry.json names the registry
  reviews.py show NAME FILE    prints the answer in FILE; exit 1 if it is not the one expected
"""

import json
import sys
import uuid
from pathlib import Path

CONTROLLER = "system:serviceaccount:kube-system:replicaset-controller"
META = {"name": "web", "namespace": "shop"}


def container(fit):
    if not fit:
        return {"name": "web", "image": "nginx:latest", "env": [{"name": "DB_PASSWORD", "value": "not-telling"}]}
    probe = {"httpGet": {"path": "/healthz", "port": 8080}}
    return {
        "name": "web",
        "image": "nginx:1.27.3",
        "livenessProbe": dict(probe, failureThreshold=6),
        "readinessProbe": probe,
        "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}},
    }


def deployment(fit, image=None, **metadata):
    running = dict(container(fit), image=image) if image else container(fit)
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [running]}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": dict(META, **metadata), "spec": {"template": template}}


def pod(fit):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": dict(META, generateName="web-"), "spec": {"containers": [container(fit)]}}


# name: (what it is, operation, object, old object, user, what must come of it)
CASES = {
    "unfit": ("somebody creates a Deployment of nginx:latest, no probes, a password in plain text", "CREATE", deployment(False), None, "alice", "denied"),
    "fit": ("the same with a version, probes, limits and a secretKeyRef", "CREATE", deployment(True), None, "alice", "allowed"),
    "label": ("a label on an unfit Deployment that was admitted before", "UPDATE", deployment(False, labels={"team": "shop"}), deployment(False), "alice", "warned"),
    "fat": ("a Deployment of a fat image, in a registry of this machine", "CREATE", deployment(True, image="HOST/shop/web:1.4.2"), None, "alice", "denied"),
    "light": ("the same of a light one", "CREATE", deployment(True, image="HOST/shop/web:1.5.0"), None, "alice", "allowed"),
    "pod": ("the ReplicaSet controller replaces a lost pod of it", "CREATE", pod(False), None, CONTROLLER, "warned"),
}


def review(name):
    _, operation, new, old, user, _ = CASES[name]
    core = new["kind"] == "Pod"
    group, plural = ("", "pods") if core else ("apps", "deployments")
    return {
        "kind": "AdmissionReview",
        "apiVersion": "admission.k8s.io/v1",
        "request": {
            "uid": str(uuid.uuid4()),
            "kind": {"group": group, "version": "v1", "kind": new["kind"]},
            "resource": {"group": group, "version": "v1", "resource": plural},
            "name": "web",
            "namespace": "shop",
            "operation": operation,
            "userInfo": {"username": user, "groups": ["system:authenticated"]},
            "object": new,
            "oldObject": old,
            "dryRun": False,
            "options": None,
        },
    }


def outcome(response):
    if not response["allowed"]:
        return "denied"
    return "warned" if response.get("warnings") else "allowed"


def show(name, answer):
    response = answer["response"]
    print(f"\n-- {CASES[name][0]}\n   => {outcome(response)}")
    for line in response.get("status", {}).get("message", "").splitlines():
        print(f"   {line}")
    for warning in response.get("warnings", []):
        print(f"   Warning: {warning}")
    return outcome(response) == CASES[name][5]


def main():
    if sys.argv[1] == "make":
        host = json.loads(Path(sys.argv[2], "registry.json").read_text())["host"]
        for name in CASES:
            Path(sys.argv[2], f"{name}.json").write_text(json.dumps(review(name)).replace("HOST/", host + "/"))
        return 0
    return 0 if show(sys.argv[2], json.loads(Path(sys.argv[3]).read_text())) else 1


if __name__ == "__main__":
    sys.exit(main())
