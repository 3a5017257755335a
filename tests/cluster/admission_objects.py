"""The pod-bearing kinds as objects to create and as changes to make, and the policies that judge them."""
import copy
import dataclasses
import json

POLICY = """
apiVersion: plimsoll.dev/v1alpha1
kind: HygienePolicy
metadata: {name: strict}
spec:
  rules:
    image-reference: {action: enforce}
    image-tag: {action: enforce}
    liveness-probe: {action: enforce}
    version-label: {action: enforce}
  exceptions:
    - {rules: [image-tag, liveness-probe], match: {names: ["legacy-*"]}, owner: team-a, reason: moves next year, expires: 2099-12-31}
---
apiVersion: plimsoll.dev/v1alpha1
kind: HygienePolicy
metadata: {name: gold}
spec:
  match: {labelSelector: {matchLabels: {tier: gold}}}
  rules:
    readiness-probe: {action: enforce}
---
apiVersion: plimsoll.dev/v1alpha1
kind: HygienePolicy
metadata: {name: sized}
spec:
  match: {labelSelector: {matchLabels: {sized: "yes"}}}
  rules:
    resources: {action: enforce, requests: [], limits: [memory], maximum: {memory: 128Mi}}
---
apiVersion: plimsoll.dev/v1alpha1
kind: HygienePolicy
metadata: {name: replicated}
spec:
  match: {names: ["replicated-*"]}
  rules:
    replicas: {action: enforce}
"""
GOOD, BETTER, BAD, WORSE = "nginx:1.27.3", "nginx:1.27.4", "nginx:latest", "redis:latest"
VERSION = "app.kubernetes.io/version"
FINALIZER = "tests.example/hold"
LIVENESS = {"httpGet": {"path": "/", "port": 80}}


@dataclasses.dataclass(frozen=True)
class Kind:
    """One kind as the API serves it; `template`: the way to the pod template, "" for a Pod itself."""
    name: str
    api: str
    plural: str
    template: str
    selector: str = ""  # how it selects pods: "labels" (matchLabels), "map", or not at all
    runs_on: bool = True  # liveness is asked of it
    scales: bool = False
    fixed: bool = False  # the API server lets nobody change its pod template

    def path(self, namespace, name="", part=""):
        root = "/api/v1" if self.api == "v1" else f"/apis/{self.api}"
        return f"{root}/namespaces/{namespace}/{self.plural}" + (f"/{name}" if name else "") + (f"/{part}" if part else "")

    def template_of(self, thing):
        for key in filter(None, self.template.split("/")):
            thing = thing[key]
        return thing

    def containers_path(self):
        return "/" + "/".join(filter(None, [self.template, "spec/containers"]))

    @property
    def reasons(self):
        """The rules that deny a bad object of this kind."""
        return "image-tag, liveness-probe" if self.runs_on else "image-tag"


KINDS = [
    Kind("Pod", "v1", "pods", ""),
    Kind("Deployment", "apps/v1", "deployments", "spec/template", "labels", scales=True),
    Kind("StatefulSet", "apps/v1", "statefulsets", "spec/template", "labels", scales=True),
    Kind("DaemonSet", "apps/v1", "daemonsets", "spec/template", "labels"),
    Kind("ReplicaSet", "apps/v1", "replicasets", "spec/template", "labels", scales=True),
    Kind("ReplicationController", "v1", "replicationcontrollers", "spec/template", "map", scales=True),
    Kind("PodTemplate", "v1", "podtemplates", "template"),
    Kind("Job", "batch/v1", "jobs", "spec/template", runs_on=False, fixed=True),
    Kind("CronJob", "batch/v1", "cronjobs", "spec/jobTemplate/spec/template", runs_on=False),
]
BY_NAME = {kind.name: kind for kind in KINDS}
POD, DEPLOYMENT, REPLICASET = BY_NAME["Pod"], BY_NAME["Deployment"], BY_NAME["ReplicaSet"]


def container(image=GOOD, name="web", probe=True, **more):
    made = {"name": name, "image": image, **({"livenessProbe": LIVENESS} if probe else {})}
    return {**made, **more}


