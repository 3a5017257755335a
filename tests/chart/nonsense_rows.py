#!/usr/bin/env python3
"""Values that cannot be meant are refused by both Helms, with the path of the value, or with what to do."""
import json
import re

from chart import CHART, HELMS, leaves, main, merged, nested, refusal, side_by_side, values_of_chart

SCHEMA = json.loads((CHART / "values.schema.json").read_text())
LEAVES = {value.path: (keys, value) for keys, value in leaves(values_of_chart())}
WRONG_TYPES = {"string": 17, "boolean": "perhaps", "integer": "many", "number": "many", "array": "text", "object": "text"}
OPEN = {"global"}  # where an umbrella chart has keys of its own
OWN_LABEL = {"app.kubernetes.io/name": "other"}

# (value, what it must not be)
NONSENSE = [
    ("global.imagePullSecrets", [{"nome": "typo"}]),
    ("imagePullSecrets", [7]),
    ("nameOverride", "x" * 51),
    ("nameOverride", "Not A Name"),
    ("fullnameOverride", "Keel_1"),
    ("fullnameOverride", "-keel"),
    ("commonLabels", {"a": 1}),
    ("commonLabels", OWN_LABEL),
    ("commonAnnotations", {"a": True}),
    ("extraObjects", [12]),
    ("image.repository", ""),
    ("image.digest", "sha256:short"),
    ("image.pullPolicy", "Sometimes"),
    ("mode", "off"),
    ("policies.source", "elsewhere"),
    ("policies.documents", {"Not A Name": {}}),
    ("policies.documents", {"deck": "text"}),
    ("failClosed.namespaces", ["bank", "bank"]),
    ("failClosed.namespaces", ["*"]),
    ("exemptNamespaces", ["kube-*"]),
    ("exemptNamespaces", [""]),
    ("webhook.timeoutSeconds", 2),
    ("webhook.timeoutSeconds", 11),
    ("webhook.namespaceSelector", {"matchLabel": {"a": "b"}}),
    ("webhook.objectSelector", {"matchLabels": ["a"]}),
    ("webhook.matchConditions", [{"name": "no-expression"}]),
    ("webhook.matchConditions", [{"name": "", "expression": "true"}]),
    ("webhook.extraRules", [{"apiGroups": ["*"], "apiVersions": ["v1"], "resources": ["rollouts"]}]),
    ("webhook.extraRules", [{"apiGroups": ["argoproj.io"], "apiVersions": ["*"], "resources": ["rollouts"]}]),
    ("webhook.extraRules", [{"apiGroups": ["argoproj.io"], "apiVersions": ["v1"], "resources": ["*/*"]}]),
    ("webhook.extraRules", [{"apiGroups": ["argoproj.io"], "resources": ["rollouts"]}]),
    ("webhook.annotations.admissions.enforcer/disabled", True),
    ("certificates.mode", "by-hand"),
    ("certificates.authorityLife", "a year"),
    ("certificates.servingLife", "90"),
    ("certificates.trustDelay", "-1s"),
    ("certificates.issuerRef", {"nome": "typo"}),
    ("registries.pullSecretNamespaces", ["shop", "shop"]),
    ("registries.rate", 0),
    ("registries.factsBudget", "4"),
    ("scanReports", {"configMap": {"name": "a"}, "secret": {"secretName": "b"}}),
    ("server.replicas", 0),
    ("server.replicas", 2.5),
    ("server.minReadySeconds", -1),
    ("server.port", 0),
    ("server.port", 65536),
    ("server.healthPort", 70000),
    ("server.listenAddress", "localhost"),
    ("server.dnsPolicy", "Whatever"),
    ("server.logLevel", "loud"),
    ("server.onTimeout", "maybe"),
    ("server.onLimit", "warn"),
    ("server.malformed", "ignore"),
    ("server.controllerUsers", [""]),
    ("server.clientCertificates.names", [""]),
    ("server.clientCertificates.names", ["kube-apiserver", "kube-apiserver"]),
    ("server.limits.maxBody", "32 MB"),
    ("server.limits.bodyBudget", "-1Mi"),
    ("server.limits.maxConnections", 0),
    ("server.limits.maxInFlight", 100001),
    ("server.limits.threads", -1),
    ("server.limits.threads", 17),
    ("server.shutdownDelaySeconds", -1),
    ("server.drainTimeoutSeconds", 0),
    ("server.extraArgs", [{"--flag": 1}]),
    ("server.extraEnv", [{"value": "without a name"}]),
    ("server.extraEnv", [{"name": "PORT", "value": 8080}]),
    ("server.extraVolumes", [{"emptyDir": {}}]),
    ("server.extraVolumeMounts", [{"name": "hold"}]),
    ("server.extraContainers", [{"name": "beside"}]),
    ("server.extraInitContainers", [{"image": "example.com/first:1.0.0"}]),
    ("server.resources.requests", {"cpu": ["1"]}),
    ("server.resources.limits", {"memory": True}),
    ("server.nodeSelector", {"disk": 1}),
    ("server.tolerations", ["text"]),
    ("server.topologySpreadConstraints", ["zone"]),
    ("server.podLabels", OWN_LABEL),
    ("server.podLabels", {"plimsoll.dev/monitored": "false"}),
    ("server.podAnnotations", {"a": 1}),
    ("server.podDisruptionBudget.maxUnavailable", True),
    ("server.service.annotations", {"a": 1}),
    ("server.service.ipFamilyPolicy", "Dual"),
    ("server.service.ipFamilies", ["IPv5"]),
    ("controller.replicas", 0),
    ("controller.replicas", 6),
    ("controller.leaseDuration", "15"),
    ("controller.leaseDuration", "2s"),
    ("controller.logLevel", "trace"),
    ("controller.extraArgs", [1]),
    ("controller.extraEnv", ["NAME=value"]),
    ("controller.resources.limits", {"memory": {}}),
    ("controller.nodeSelector", {"disk": None, "other": 2}),
    ("controller.tolerations", [1]),
    ("controller.topologySpreadConstraints", [1]),
    ("controller.podLabels", {"helm.sh/chart": "x"}),
    ("controller.podAnnotations", {"a": []}),
    ("cleanup.deadlineSeconds", 9),
    ("cleanup.tolerations", ["text"]),
    ("serviceAccounts.annotations", {"a": 1}),
    ("flowSchema.matchingPrecedence", 0),
    ("flowSchema.matchingPrecedence", 10001),
    ("criticalPodsQuota.pods", 0),
    ("networkPolicy.apiServerPeers", ["10.0.0.0/8"]),
    ("networkPolicy.metricsPeers", ["monitoring"]),
    ("networkPolicy.egress.apiServerPeers", [1]),
    ("networkPolicy.egress.apiServerPorts", []),
    ("networkPolicy.egress.apiServerPorts", ["https"]),
    ("networkPolicy.egress.registryPorts", [65536]),
    ("networkPolicy.egress.exceptRanges", ["metadata.google.internal"]),
    ("networkPolicy.egress.extra", ["all"]),
    ("metrics.interval", "30"),
    ("metrics.serviceMonitor.labels", OWN_LABEL),
    ("metrics.podMonitor.labels", {"a": 1}),
    ("metrics.alerts.labels", OWN_LABEL),
    ("metrics.alerts.disabled", [1]),
    ("metrics.dashboard.labels.grafana_dashboard", 1),
    ("metrics.dashboard.annotations", {"a": 1}),
    ("metrics.dashboard.operator.instanceSelector", {"matchLabel": {}}),
]

