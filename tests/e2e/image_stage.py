"""Images in registries of the cluster, the values that let plimsoll ask there, and what is said of images."""
import shutil

import images
import registries
import small_images
from kinds import Deeds
from layout import Layout
from node import is_running
from stage import OWN, container, deployment, verdict_of

OPEN, CLOSED = "10.250.0.1:5000", "10.250.0.1:5001"  # without and with credentials
LISTED = ("paid", "other")  # whose pods' own pull secrets are used
AUTHORITIES = "registry-authorities"
VAULT = "vault"  # where an image that is not known is refused
NAMESPACES = (*LISTED, VAULT, "unlisted")
WRONG = (registries.READER[0], "not the password")
BAKED = "correct-horse-battery"
RULES = {
    **{rule: {"action": "enforce"} for rule in ("image-tag", "image-exists", "layer-hygiene", "image-user", "image-secrets")},
    "image-size": {"action": "enforce", "maximum": "8Mi"}, "image-layers": {"action": "enforce", "maximumLayer": "4Mi"}}
REASONS = {  # words of docs/policy.md -> what people read
    "unauthorized": "the registry asks for credentials that plimsoll does not have", "not-found": "there is no such image in the registry",
    "inconsistent-image": "its configuration and its manifest do not belong together", "connect": "the registry could not be reached",
    "timeout": "the registry did not answer in time", "breaker-open": "the registry failed several times in a row"}
IMAGES = {  # label -> further layers, and what its configuration says
    "light": ([], {}), **{label: ([small_images.big_layer(1, label)], {}) for label in ("later", "next", "last")},
    "fat": ([small_images.big_layer(12)], {}), "root": ([], {"User": ""}),
    "tools": ([("RUN /bin/sh -c apt-get update && apt-get install -y build-essential # buildkit", images.noise("tools", 50000))], {}),
    "baked": ([], {"Env": ["PATH=/", f"DB_PASSWORD={BAKED}"]}),
    "own": ([small_images.big_layer(1, "own")], {}), "heavy": ([small_images.big_layer(12, "heavy")], {})}
BEHIND_CREDENTIALS = ("own", "heavy")


def image_values(**registry):
    """`registry`: further values of that name. It ends fast, so that none with an old cache is left."""
    config = {"registries": [{"host": host, "private": True, "ca": f"/etc/plimsoll/authorities/{name}.crt"} for host, name in
                             ((OPEN, "open"), (CLOSED, "closed"))]}
    if "credentialsSecret" in registry:
        config["credentials"] = ["/etc/plimsoll/credentials/config.json"]
    excluded = [{"namespaces": ["kube-*"]}]
    documents = {"images": {"exclude": excluded, "rules": RULES},
                 "vault": {"match": {"namespaces": [VAULT]}, "rules": {"image-exists": {"action": "enforce"}},
                           "onUnknown": {"access": "deny", "outage": "deny"}}}
    return {"mode": "enforce", "policies": {"documents": documents},
            "registries": {"config": config, "authoritiesConfigMap": AUTHORITIES, "pullSecretNamespaces": list(LISTED), **registry},
            "networkPolicy": {"egress": {"registryPorts": [443, 5000, 5001]}},
            "server": {"shutdownDelaySeconds": 3, "drainTimeoutSeconds": 5}}


class Images(Deeds):
    """Pushes them; asks about them in any namespace."""

    def __init__(self, stage):
        super().__init__(stage, "shop")
        self.open = self.closed = None
        self.digests = {}

    def prepare(self):
        """Registries with images, namespaces with secrets, and what the values name."""
        self.open, self.closed = self.node.registry("none"), self.node.registry("basic")
        for label, (layers, config) in IMAGES.items():
            config = {"Labels": {"test.plimsoll.dev/image": label}, **config}  # the kubelet keeps from others what it pulled with a secret
            archive = small_images.oci_archive(self.stage.directory, label, layers, **config)
            self.digests[label] = self.node.push_image(archive, self.reference(label))
        layout = Layout(self.stage.directory / "odd")
        steps = [images.Step("COPY app /app", {"app": b"app"})]
        layout.name("odd", images.image(layout, steps, config={"User": "65532"}, rootfs={"type": "layers", "diff_ids": []}))
        self.open.push(layout, "odd", "1.0.0", to="team/odd")
        for name in (*NAMESPACES, OWN):
            self.stage.namespace(name)
        self.node.create(f"/api/v1/namespaces/{OWN}/configmaps", {"metadata": {"name": AUTHORITIES}, "data": {
            "open.crt": self.open.authority.ca.read_text(), "closed.crt": self.closed.authority.ca.read_text()}})
        for name_space in (*LISTED, "unlisted"):
            self.node.pull_secret(name_space, "right", CLOSED)
            self.node.pull_secret(name_space, "wrong", CLOSED, WRONG)
        account = {"metadata": {"name": "puller"}, "imagePullSecrets": [{"name": "right"}]}
        self.node.create("/api/v1/namespaces/paid/serviceaccounts", account)

    def end(self):
        for label in self.digests:
            self.node.remove_image(self.reference(label))
        for registry in (self.open, self.closed):
            if registry is not None:
                registry.close()
                self.node.registries.pop(registry.host)
                shutil.rmtree(self.node.directory / "certs.d" / registry.host)
        self.node.kubectl("delete", "namespace", *NAMESPACES, "--ignore-not-found", timeout=150)

    def reference(self, label, digest=False):
        name = f"{CLOSED if label in BEHIND_CREDENTIALS else OPEN}/team/{label}"
        return f"{name}@{self.digests[label]}" if digest else f"{name}:1.0.0"

    def deployment(self, label, *secrets, name=None, digest=False, **more):
        """A Deployment of the image, good in all that can be seen without a registry."""
        given = {"imagePullSecrets": [{"name": secret} for secret in secrets]} if secrets else {}
        return deployment(name or label, container(self.reference(label, digest)), **given, **more)

    def asked(self, thing, name_space="shop"):
        """(verdict, what kubectl printed) of a dry run; the verdict with rules in the order of the alphabet, and a reason."""
        code, text = self.stage.apply(thing, name_space, "--dry-run=server")
        verdict = verdict_of(code, text)
        if verdict.startswith("refused: "):
            verdict = "refused: " + ", ".join(sorted(verdict.removeprefix("refused: ").split(", ")))
        found = [word for word, clause in REASONS.items() if clause in text]
        return verdict + (f": {', '.join(found)}" if found else ""), text

    def judged(self, label, *secrets, name_space="shop", **more):
        return self.asked(self.deployment(label, *secrets, **more), name_space)[0]

    def runs(self, label, name_space):
        """Whether the pods run what was pushed."""
        pods = [pod for pod in self.node.pods(name_space, f"app={label}") if is_running(pod)]
        pulled = [status["imageID"].endswith(self.digests[label]) for pod in pods for status in pod["status"]["containerStatuses"]]
        return f"{len(pods)} run{'s' if len(pods) == 1 else ''} what was pushed" if pulled and all(pulled) else f"{len(pods)} run, {pulled}"
