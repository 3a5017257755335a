"""manifests/rbac.yaml on an API server, as many times as there are cases, each under names of its own and with one right left out."""
import copy
import json
import pathlib
import subprocess

from controller_stage import Place
from harness import PROGRAM, Server

MANIFESTS = pathlib.Path(__file__).resolve().parents[2] / "manifests"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
OWN = "plimsoll-system"


def documents(plane, name):
    """The objects of a manifest, as kubectl reads them."""
    done = plane.kubectl("create", "--dry-run=client", "-o", "json", "-f", MANIFESTS / name)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    decoder, text, found = json.JSONDecoder(), done.stdout.strip(), []
    while text:
        value, end = decoder.raw_decode(text)
        found += value["items"] if value["kind"] == "List" else [value]
        text = text[end:].strip()
    return found


def rights(objects):
    """Each right of each account: (kind, name of the role, number of the rule, resource, verb)."""
    return [(one["kind"], one["metadata"]["name"], index, resource, verb) for one in objects if one["kind"] in ("Role", "ClusterRole")
            for index, rule in enumerate(one["rules"]) for resource in rule["resources"] for verb in rule["verbs"]]


def without(rules, index, resource, verb):
    """The rules with one right less."""
    left = copy.deepcopy(rules)
    rule = left[index]
    kept = {**rule, "resources": [one for one in rule["resources"] if one != resource]}
    less = {**rule, "resources": [resource], "verbs": [one for one in rule["verbs"] if one != verb]}
    left[index:index + 1] = [one for one in (kept, less) if one["resources"] and one["verbs"]]
    return left


class Case:
    """One copy of the manifests; its cluster-wide objects are named after its namespace."""

    def __init__(self, plane, objects, name, number, missing=None):
        self.plane, self.name, self.missing = plane, name, missing
        self.place = Place(plane, name, number, secret={})
        self.roles = {}
        plane.create(f"/apis/coordination.k8s.io/v1/namespaces/{name}/leases", {"metadata": {"name": "plimsoll-controller"}})  # as the chart does
        for one in objects:
            self.create(self.renamed(one))

    def renamed(self, given):
        text = (
            json.dumps(given)
            .replace(f'"namespace": "{OWN}"', f'"namespace": "{self.name}"')
            .replace('"namespace": "shop"', f'"namespace": "{self.place.shop}"')
        )
        one = json.loads(text)
        one["metadata"].pop("creationTimestamp", None)
        if one["kind"] in ("ClusterRole", "ClusterRoleBinding"):
            one["metadata"]["name"] += f"-{self.name}"
        if one.get("roleRef", {}).get("kind") == "ClusterRole":
            one["roleRef"]["name"] += f"-{self.name}"
        for rule in one.get("rules") or ():
            if rule["resources"] == ["validatingwebhookconfigurations"]:
                rule["resourceNames"] = [self.name]
        return one

    def path(self, one):
        if one["kind"] == "ServiceAccount":
            return f"/api/v1/namespaces/{self.name}/serviceaccounts"
        space = one["metadata"].get("namespace")
        return f"{RBAC}/{f'namespaces/{space}/' if space else ''}{one['kind'].lower()}s"

    def create(self, one):
        if self.missing and one["kind"] == self.missing[0] and one["metadata"]["name"].removesuffix(f"-{self.name}") == self.missing[1]:
            self.roles["whole"] = copy.deepcopy(one)
            one["rules"] = without(one["rules"], *self.missing[2:])
        self.plane.create(self.path(one), one)

    def give_back(self):
        whole = self.roles["whole"]
        self.plane.patch(f"{self.path(whole)}/{whole['metadata']['name']}", {"rules": whole["rules"]})

    def kubeconfig(self, account):
        answer = self.plane.create(f"/api/v1/namespaces/{self.name}/serviceaccounts/{account}/token",
                                   {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}})
        return self.plane.write_kubeconfig(f"{self.name}-{account}", answer["status"]["token"])

    def controller(self, *flags):
        return self.place.controller("--policies", "cluster", *flags, kubeconfig=self.kubeconfig("plimsoll-controller"))

    def server(self, *flags):
        return Server(
            "--policies",
            "cluster",
            "--kubeconfig",
            str(self.kubeconfig("plimsoll-serve")),
            "--pull-secrets",
            self.place.shop,
            *flags,
            policy="",
        )

    def cleanup(self):
        return subprocess.run([PROGRAM, "cleanup", "--kubeconfig", self.kubeconfig("plimsoll-cleanup"), "--namespace", self.name,
                               "--webhook-configuration", self.name], capture_output=True, text=True, timeout=100)

    def may(self, account):
        """What the API server says that the account may do here: "get secrets/plimsoll-tls", without what every account may."""
        found = set()
        kubeconfig = self.kubeconfig(account)
        token = json.loads(pathlib.Path(kubeconfig).read_text())["users"][0]["user"]["token"]
        for space in (self.name, self.place.shop):
            review = self.plane.create("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", {
                "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": {"namespace": space}}, token=token)
            for rule in review["status"]["resourceRules"]:
                if rule["apiGroups"] in (["authorization.k8s.io"], ["authentication.k8s.io"]):
                    continue
                names = [f"/{name}" for name in rule.get("resourceNames", [])] or [""]
                found |= {(space, f"{verb} {resource}{name}") for verb in rule["verbs"] for resource in rule["resources"] for name in names}
        both = {what for space, what in found if (self.name, what) in found and (self.place.shop, what) in found}
        return sorted({what if what in both else f"{what} in {'its own' if space == self.name else 'shop'}" for space, what in found})