CLOSED = {"failClosed": {"namespaces": ["bank"]}}
# values, where it is installed, what is said
GUARDS = [
    ({}, "kube-system", "use --namespace plimsoll-system --create-namespace"),
    ({}, "kube-node-lease", "use --namespace plimsoll-system --create-namespace"),
    ({}, "kube-public", "use --namespace plimsoll-system --create-namespace"),
    ({"failClosed": {"namespaces": ["kube-system"]}}, "",
     "failClosed.namespaces: kube-system is exempt, so that the cluster and plimsoll itself can "
     "start; remove it here"),
    ({"failClosed": {"namespaces": ["plimsoll-system"]}}, "", "failClosed.namespaces: plimsoll-system is exempt"),
    (merged(CLOSED, {"exemptNamespaces": ["bank"]}), "", "remove it here or from exemptNamespaces"),
    (merged(CLOSED, {"server": {"replicas": 1}}), "",
     "failClosed.namespaces: with server.replicas 1 each restart of plimsoll would refuse everything "
     "there; use 2 or more"),
    ({"metrics": {"serviceMonitor": {"enabled": True}, "podMonitor": {"enabled": True}}}, "", "metrics.serviceMonitor.enabled and "
     "metrics.podMonitor.enabled: every figure would be there twice; use one of them"),
    ({"certificates": {"mode": "existing"}}, "",
     "certificates.existingSecret: certificates.mode existing needs the name of a Secret with tls.crt, "
     "tls.key and ca.crt"),
    ({"certificates": {"existingSecret": "own-tls"}}, "",
     "certificates.existingSecret: certificates.mode self-managed would not use it; set "
     "certificates.mode to existing"),
    ({"certificates": {"issuerRef": {"name": "house"}}}, "", "certificates.issuerRef: certificates.mode self-managed would not use it; set "
     "certificates.mode to cert-manager"),
    ({"certificates": {"authorityLife": "90d"}}, "", "certificates.servingLife: it must be shorter than certificates.authorityLife"),
    ({"certificates": {"authorityLife": "1h", "servingLife": "61m"}}, "", "certificates.servingLife: it must be shorter"),
    ({"server": {"port": 8080}}, "", "server.port and server.healthPort: they must differ"),
    ({"server": {"hostNetwork": True}}, "",
     "server.port: 10250 is the kubelet's own port on a node; with server.hostNetwork use another, such as 10260"),
    ({"server": {"clientCertificates": {"names": ["kube-apiserver"]}}}, "",
     "server.clientCertificates.names: without server.clientCertificates.authoritiesConfigMap nobody is asked for a certificate; name the "
     "ConfigMap with ca.crt"),
    ({"server": {"shutdownDelaySeconds": 95}}, "", "server.shutdownDelaySeconds: it must be shorter than server.drainTimeoutSeconds"),
    ({"registries": {"pullSecretNamespaces": ["shop"]}, "policies": {"source": "files"}}, "",
     "registries.pullSecretNamespaces: with policies.source "
     "files plimsoll cannot read pull secrets; set policies.source to cluster"),
    ({"metrics": {"dashboard": {"operator": {"enabled": True}}}}, "",
     "metrics.dashboard.operator.enabled: it shows what the ConfigMap has; set "
     "metrics.dashboard.enabled to true as well"),
    ({"metrics": {"alerts": {"disabled": ["PlimsollDwon"]}}}, "",
     "metrics.alerts.disabled: there is no alert PlimsollDwon; there are PlimsollDown, "),
]


