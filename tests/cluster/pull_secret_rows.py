#!/usr/bin/env python3
"""Image facts with a pod's own pull secrets, from a real API server and a real registry that asks for a password."""
import base64
import json
import sys
import time
from pathlib import Path

from control_plane import control_plane_or_end
from controller_status import install_crds
from following import follower, put_policy, seconds_until
from harness import check_rows, review

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "registry"))
import images  # noqa: E402
from registries import READER, Registry, docker_config  # noqa: E402

WRONG = ("reader", "not the password")
# What an image is found to be: too large for the limit, or not known for want of access, which warns.
SIZE, UNKNOWN = "deny image-size", "allow: unauthorized"
POLICY = {"image-size": {"action": "enforce", "maximum": "1Mi"}}


class World:
    def __init__(self, plane, registry):
        self.plane, self.registry = plane, registry
        self.image = registry.reference("fat")
        self.digest = None

    def secret(self, name_space, name, text, kind="kubernetes.io/dockerconfigjson", key=".dockerconfigjson"):
        body = {"metadata": {"name": name}, "type": kind, "data": {key: base64.b64encode(text.encode()).decode()}}
        path = f"/api/v1/namespaces/{name_space}/secrets"
        try:
            self.plane.create(path, body)
        except Exception:  # it is there: a Secret of another content
            self.plane.request("PUT", f"{path}/{name}", body)

    def account(self, name_space, name, *secrets):
        self.plane.create(f"/api/v1/namespaces/{name_space}/serviceaccounts",
                          {"metadata": {"name": name}, "imagePullSecrets": [{"name": secret} for secret in secrets]})


