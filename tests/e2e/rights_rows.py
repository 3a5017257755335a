"""Group 10: what each service account may do, by the list in rights.txt; what a stranger learns is in stranger_rows.py."""
import collections
import concurrent.futures
import json
import pathlib

from control_plane import ADMIN, Status
from stage import CONFIGURATION, OWN
from stranger_rows import Stranger

LIST = pathlib.Path(__file__).with_name("rights.txt")
ACCOUNTS = ("serve", "controller", "cleanup", "verify", "default")
SPACES = (OWN, "shop", "stranger")
VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
RULES = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
ACCESS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
TOKEN = "var/run/secrets/kubernetes.io/serviceaccount/token"


def listed(account):
    """Its lines in the list: {(where, verbs, resource, name)}."""
    lines = [line.split() for line in LIST.read_text().splitlines() if line and not line.startswith("#")]
    return {(*parts[1:4], parts[4] if len(parts) > 4 else "") for parts in lines if parts[0] == account}


def difference(seen, expected):
    """"as listed", or what is too much and what is missing."""
    told = [f"{what}: {sorted(these)}" for what, these in (("not listed", seen - expected), ("missing", expected - seen)) if these]
    return "; ".join(told) or "as listed"


class Rights:
    def __init__(self, stage):
        self.stage, self.node = stage, stage.node

    @staticmethod
    def name_of(account):
        return account if account == "default" else f"plimsoll-{account}"

    def token(self, account, name_space=OWN):
        answer = self.node.create(f"/api/v1/namespaces/{name_space}/serviceaccounts/{self.name_of(account)}/token", {
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}})
        return answer["status"]["token"]

    def rules(self, token, name_space):
        """{(verb, resource.group or path, name)} that the API server says this token may do there."""
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": {"namespace": name_space}}
        status = self.node.create(RULES, review, token=token)["status"]
        found = {(verb, path, "") for rule in status["nonResourceRules"] for verb in rule["verbs"] for path in rule["nonResourceURLs"]}
        for rule in status["resourceRules"]:
            found |= {(verb, resource + (f".{group}" if group else ""), name) for verb in rule["verbs"] for resource in rule["resources"]
                      for group in rule["apiGroups"] for name in rule.get("resourceNames") or [""]}
        return found

    def may(self, account):
        """The same form as the list, without what any account of the cluster may do."""
        token, anybody = self.token(account), self.rules(self.token("default", "stranger"), "stranger")
        found = {space: self.rules(token, space) - anybody for space in SPACES}
        everywhere = set.intersection(*found.values())
        verbs = collections.defaultdict(set)
        for where, those in (("everywhere", everywhere), *((space, found[space] - everywhere) for space in SPACES)):
            for verb, resource, name in those:
                verbs[where, resource, name].add(verb)
        return {(where, ",".join(sorted(some)), resource, name) for (where, resource, name), some in verbs.items()}

    def resources(self):
        """(group, resource, is namespaced) of everything that the API server has, subresources too."""
        found = set()
        groups = {one["name"]: f"/apis/{one['preferredVersion']['groupVersion']}" for one in self.node.get("/apis")["groups"]}
        for group, path in {"": "/api/v1", **groups}.items():
            found |= {(group, one["name"], one["namespaced"]) for one in self.node.get(path)["resources"]}
        return sorted(found)

    def access(self, account, name_space, resources):
        """{"verb resource.group"} that is allowed for any name: one question each, on one connection."""
        subject = {"user": f"system:serviceaccount:{name_space}:{self.name_of(account)}",
                   "groups": ["system:serviceaccounts", f"system:serviceaccounts:{name_space}", "system:authenticated"]}
        allowed, connection = set(), self.node.connection()
        for group, resource, namespaced in resources:
            name, _, part = resource.partition("/")
            for verb in VERBS:
                for space in ("", OWN) if namespaced else ("",):
                    attributes = {"verb": verb, "group": group, "resource": name, "subresource": part, "namespace": space}
                    question = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
                                "spec": {**subject, "resourceAttributes": attributes}}
                    connection.request("POST", ACCESS, json.dumps(question),
                                       {"Authorization": f"Bearer {ADMIN}", "Content-Type": "application/json"})
                    if json.loads(connection.getresponse().read())["status"]["allowed"]:
                        allowed.add(f"{verb} {resource}" + (f".{group}" if group else ""))
        connection.close()
        return allowed

    # Rows.

    def compared(self, account):
        return difference(self.may(account), listed(account))

    def swept(self):
        """Every verb on every resource, cluster-wide and in our namespace, without a name: nothing but the list's lines without one."""
        resources = self.resources()
        with concurrent.futures.ThreadPoolExecutor(len(ACCOUNTS) + 1) as pool:
            anybody = pool.submit(self.access, "default", "stranger", resources)
            asked = {account: pool.submit(self.access, account, OWN, resources) for account in ACCOUNTS}
            seen = {(account, one) for account, done in asked.items() for one in done.result() - anybody.result()}
        expected = {(account, f"{verb} {resource}") for account in ACCOUNTS for where, verbs, resource, name in listed(account)
                    if where == "everywhere" and not name for verb in verbs.split(",")}
        print(f"       {len(resources)} resources, {len(VERBS)} verbs, {len(ACCOUNTS)} accounts", flush=True)
        return difference(seen, expected)

    def secrets_of_all(self):
        seen = set()
        for account in ACCOUNTS:
            for words in (("get", "secrets", "-A"), ("get", "secret/other", "-n", OWN), ("create", "pods", "-A"), ("impersonate", "users"),
                          ("create", "serviceaccounts/token", "-n", OWN), ("bind", "clusterroles"), ("escalate", "clusterroles")):
                user = f"--as=system:serviceaccount:{OWN}:{self.name_of(account)}"
                seen.add(self.node.kubectl("auth", "can-i", *words, user).stdout.strip())
        return ", ".join(sorted(seen))

    def served_token(self):
        """The one that lies in a serving container."""
        pid = self.node.process_of(self.node.container_ids(OWN, "app.kubernetes.io/component=serve")[0])
        return pathlib.Path(f"/proc/{pid}/root/{TOKEN}").read_text()

    def real_requests(self):
        token, own, shop = self.served_token(), f"/api/v1/namespaces/{OWN}", "/api/v1/namespaces/shop"
        pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
        read = ("/api/v1/namespaces", "/apis/plimsoll.dev/v1alpha1/hygienepolicies", f"{shop}/secrets/pull", f"{shop}/secrets",
                "/api/v1/secrets", f"{own}/secrets/plimsoll-tls", "/api/v1/namespaces/stranger/secrets/pull", "/api/v1/pods",
                f"{own}/configmaps", CONFIGURATION, "/metrics")
        asked = [*(("GET", path, None) for path in read), ("PATCH", CONFIGURATION, {"metadata": {"labels": {"a": "b"}}}),
                 ("DELETE", CONFIGURATION, None), ("POST", f"{shop}/pods", pod),
                 ("POST", f"{own}/serviceaccounts/plimsoll-controller/token", {"spec": {"expirationSeconds": 3600}}),
                 ("PATCH", "/apis/plimsoll.dev/v1alpha1/hygienepolicies/any/status", {"status": {}})]
        return " ".join(str(self.status(method, path, body, token)) for method, path, body in asked)

    def status(self, method, path, body, token):
        try:
            self.node.request(method, path, body, token=token,
                              content_type="application/merge-patch+json" if method == "PATCH" else "application/json")
            return 200
        except Status as status:
            return status.code

    def kubelet(self):
        """The kubelet takes the same token for what it is."""
        given = f"Authorization: Bearer {self.served_token()}"
        return self.node.run(["curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", "-H", given, "https://10.250.0.1:10250/pods"]).stdout

    def rows(self):
        return [
            *((f"10.{number}", f"rights of {self.name_of(account)}, by SelfSubjectRulesReview in three namespaces", "as listed",
               lambda account=account: self.compared(account)) for number, account in enumerate(ACCOUNTS, 2)),
            ("10.7", "every verb on every resource, cluster-wide and in our namespace, by SubjectAccessReview", "as listed", self.swept),
            ("10.8", "kubectl auth can-i: other secrets, pods, tokens, roles, other users", "no", self.secrets_of_all),
            ("10.9", "with the token of a serving pod: namespaces, policies, a pull secret of shop; and thirteen that it must not",
             "200 200 200 " + " ".join(["403"] * 13), self.real_requests),
            ("10.10", "the same token at the kubelet", "403", self.kubelet),
        ]


def rows(stage):
    stranger = Stranger(stage)
    return [("10.1", "installed, with registries.pullSecretNamespaces", "2 serve, 2 controllers", stranger.installed),
            *Rights(stage).rows(), *stranger.rows()]
