"""Pods: Pod Security "restricted", hooks and the test included, resources, ports, the end; and labels, names and places of all objects."""
import re

from chart import OWN, at
from effects import EXTRA_BOX
from invariants import Check, all_but, first, missing, name_of
from value_sets import SETS

VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
STANDARD = {"app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/version", "app.kubernetes.io/component",
            "app.kubernetes.io/part-of", "app.kubernetes.io/managed-by", "helm.sh/chart"}
CLUSTER_WIDE = {"ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition", "ValidatingWebhookConfiguration", "FlowSchema"}
OF_USERS = {f"ConfigMap/{name}" for name in ("of-plimsoll", f"in-{OWN}")}  # extraObjects


def boxes(spec):
    return [*spec.get("initContainers", []), *spec["containers"]]


def restricted_container(pod, box):
    """What the level "restricted" says of a container; https://kubernetes.io/docs/concepts/security/pod-security-standards."""
    own = box.get("securityContext", {})

    def given(key):
        return own.get(key, pod.get(key))

    drops, adds = (at(own, f"capabilities {key}") or [] for key in ("drop", "add"))
    return {"privilege escalation": own.get("allowPrivilegeEscalation") is not False, "privileged": own.get("privileged", False),
            "capabilities": drops != ["ALL"] or set(adds) - {"NET_BIND_SERVICE"}, "may be root": given("runAsNonRoot") is not True,
            "root": given("runAsUser") == 0, "seccomp": at(given("seccompProfile") or {}, "type") not in ("RuntimeDefault", "Localhost"),
            "procMount": own.get("procMount", "Default") != "Default", "SELinux": given("seLinuxOptions"),
            "Windows": given("windowsOptions"),
            "hostPort": any(port.get("hostPort") for port in box.get("ports", []))}


def restricted(rendering, name):
    for one, _, spec in rendering.pods():
        pod = spec.get("securityContext", {})
        faults = {"host namespaces": any(spec.get(key) for key in ("hostPID", "hostIPC"))
                  or (spec.get("hostNetwork") and not on_node(one, name)),
                  "sysctls": pod.get("sysctls"),
                  "volumes": any(set(volume) - VOLUMES - {"name"} for volume in spec.get("volumes", []))}
        for box in boxes(spec):
            faults.update({f"{box['name']}: {what}": wrong for what, wrong in restricted_container(pod, box).items()})
        yield name_of(one), ", ".join(what for what, wrong in faults.items() if wrong)


def on_node(one, name):
    """server.hostNetwork, which only the serving pods may have, and which no level of Pod Security but "privileged" allows."""
    return at(one, "metadata labels app.kubernetes.io/component") == "serve" and at(SETS[name][1], "server hostNetwork")


def hardened(rendering, _):
    """What "restricted" does not ask for."""
    for one, _, spec in rendering.pods():
        faults = {"token of the account is mounted": spec.get("automountServiceAccountToken") is not False,
                  "variables of Services": spec.get("enableServiceLinks") is not False}
        for box in boxes(spec):
            resources = box.get("resources", {})
            faults[f"{box['name']}: root is writable"] = at(box, "securityContext readOnlyRootFilesystem") is not True
            faults[f"{box['name']}: requests"] = not {"cpu", "memory"} <= set(resources.get("requests", {}))
            faults[f"{box['name']}: memory limit"] = "memory" not in resources.get("limits", {})
        yield name_of(one), ", ".join(what for what, wrong in faults.items() if wrong)


def argument(box, name):
    """The last `--name=` of a container."""
    found = [one.split("=", 1)[1] for one in box.get("args", []) if one.startswith(f"--{name}=")]
    return found[-1] if found else None


def seconds(text):
    return int(re.fullmatch(r"(\d+)s", text).group(1))


def of_bytes(text):
    number, unit = re.fullmatch(r"(\d+)(Ki|Mi|Gi)?", str(text)).groups()
    return int(number) << {"Ki": 10, "Mi": 20, "Gi": 30}.get(unit, 0)


def servers(rendering):
    return [one for one in rendering.kinds("Deployment") if at(one, "metadata labels app.kubernetes.io/component") == "serve"]