def bad_container():
    return container(BAD, probe=False)


def at(path, value):
    """{"spec": {"template": value}} for "spec/template"."""
    for key in reversed(list(filter(None, path.split("/")))):
        value = {key: value}
    return value


def merged(below, above):
    """A JSON merge of maps; lists are replaced."""
    both = isinstance(below, dict) and isinstance(above, dict)
    return {**below, **{key: merged(below.get(key), value) for key, value in above.items()}} if both else copy.deepcopy(above)


def make(kind, name, *containers, **metadata):
    """An object that no policy has anything against, or one of these containers."""
    spec = {"containers": list(containers) or [container()], **({} if kind.runs_on else {"restartPolicy": "Never"})}
    template = {"spec": spec} if kind is POD else {"metadata": {"labels": {"app": "web"}}, "spec": spec}
    thing = {"apiVersion": kind.api, "kind": kind.name, "metadata": {"name": name, "labels": {"app": "web"}, **metadata},
             **at(kind.template, template)}
    if kind.selector:
        thing["spec"]["selector"] = {"matchLabels": {"app": "web"}} if kind.selector == "labels" else {"app": "web"}
    if kind.scales:
        thing["spec"]["replicas"] = 2
    if kind.name == "StatefulSet":
        thing["spec"]["serviceName"] = "web"
    if kind.name == "CronJob":
        thing["spec"]["schedule"] = "0 4 * * *"
    return thing


def make_bad(kind, name, **metadata):
    return make(kind, name, bad_container(), **metadata)


def large_strings(name, kilobytes=1500, **metadata):
    """A Deployment about as large as etcd takes (1.5 MiB), of few strings."""
    return make(DEPLOYMENT, name, container(args=["x" * 996 + f"{number:04}" for number in range(kilobytes)]), **metadata)


def many_variables(name, count=10_000, **metadata):
    """A Deployment about as large as etcd takes with its managed fields, of many small values."""
    env = [{"name": f"VARIABLE_{number:05}", "value": "v" * 40} for number in range(count)]
    return make(DEPLOYMENT, name, container(env=env), **metadata)


def changed(kind, thing, image):
    """The object with another image; where the API server would not have that, with a version label that its tag belies."""
    new = copy.deepcopy(thing)
    if kind.fixed:
        new["metadata"].setdefault("labels", {})[VERSION] = "9.9.9" if image in (BAD, WORSE) else thing_version(kind, thing)
    else:
        kind.template_of(new)["spec"]["containers"][0]["image"] = image
    return new


def thing_version(kind, thing):
    return kind.template_of(thing)["spec"]["containers"][0]["image"].split(":")[1]


def change_reason(kind):
    return "version-label" if kind.fixed else "image-tag"


def patches(kind, thing, image):
    """The same change in each way to write a patch: words -> (content type, body)."""
    new = changed(kind, thing, image)
    labels = {"metadata": {"labels": new["metadata"]["labels"]}}
    containers = at(kind.containers_path(), kind.template_of(new)["spec"]["containers"])
    piece = at(kind.containers_path(), [{"name": "web", "image": image}])
    merge, strategic = (labels, labels) if kind.fixed else (containers, piece)
    where = "/metadata/labels/" + VERSION.replace("/", "~1") if kind.fixed else kind.containers_path() + "/0/image"
    value = new["metadata"]["labels"][VERSION] if kind.fixed else image
    applied = {"apiVersion": kind.api, "kind": kind.name, **merged({"metadata": {"name": thing["metadata"]["name"]}}, strategic)}
    return {"a merge patch": ("application/merge-patch+json", merge),
            "a strategic merge patch": ("application/strategic-merge-patch+json", strategic),
            "a JSON patch": ("application/json-patch+json", [{"op": "add", "path": where, "value": value}]),
            "server-side apply": ("application/apply-patch+yaml", applied)}


def text(*things):
    """For `kubectl -f -`: JSON is YAML."""
    return "\n---\n".join(map(json.dumps, things))