def groups(values, keys=()):
    """The keys of every map whose keys are fixed, the top one included."""
    yield keys
    for value in values:
        if value.children and not isinstance(value.extra.get("additionalProperties"), dict):
            yield from groups(value.children, (*keys, value.key))


GROUPS = [keys for keys in groups(values_of_chart()) if keys[:1] != ("global",)]


def pointer(keys):
    """As Helm names a value: ("server", "port") -> /server/port, with the signs of JSON pointers."""
    return "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in keys)


class Heap:
    """Many nonsensical values in one call of each Helm, since a schema tells all that is wrong at once."""

    def __init__(self):
        self.values, self.taken, self.said = {}, set(), {}

    def takes(self, keys):
        free = not any(keys[:length] in self.taken for length in range(1, len(keys) + 1))
        return free and not any(other[:len(keys)] == keys for other in self.taken)

    def add(self, keys, value):
        self.taken.add(keys)
        self.values = merged(self.values, nested(keys, value))

    def render(self, variable):
        self.said[variable] = refusal(self.values, variable)


class Heaps:
    def __init__(self):
        self.heaps = []

    def add(self, keys, value):
        """The heap that has it."""
        heap = next((heap for heap in self.heaps if heap.takes(keys)), None)
        if heap is None:
            heap = Heap()
            self.heaps.append(heap)
        heap.add(keys, value)
        return heap

    def render(self):
        side_by_side(lambda pair: pair[0].render(pair[1]), [(heap, variable) for heap in self.heaps for variable in HELMS])


def named(heap, keys, exactly=""):
    """Which Helm names the value, or what stands below it; with `exactly` this is said of the value itself."""
    below = "" if exactly else "(/[^']*)?"
    said = rf"- at '{re.escape(pointer(keys))}{below}': .*{exactly}"
    return " and ".join(name for variable, name in HELMS.items() if re.search(said, heap.said[variable])) or "nobody"