def judged(server, image, name_space, secrets=(), account=None):
    """"deny image-size", or what is said of the image instead."""
    spec = {"containers": [{"name": "c", "image": image}], "imagePullSecrets": [{"name": name} for name in secrets]}
    if account:
        spec["serviceAccountName"] = account
    asked = review({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": name_space}, "spec": spec})
    asked["request"]["namespace"] = name_space
    response = server.ask(asked)
    if not response["allowed"]:
        return " ".join(response["status"]["message"].split()[:2]).rstrip(":").replace("plimsoll ", "")
    words = " ".join(response.get("warnings", []))
    if "is not known well enough" in words and ("asks for credentials" in words or "unauthorized" in words):
        return UNKNOWN
    return f"allow: {words[:200]}"


def rows_of(world, server):
    host, good = world.registry.host, docker_config({world.registry.host: READER})
    world.secret("a", "good", good)
    world.secret("a", "wrong", docker_config({host: WRONG}))
    world.secret("a", "elsewhere", docker_config({"registry.example.com": READER}))
    world.secret("a", "old", json.dumps({host: {"username": READER[0], "password": READER[1]}}), "kubernetes.io/dockercfg", ".dockercfg")
    world.secret("a", "broken", '{"auths": 5}')
    world.secret("a", "opaque", good, "Opaque")
    world.secret("unlisted", "good", good)
    world.secret("b", "wrong", docker_config({host: WRONG}))
    world.account("a", "pulls", "good")
    world.account("a", "default", "good")
    world.account("a", "none")
    image = world.image

    def ask(name_space, *secrets, account="none", of=image):
        return judged(server, of, name_space, secrets, account)

    def replaced():
        """A Secret that becomes right counts within a minute or so."""
        world.secret("a", "mended", docker_config({host: WRONG}))
        before = ask("a", "mended")
        world.secret("a", "mended", good)
        taken = seconds_until(lambda: ask("a", "mended") == SIZE, 120)
        return f"{before}; then {SIZE if taken < 120 else 'never'}"

    def shared_digest():
        """Namespace `a` may read the image; `b` merely knows its digest."""
        digest = f"{image.rsplit(':', 1)[0]}@{world.digest}"
        return f"{ask('a', 'good', of=digest)}; {ask('b', 'wrong', of=digest)}; {ask('b', of=digest)}"

    return [
        ("no secret, an account without any", UNKNOWN, lambda: ask("a")),
        ("the pod's secret", SIZE, lambda: ask("a", "good")),
        ("the pod's secret of the old kind", SIZE, lambda: ask("a", "old")),
        ("a wrong password", UNKNOWN, lambda: ask("a", "wrong")),
        ("a wrong one and a right one", SIZE, lambda: ask("a", "wrong", "good")),
        ("one for another registry", UNKNOWN, lambda: ask("a", "elsewhere")),
        ("the account's secret", SIZE, lambda: ask("a", account="pulls")),
        ("the default account's", SIZE, lambda: judged(server, image, "a")),
        ("the pod's own wrong one: the account's does not count then", UNKNOWN, lambda: ask("a", "wrong", account="pulls")),
        ("a secret that is not there, and a right one", SIZE, lambda: ask("a", "absent", "good")),
        ("a broken one, and a right one", SIZE, lambda: ask("a", "broken", "good")),
        ("one of another type", UNKNOWN, lambda: ask("a", "opaque")),
        ("a name with a path in it", UNKNOWN, lambda: ask("a", "../../unlisted/secrets/good")),
        ("a name of another namespace", UNKNOWN, lambda: ask("a", "unlisted/good")),
        ("a namespace that is not listed", UNKNOWN, lambda: ask("unlisted", "good")),
        ("another namespace, after `a` has read the image", UNKNOWN, lambda: ask("b")),
        ("a digest that `a` may read: in `a`, in `b` with a wrong password, in `b`", f"{SIZE}; {UNKNOWN}; {UNKNOWN}", shared_digest),
        ("a secret that is mended", f"{UNKNOWN}; then {SIZE}", replaced),
        ("no password in the log", "none", lambda: "some" if READER[1] in server.log_path.read_text() else "none")]


def without_rights(plane, world, server_flags):
    """An account that may read policies, but no secrets."""
    plane.create("/apis/rbac.authorization.k8s.io/v1/clusterroles", {
        "metadata": {"name": "reads"}, "rules": [{"apiGroups": ["plimsoll.dev"], "resources": ["*"], "verbs": ["list", "watch"]},
                                                 {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get", "list", "watch"]}]})
    plane.create("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", {
        "metadata": {"name": "reads"}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "reads"},
        "subjects": [{"kind": "User", "name": "weak", "apiGroup": "rbac.authorization.k8s.io"}]})
    with follower(plane.write_kubeconfig("weak", "weak-token"), *server_flags) as server:
        seconds_until(lambda: "from the cluster" in server.get("/readyz")[1], 20)
        seen = judged(server, world.image, "a", ("good",), "none")
        told = [line for line in server.log_lines() if line["event"] == "pull secrets not read"]
        return f"{seen}, {'told: ' + told[0]['why'].split(':')[0] if told else 'not told'}"


def main():
    began = time.monotonic()
    plane = control_plane_or_end(users={"weak": ("weak-token", [])})
    with plane, Registry("basic") as registry:
        install_crds(plane)
        layout = images.build_all(registry.directory / "images", fat_mib=6)
        registry.push(layout, "fat")
        world = World(plane, registry)
        world.digest = layout.names["fat"]["digest"]
        for name in ("a", "b", "unlisted"):
            plane.namespace(name)
        put_policy(plane, "sizes", POLICY, onUnknown={"definite": "warn", "access": "warn", "outage": "warn", "scan": "warn"})
        config = plane.directory / "registries.yaml"
        config.write_text(json.dumps({"apiVersion": "plimsoll.dev/v1alpha1", "kind": "RegistryConfig", "spec": {"registries": [
            {"host": registry.host, "private": True, "ca": str(registry.authority.ca)}]}}))
        flags = ("--registries", config, "--pull-secrets", "a")
        with follower(plane.kubeconfig, *flags, "--drain-timeout", "1s") as server:
            seconds_until(lambda: "from the cluster" in server.get("/readyz")[1], 20)
            rows = [*rows_of(world, server),
                    ("without the right to read secrets", f"{UNKNOWN}, told: 403 Forbidden", lambda: without_rights(plane, world, flags))]
            code = check_rows("pull secrets", [(number, *row) for number, row in enumerate(rows, 1)], workers=1)
    print(f"{time.monotonic() - began:.1f} s")
    return code


if __name__ == "__main__":
    sys.exit(main())