def ends(rendering, name):
    """Time to answer all that was asked: the API server may wait its timeout after the last new connection."""
    for one in servers(rendering):
        box, spec = at(one, "spec template spec containers 0"), at(one, "spec template spec")
        drain, delay = (seconds(argument(box, key)) for key in ("drain-timeout", "shutdown-delay"))
        longest = max([webhook["timeoutSeconds"] for hook in rendering.kinds("ValidatingWebhookConfiguration")
                       for webhook in hook["webhooks"]], default=0)
        faults = {f"grace {spec['terminationGracePeriodSeconds']}, drain {drain}": spec["terminationGracePeriodSeconds"] != drain + 15,
                  f"drain {drain} after {delay} leaves less than {longest}": drain - delay < longest}
        yield name_of(one), ", ".join(what for what, wrong in faults.items() if wrong)


def held(rendering, name):
    """The budget of bodies is held by the limit twice, as docs/operations.md has it measured."""
    for one in servers(rendering):
        box = at(one, "spec template spec containers 0")
        limit, budget = of_bytes(at(box, "resources limits memory")), of_bytes(argument(box, "body-budget"))
        yield name_of(one), "" if limit >= 2 * budget else f"limit {limit}, budget {budget}"


def ports(rendering, _):
    """Probes by the name of a port that is there; the ports are those that the program listens at."""
    for one, _, spec in rendering.pods():
        for box in spec["containers"]:
            named = {port["name"]: port["containerPort"] for port in box.get("ports", [])}
            probes = [box[key]["httpGet"]["port"] for key in ("startupProbe", "readinessProbe", "livenessProbe") if key in box]
            listens = {name: int(argument(box, flag).rsplit(":", 1)[1]) for name, flag in (("https", "listen"), ("health", "health-listen"))
                       if argument(box, flag)}
            lacks = [port for port in probes if port not in named]
            runs = one["kind"] == "Deployment" and box["name"] in ("server", "controller")
            faults = {f"probes of {lacks}": lacks, f"ports {named}, it listens at {listens}": named != listens,
                      "no three probes": runs and len(probes) != 3}
            yield f"{name_of(one)} {box['name']}", ", ".join(what for what, wrong in faults.items() if wrong)


def mounts(rendering, _):
    for one, _, spec in rendering.pods():
        volumes = [volume["name"] for volume in spec.get("volumes", [])]
        mounted = [mount["name"] for box in boxes(spec) for mount in box.get("volumeMounts", [])]
        twice = [f"{volume} twice" for volume in set(volumes) if volumes.count(volume) > 1]
        yield name_of(one), ", ".join([missing(mounted, volumes), *twice]).strip(", ")


def references(rendering, _):
    """ConfigMaps, Secrets and accounts that pods name are rendered, or are the user's."""
    own = {name_of(one) for one in rendering.objects}
    of_user = {"ConfigMap/kube-root-ca.crt", "ConfigMap/roots", "ConfigMap/reports", "ConfigMap/callers", "Secret/logins", "Secret/own-tls"}
    of_user |= {f"Secret/{one['spec']['secretName']}" for one in rendering.kinds("Certificate")}
    for one, _, spec in rendering.pods():
        sources = [volume for volume in spec.get("volumes", [])] + [source for volume in spec.get("volumes", [])
                                                                   for source in volume.get("projected", {}).get("sources", [])]
        named = {f"ConfigMap/{source['configMap']['name']}" for source in sources if "configMap" in source}
        named |= {f"Secret/{source['secret']['secretName']}" for source in sources if "secretName" in source.get("secret", {})}
        named |= {f"ServiceAccount/{spec['serviceAccountName']}"} if "serviceAccountName" in spec else set()
        yield name_of(one), ", ".join(sorted(named - own - of_user))


def one_image(rendering, _):
    """Hooks and the test run what serves: no image of others, which may be gone one day."""
    of_user = {EXTRA_BOX["image"]}
    found = {box["image"] for _, _, spec in rendering.pods() for box in boxes(spec)} - of_user
    for one in found:
        yield one, "" if len(found) == 1 and "plimsoll" in one else f"one of {sorted(found)}"


