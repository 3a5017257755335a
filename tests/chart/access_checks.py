"""Rights: none is a wildcard, and what each account may do is exactly what stands here."""
from chart import OWN, render
from invariants import Check, first, name_of

POLICIES = [f"{verb} hygiene{what}" for verb in ("list", "watch") for what in ("policies", "exceptions")]
STATUSES = [f"patch hygiene{what}/status" for what in ("policies", "exceptions")]
CONFIGURATION = "validatingwebhookconfigurations/plimsoll"
SERVE = [*POLICIES, *(f"{verb} namespaces" for verb in ("get", "list", "watch"))]
CONTROLLER = [*(f"{verb} {CONFIGURATION}" for verb in ("get", "list", "watch", "patch")), "create events",
              f"get leases/plimsoll-controller in {OWN}",
              f"patch leases/plimsoll-controller in {OWN}", f"get secrets/plimsoll-tls in {OWN}"]
WRITES = [f"patch secrets/plimsoll-tls in {OWN}"]
CLEANUP = [f"delete {CONFIGURATION}", f"delete leases/plimsoll-controller in {OWN}"]
VERIFY = [f"get {CONFIGURATION}", f"get services/plimsoll in {OWN}"]
DEFAULT = {"serve": SERVE, "controller": [*CONTROLLER, *WRITES, *POLICIES, *STATUSES], "cleanup": CLEANUP, "verify": VERIFY}
PULLS = [f"get {what} in {space}" for what in ("secrets", "serviceaccounts") for space in ("shop", "bank")]

# values, account -> what it may do; what is not named here is as by default
RIGHTS = [
    ("by default", {}, {}),
    ("policies.source: files", {"policies": {"source": "files"}}, {"serve": None, "controller": [*CONTROLLER, *WRITES]}),
    ("certificates.mode: cert-manager", {"certificates": {"mode": "cert-manager"}}, {"controller": [*CONTROLLER, *POLICIES, *STATUSES]}),
    ("certificates.mode: cert-manager, nothing put back", {"certificates": {"mode": "cert-manager"}, "controller": {"heal": False}},
     {"controller": [*(one for one in CONTROLLER if one != f"patch {CONFIGURATION}"), *POLICIES, *STATUSES]}),
    ("certificates.mode: existing", {"certificates": {"mode": "existing", "existingSecret": "own"}}, {
        "controller": [*(one.replace("plimsoll-tls", "own") for one in CONTROLLER), *POLICIES, *STATUSES]}),
    ("registries.pullSecretNamespaces", {"registries": {"pullSecretNamespaces": ["shop", "bank"]}}, {"serve": [*SERVE, *PULLS]}),
    ("cleanup.enabled: false", {"cleanup": {"enabled": False}}, {"cleanup": None}),
    ("verify.enabled: false", {"verify": {"enabled": False}}, {"verify": None}),
    ("emergency.disabled", {"emergency": {"disabled": True}}, {}),
]
# role of users -> label that joins it to another, what is in it
USERS = {
    "plimsoll-view": ("aggregate-to-view",
                      [f"{verb} hygiene{what}" for verb in ("get", "list", "watch") for what in ("policies", "exceptions")]),
    "plimsoll-exceptions": ("aggregate-to-admin", [f"{verb} hygieneexceptions" for verb in ("create", "update", "patch", "delete")]),
}


def rights_of_role(role):
    """"verb resource/name" each."""
    return [f"{verb} {resource}{name}" for rule in role["rules"] for resource in rule["resources"] for verb in rule["verbs"]
            for name in [f"/{one}" for one in rule.get("resourceNames", [])] or [""]]


def rights(rendering):
    """account -> what it may do, by every binding."""
    found = {one["metadata"]["name"]: [] for one in rendering.kinds("ServiceAccount")}
    for binding in rendering.kinds("RoleBinding", "ClusterRoleBinding"):
        role = rendering.one(f"{binding['roleRef']['kind']}/{binding['roleRef']['name']}")
        space = binding["metadata"].get("namespace")
        for subject in binding["subjects"]:
            where = f" in {space}" if space else ""
            known = subject["kind"] == "ServiceAccount" and subject["namespace"] == OWN
            found[subject["name"] if known else str(subject)] += [right + where for right in rights_of_role(role)]
    return {name.removeprefix("plimsoll-"): sorted(one) for name, one in found.items()}


