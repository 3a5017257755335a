"""The webhook configuration: who is asked about what, and what is never asked."""
import copy
import json

from chart import OWN, at, documents_of, name_of
from invariants import Check, all_but, first, selects
from value_sets import SETS

OPEN, CLOSED, DOCUMENTS = "workloads.plimsoll.dev", "fail-closed.workloads.plimsoll.dev", "policies.plimsoll.dev"
NEVER = {OWN, "kube-system", "kube-node-lease"}
WORKLOADS = {("", "v1"): {"pods", "pods/ephemeralcontainers", "pods/resize", "replicationcontrollers", "podtemplates"},
             ("apps", "v1"): {"deployments", "statefulsets", "daemonsets", "replicasets"}, ("batch", "v1"): {"jobs", "cronjobs"}}
EXTRA = {("argoproj.io", "v1alpha1"): {"rollouts"}}
OWN_KINDS = {("plimsoll.dev", "v1alpha1", "hygienepolicies", "Cluster", "CREATE", "UPDATE"),
             ("plimsoll.dev", "v1alpha1", "hygieneexceptions", "Namespaced", "CREATE", "UPDATE")}
WITH_EXTRA = ("asking", "everything")
WITHOUT = ("emergency",)  # nothing is asked
LABELS = {"judged": "yes", "tier": "gold"}  # what the selector of set "everything" asks for


def hook_of(rendering):
    return first(rendering, "ValidatingWebhookConfiguration")


def closed_of(name):
    return set(at(SETS[name][1], "failClosed namespaces") or [])


def exempt_of(name):
    return set(at(SETS[name][1], "exemptNamespaces") or [])


def asked(rendering, name):
    """For each namespace exactly one entry about workloads is asked, or none."""
    closed, exempt = closed_of(name), exempt_of(name)
    for space in sorted(NEVER | closed | exempt | {"default", "kube-public", "shop", "plimsoll", f"{OWN}-2", "bankers"}):
        labels = {"kubernetes.io/metadata.name": space, **LABELS}
        entries = [one for one in hook_of(rendering)["webhooks"] if one["name"] != DOCUMENTS]
        found = [one["name"] for one in entries if selects(one["namespaceSelector"], labels)]
        wanted = [] if space in NEVER | exempt else [CLOSED] if space in closed else [OPEN]
        yield space, "" if found == wanted else f"asked: {found}"


def by_name(rendering, _):
    """What is never judged does not depend on a label that somebody may set: only on the name."""
    for one in hook_of(rendering)["webhooks"]:
        if one["name"] != DOCUMENTS:
            keys = [term["key"] for term in one["namespaceSelector"]["matchExpressions"]][:1]
            anyhow = {"kubernetes.io/metadata.name": "kube-system", **LABELS, "plimsoll.dev/judged": "true", "control-plane": "x"}
            fine = keys == ["kubernetes.io/metadata.name"] and not selects(one["namespaceSelector"], anyhow)
            yield one["name"], "" if fine else str(keys)


def fails_open(rendering, name):
    wanted = {OPEN: "Ignore", CLOSED: "Fail", DOCUMENTS: "Ignore"}
    for one in hook_of(rendering)["webhooks"]:
        fine = one["failurePolicy"] == wanted[one["name"]] and (one["name"] != CLOSED or closed_of(name))
        yield one["name"], "" if fine else f"{one['failurePolicy']}, closed: {closed_of(name)}"


def narrow(rendering, name):
    """Exactly the kinds with a pod template, their creation and change."""
    for one in hook_of(rendering)["webhooks"]:
        found = {(group, version, resource, rule["scope"], *rule["operations"]) for rule in one["rules"] for group in rule["apiGroups"]
                 for version in rule["apiVersions"] for resource in rule["resources"]}
        workloads = {**WORKLOADS, **(EXTRA if name in WITH_EXTRA else {})}
        wanted = {(*group, resource, "Namespaced", "CREATE", "UPDATE") for group, resources in workloads.items() for resource in resources}
        wrong = found ^ (OWN_KINDS if one["name"] == DOCUMENTS else wanted)
        yield one["name"], str(sorted(wrong)) if wrong else ""


def without_stars(rendering, _):
    """No lease, no status, no scale, no eviction, nothing that a control plane needs to go on."""
    for one in hook_of(rendering)["webhooks"]:
        resources = {resource for rule in one["rules"] for resource in rule["resources"]}
        bad = [resource for resource in resources if "*" in resource
               or resource.endswith(("/status", "/scale", "/eviction", "/binding", "/finalizers"))
               or resource in ("leases", "events", "nodes", "endpoints", "endpointslices", "namespaces", "secrets", "serviceaccounts")]
        stars = [rule for rule in one["rules"] if "*" in json.dumps(rule)]
        yield one["name"], f"{bad} {stars}" if bad or stars else ""


def well_behaved(rendering, _):
    for one in hook_of(rendering)["webhooks"]:
        said = (one["sideEffects"], one["matchPolicy"], one["admissionReviewVersions"], 3 <= one["timeoutSeconds"] <= 10)
        yield one["name"], "" if said == ("None", "Equivalent", ["v1"], True) else str(said)