def labelled(rendering, _):
    for one in rendering.objects:
        if name_of(one) not in OF_USERS:
            lacks = STANDARD - set(one["metadata"].get("labels", {}))
            yield name_of(one), f"lacks {sorted(lacks)}" if lacks else ""


def placed(rendering, _):
    """Only the right to read pull secrets lies in namespaces of others."""
    for one in rendering.objects:
        space = one["metadata"].get("namespace")
        if one["kind"] in CLUSTER_WIDE:
            fine = space is None
        elif one["kind"] == "RoleBinding" and one["metadata"]["name"].endswith("-pull-secrets"):
            fine = space in ("shop", "bank")
        else:
            fine = space == OWN or name_of(one) in OF_USERS
        yield name_of(one), "" if fine else f"in {space}"


def single(rendering, _):
    """No object is there twice."""
    names = [(name_of(one), one["metadata"].get("namespace")) for one in rendering.objects]
    for one in sorted(set(names), key=str):
        yield one, "" if names.count(one) == 1 else f"{names.count(one)} times"


def spread(rendering, _):
    """Replicas on different nodes and in different zones, where that is possible, and never all away at once."""
    for one in rendering.kinds("Deployment"):
        spec, rolling = at(one, "spec template spec"), at(one, "spec strategy rollingUpdate")
        keys = [term["topologyKey"] for term in spec["topologySpreadConstraints"]]
        on_nodes = {"maxSurge": 0, "maxUnavailable": 1} if spec.get("hostNetwork") else {"maxSurge": 1, "maxUnavailable": 0}
        faults = {f"spread over {keys}": keys != ["topology.kubernetes.io/zone", "kubernetes.io/hostname"],
                  "no anti-affinity": not at(spec, "affinity podAntiAffinity"), f"rolled out by {rolling}": rolling != on_nodes,
                  "priority": spec.get("priorityClassName") != "system-cluster-critical"}
        yield name_of(one), ", ".join(what for what, wrong in faults.items() if wrong)


def pod_spec(rendering, name):
    one = rendering.one(name)
    return one["spec"] if one["kind"] == "Pod" else one["spec"]["template"]["spec"]


def box_of(name, key, value):
    return lambda rendering: pod_spec(rendering, name)["containers"][0].update({key: value})


def spec_of(name, **changes):
    return lambda rendering: pod_spec(rendering, name).update(changes)


def metadata_of(kind, **changes):
    return lambda rendering: first(rendering, kind)["metadata"].update(changes)


CHECKS = [
    Check(10, "Pod Security restricted, hooks and the test included", restricted,
          box_of("Job/plimsoll-cleanup", "securityContext", {"runAsNonRoot": True})),
    Check(11, "no token, no variables of Services, read-only root, requests and a memory limit", hardened,
          spec_of("Pod/plimsoll-verify", enableServiceLinks=True)),
    Check(12, "the grace period is 15 s longer than draining, which leaves time for the last reviews", ends,
          spec_of("Deployment/plimsoll", terminationGracePeriodSeconds=30)),
    Check(13, "the memory limit holds the budget of bodies twice", held,
          box_of("Deployment/plimsoll", "resources", {"limits": {"memory": "128Mi"}})),
    Check(14, "ports are where the program listens, and probes go to ports by name", ports, box_of("Deployment/plimsoll", "ports", [])),
    Check(15, "every volume is mounted, every mount has a volume", mounts, spec_of("Job/plimsoll-cleanup", volumes=[])),
    Check(16, "what pods name is there, or is the user's", references, spec_of("Deployment/plimsoll", serviceAccountName="nobody")),
    Check(17, "standard labels on every object", labelled, metadata_of("Role", labels={"app.kubernetes.io/name": "plimsoll"})),
    Check(18, "namespaced objects are in the release's namespace", placed, metadata_of("Service", namespace="default")),
    Check(19, "no object is there twice", single, lambda rendering: rendering.objects.append(rendering.objects[0])),
    Check(21, "one image, in hooks and the test, too", one_image,
          box_of("Job/plimsoll-cleanup", "image", "docker.io/bitnami/kubectl:1.28")),
    Check(20, "replicas are spread, and are replaced one by one", spread, spec_of("Deployment/plimsoll", topologySpreadConstraints=[]),
          sets=all_but("everything")),
]