def expected(more):
    made = {account: more.get(account, of) for account, of in DEFAULT.items()}
    return str({account: sorted(of) for account, of in sorted(made.items()) if of is not None})


def no_wildcard(rendering, _):
    """In FlowSchemas, which give no rights, they are allowed."""
    for role in rendering.kinds("Role", "ClusterRole"):
        stars = [rule for rule in role["rules"] if "*" in str(rule)]
        without_group = [rule for rule in role["rules"] if not rule.get("apiGroups")]
        yield name_of(role), f"{stars} {without_group}" if stars or without_group else ""


def named_objects(rendering, _):
    """What is written, and each Secret, is named, but for status, Events, and pull secrets, which are bound by namespace."""
    for role in rendering.kinds("Role", "ClusterRole"):
        if not role["metadata"]["name"].endswith(("-exceptions", "-pull-secrets")):
            loose = [right for rule in role["rules"] if "resourceNames" not in rule for right in rights_of_role({"rules": [rule]})
                     if right.split()[0] not in ("get", "list", "watch") or "secret" in right]
            loose = [right for right in loose if right not in (*STATUSES, "create events")]
            yield name_of(role), ", ".join(loose)


def accounts_stay(rendering, _):
    """A hook's account is a member of the release: Argo CD makes those of hooks but once."""
    for one, _, spec in rendering.pods():
        if "helm.sh/hook" in (one["metadata"].get("annotations") or {}):
            account = rendering.one(f"ServiceAccount/{spec['serviceAccountName']}")
            notes = (account or {"metadata": {}})["metadata"].get("annotations") or {}
            fault = "is not there" if account is None else "is a hook" if "helm.sh/hook" in notes else ""
            yield f"account of {name_of(one)}", fault


def hooks(rendering):
    """{"Job/plimsoll-cleanup": "pre-delete, before-hook-creation,hook-succeeded"}."""
    return {name_of(one): f"{notes['helm.sh/hook']}, {notes.get('helm.sh/hook-delete-policy')}" for one in rendering.objects
            for notes in [one["metadata"].get("annotations") or {}] if "helm.sh/hook" in notes}


def add_star(rendering):
    first(rendering, "ClusterRole")["rules"][0]["verbs"].append("*")


def loosen(rendering):
    del first(rendering, "Role")["rules"][0]["resourceNames"]


def make_hook(rendering):
    rendering.one("ServiceAccount/plimsoll-cleanup")["metadata"]["annotations"] = {"helm.sh/hook": "pre-delete"}


CHECKS = [
    Check(30, "no right has a wildcard", no_wildcard, add_star),
    Check(31, "what is written, and each Secret, is named", named_objects, loosen),
    Check(32, "hooks run as accounts that are no hooks", accounts_stay, make_hook,
          sets=["default", "audit", "strict", "files", "cert-manager", "everything"]),
]


def user_role(name):
    values = {"rbac": {"aggregateExceptionsToAdmin": True}}
    role = render(values).one(f"ClusterRole/{name}")
    joined = [label.split("/")[1] for label, value in role["metadata"]["labels"].items() if "aggregate" in label and value == "true"]
    return f"{joined} {sorted(rights_of_role(role))}"


def rows():
    for number, (what, values, more) in enumerate(RIGHTS, 40):
        yield number, f"rights, {what}", expected(more), lambda values=values: str(dict(sorted(rights(render(values)).items())))
    for number, (name, (label, wanted)) in enumerate(USERS.items(), 50):
        yield number, f"role {name} for users", f"{[label]} {sorted(wanted)}", lambda name=name: user_role(name)
    wanted = "before-hook-creation,hook-succeeded"
    yield (53, "hooks", str({"Pod/plimsoll-verify": f"test, {wanted}", "Job/plimsoll-cleanup": f"pre-delete, {wanted}"}),
           lambda: str(dict(sorted(hooks(render()).items(), reverse=True))))
    yield 54, "roles for users with policies.source files, where there are no policies to read", "[]", lambda: [
        name for name in USERS if render({"policies": {"source": "files"},
                                          "rbac": {"aggregateExceptionsToAdmin": True}}).one(f"ClusterRole/{name}")]