def heaped_rows(heaps):
    both = " and ".join(HELMS.values())
    number = 100
    for path, (keys, value) in LEAVES.items():
        kind = value.schema()["type"]
        wrong = WRONG_TYPES[kind] if isinstance(kind, str) else []
        heap = heaps.add(keys, wrong)
        yield number, f"{path}: {json.dumps(wrong)}, another type", both, lambda heap=heap, keys=keys: named(heap, keys)
        number += 1
    for keys in GROUPS:
        heap = heaps.add((*keys, "surplus"), 1)
        yield number, f"an unknown key in {'.'.join(keys) or 'the top'}", both, lambda heap=heap, keys=keys: named(heap, keys, "surplus")
        if keys:
            heap = heaps.add(keys, "text")
            yield number + 1, f"{'.'.join(keys)}: \"text\"", both, lambda heap=heap, keys=keys: named(heap, keys, "got string, want object")
        number += 2
    for number, (path, value) in enumerate(NONSENSE, 400):
        keys = LEAVES[path][0]
        heap = heaps.add(keys, value)
        yield number, f"{path}: {json.dumps(value)[:90]}", both, lambda heap=heap, keys=keys: named(heap, keys)


def needed(schema, keys=()):
    """What a template needs: it has a default, and null is no value of it."""
    for key in schema.get("required", []):
        inner = schema["properties"][key]
        if "properties" in inner:
            yield from needed(inner, (*keys, key))
        else:
            yield (*keys, key)


def missing_rows(heaps):
    both = " and ".join(HELMS.values())
    for number, keys in enumerate(needed(SCHEMA), 800):
        heap = heaps.add(keys, None)
        yield number, f"{'.'.join(keys)}: null", both, lambda heap=heap, keys=keys: lacking(heap, keys)


def lacking(heap, keys):
    """Which Helm says that it is missing."""
    said = rf"- at '{re.escape(pointer(keys[:-1]))}': missing propert.*'{re.escape(keys[-1])}'"
    return " and ".join(name for variable, name in HELMS.items() if re.search(said, heap.said[variable])) or "nobody"


def guard_rows():
    both = " and ".join(HELMS.values())
    asked = [(number, variable) for number in range(len(GUARDS)) for variable in HELMS]
    answers = dict(zip(asked, side_by_side(lambda pair: guarded(*GUARDS[pair[0]][:2], pair[1]), asked)))

    def heard(number):
        said = GUARDS[number][2]
        found = [name for variable, name in HELMS.items() if said in answers[number, variable]]
        return " and ".join(found) or f"not said: {answers[number, 'HELM'].strip()[-300:]}"

    def unheard():
        """Guards of the chart that no row sets off: what is constant in their message is in no answer."""
        told = re.findall(r'fail \(?(?:printf )?"([^"]+)"', (CHART / "templates" / "_guard.tpl").read_text())
        parts = [max(re.split("%[sq]", one), key=len) for one in told]
        return f"{len(told) > 0}, {[part for part in parts if not any(part in answer for answer in answers.values())]}"

    yield 690, "guards: there are some, and those that no row sets off", "True, []", unheard
    for number, (values, namespace, said) in enumerate(GUARDS):
        yield 700 + number, f"{json.dumps(values)} in {namespace or 'its namespace'}: {said}", both, lambda number=number: heard(number)


def guarded(values, namespace, variable):
    return refusal(values, variable, **({"namespace": namespace} if namespace else {}))


def umbrella(values):
    """What a chart above ours may set."""
    return {name: refusal(values, variable)[:200] for variable, name in HELMS.items()}


def rows():
    heaps = Heaps()
    heaped = [*heaped_rows(heaps), *missing_rows(heaps)]
    heaps.render()
    fine = str({name: "" for name in HELMS.values()})
    return [*heaped, *guard_rows(),
            (1, "global.cattle and other keys of an umbrella chart", fine,
             lambda: umbrella({"global": {"cattle": {"systemProjectId": "p-1"}}})),
            (2, "enabled, the condition of an umbrella chart", fine, lambda: umbrella({"enabled": False})),
            (3, "a default taken away by null: no limit, no priority class, no annotation", fine, lambda: umbrella(
                {"server": {"resources": {"limits": {"memory": None}}, "priorityClassName": None}, "webhook": {"annotations": {
                    "admissions.enforcer/disabled": None}}}))]


if __name__ == "__main__":
    main("nonsense is refused", rows)