def conditions(rendering, _):
    """Workloads are looked at only where something changed that a policy may look at."""
    for one in hook_of(rendering)["webhooks"]:
        if one["name"] != DOCUMENTS:
            names = [condition["name"] for condition in one.get("matchConditions", [])]
            text = "".join(condition["expression"] for condition in one.get("matchConditions", [])[:1])
            looks_at = [part for part in ("object.spec", "object.template", "object.metadata.labels") if part in text]
            fine = names[:1] == ["changes-what-is-judged"] and len(looks_at) == 3
            yield one["name"], "" if fine else str(names)


def served(rendering, _):
    """The Service that is asked is ours, at a port that it has."""
    for one in hook_of(rendering)["webhooks"]:
        asks = one["clientConfig"].get("service", {})
        service = rendering.one(f"Service/{asks.get('name')}")
        fine = service and service["metadata"]["namespace"] == asks["namespace"] and asks["path"] == "/validate" and asks["port"] in [
            port["port"] for port in service["spec"]["ports"]]
        yield one["name"], "" if fine else str(one["clientConfig"])


def no_bundle(rendering, _):
    """Who keeps the certificates writes it: what is rendered would overwrite it at each upgrade."""
    for one in rendering.objects:
        if one["kind"] != "CustomResourceDefinition":
            yield name_of(one), "caBundle" if "caBundle" in json.dumps(one) else ""
        if one["kind"] == "Secret":
            yield name_of(one), "data" if "data" in one or "stringData" in one else ""


def healed_to(rendering, _):
    """What the controller puts back is what is installed."""
    config = next(one for one in rendering.kinds("ConfigMap") if one["metadata"]["name"].endswith("-webhook"))
    yield name_of(config), "" if documents_of()(config["data"]["webhook.yaml"]) == [hook_of(rendering)] else "differs"


def kept(rendering, name):
    """Definitions go with the release only where that is asked for."""
    asked_for = at(SETS[name][1], "crds keep") is False
    for one in rendering.kinds("CustomResourceDefinition"):
        policy = at(one, "metadata annotations helm.sh/resource-policy")
        yield name_of(one), "" if policy == (None if asked_for else "keep") else str(policy)


def at_webhook(number, **changes):
    def spoil(rendering):
        hook_of(rendering)["webhooks"][number].update(copy.deepcopy(changes))
    return spoil


def exempted(rendering):
    """As it would be with the exemption by a label that anybody may set."""
    selector = hook_of(rendering)["webhooks"][0]["namespaceSelector"]
    selector["matchExpressions"] = [{"key": "plimsoll.dev/exempt", "operator": "DoesNotExist"}]


def forget_own(rendering):
    hook_of(rendering)["webhooks"][0]["namespaceSelector"]["matchExpressions"][0]["values"].remove(OWN)


def add_rule(**rule):
    def spoil(rendering):
        hook_of(rendering)["webhooks"][0]["rules"].append({"operations": ["CREATE"], "scope": "Namespaced", **rule})
    return spoil


def bundle(rendering):
    hook_of(rendering)["webhooks"][0]["clientConfig"]["caBundle"] = "Cg=="


SOME = all_but(*WITHOUT)
CHECKS = [
    Check(60, "each namespace is judged by one entry, our own, kube-system, kube-node-lease and exempt ones by none", asked, forget_own,
          sets=SOME),
    Check(61, "what is exempt is so by its name, which no label changes", by_name, exempted, sets=SOME),
    Check(62, "failurePolicy Fail for failClosed.namespaces alone", fails_open, at_webhook(0, failurePolicy="Fail"), sets=SOME),
    Check(63, "exactly the kinds with pods, CREATE and UPDATE", narrow,
          add_rule(apiGroups=["apps"], apiVersions=["v1"], resources=["controllerrevisions"]),
          sets=SOME),
    Check(64, "no wildcard, no status, scale, eviction, lease, node", without_stars,
          add_rule(apiGroups=["coordination.k8s.io"], apiVersions=["v1"], resources=["leases"]), sets=SOME),
    Check(65, "no side effects, any version of a kind, v1, 3 to 10 s", well_behaved, at_webhook(0, timeoutSeconds=30), sets=SOME),
    Check(66, "asked only where what is judged changes", conditions, at_webhook(0, matchConditions=[]), sets=SOME),
    Check(67, "it asks the Service of the release", served, at_webhook(0, clientConfig={"url": "https://elsewhere.example.com/validate"}),
          sets=SOME),
    Check(68, "no caBundle and no key is rendered", no_bundle, bundle),
    Check(69, "the controller puts back what is installed", healed_to, at_webhook(0, timeoutSeconds=3), sets=all_but(*WITHOUT, "no hooks")),
    Check(70, "definitions stay, but where crds.keep is false", kept,
          lambda rendering: first(rendering, "CustomResourceDefinition")["metadata"].pop(
        "annotations"), sets=all_but("no hooks")),
]

