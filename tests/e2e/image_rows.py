"""Group 7: rules about images of registries in the cluster, with pull secrets, and with a registry that is away."""
import re

import registries
from image_outages import Outages
from image_stage import BAKED, CLOSED, OPEN, Images, image_values
from stage import OWN

EXCESS = "refused: image-layers, image-size"
NO_ACCESS = "admitted, 1 warning: unauthorized"


class Judged:
    """What an image is, decides."""

    def __init__(self, images):
        self.images, self.stage = images, images.stage

    def installed(self):
        self.images.prepare()
        self.stage.install(image_values())
        return f"{len(self.stage.running())} serve"

    def ports(self):
        """Rendered as a user would; the network of this cluster does not enforce it."""
        items = self.stage.node.get(f"/apis/networking.k8s.io/v1/namespaces/{OWN}/networkpolicies")["items"]
        serve = [item for item in items if item["spec"]["podSelector"].get("matchLabels", {}).get("app.kubernetes.io/component") == "serve"]
        ports = {port["port"] for item in serve for rule in item["spec"].get("egress", []) for port in rule.get("ports", [])}
        return f"registries: {', '.join(str(port) for port in sorted(ports & {443, 5000, 5001}))}"

    def pulled(self, label="light", name_space="shop", *secrets):
        """Stored, pulled by the node, run."""
        said = self.stage.verdict(self.images.deployment(label, *secrets), name_space)
        return f"{said}; {self.stage.rolled_out(label, name_space, 90)}; {self.images.runs(label, name_space)}"

    def reasons(self):
        """Of the fat image, as kubectl prints them."""
        said = self.images.asked(self.images.deployment("fat"))[1]
        wanted = {
            "size and limit": r"deny image-size: container \"app\" image 10\.250\.0\.1:5000/team/fat:1\.0\.0 is 12\.\d MiB compressed "
                              r"\(linux/amd64\), limit 8 MiB",
            "instruction": r"largest layer 12 MiB: COPY big /data", "fix": r"fix: multi-stage build",
            "cost": r"a pull costs up to \$0\.0012 \(0\.09 \$/GB internet egress\)",  # 12.9 MB for $0.00116
            "layer and its limit": r"deny image-layers: .* has a layer of 12 MiB compressed .*, limit 4 MiB",
            "its instruction": r"layer 2 of 2, sha256:[0-9a-f]{64}: COPY big /data", "its fix": r"fix: split what changes seldom"}
        told = [what for what, pattern in wanted.items() if re.search(pattern, said)]
        return ", ".join(told) if len(told) == len(wanted) else f"{told} of {said}"

    def baked(self):
        verdict, said = self.images.asked(self.images.deployment("baked"))
        told = BAKED in said or any(BAKED in str(line) for line in self.stage.logs())
        return f"{verdict}; {'its name' if 'DB_PASSWORD' in said else said}; its value {'told' if told else 'nowhere'}"

    def root(self):
        """The pod leaves the user to the image, and does not."""
        left = self.images.judged("root", securityContext={})
        return f"{left}; with runAsUser {self.images.judged('root', securityContext={'runAsUser': 1000})}"

    def absent(self, name_space):
        thing = self.images.deployment("light", name="absent")
        thing["spec"]["template"]["spec"]["containers"][0]["image"] = f"{OPEN}/team/absent:1.0.0"
        return self.images.asked(thing, name_space)[0]

    def odd(self):
        thing = self.images.deployment("light", name="odd")
        thing["spec"]["template"]["spec"]["containers"][0]["image"] = f"{OPEN}/team/odd:1.0.0"
        return self.images.asked(thing)[0]

    def rows(self):
        judged = self.images.judged
        return [
            ("helm install with registries, authorities and namespaces of pull secrets", "2 serve", self.installed),
            ("the NetworkPolicy lets serve reach", "registries: 443, 5000, 5001", self.ports),
            ("a light image", "admitted; rolled out; 1 runs what was pushed", self.pulled),
            ("an image of 12 MiB, limits 8 MiB and 4 MiB a layer", EXCESS, lambda: judged("fat")),
            ("the same by digest", EXCESS, lambda: judged("fat", digest=True)),
            ("its reasons, as kubectl prints them",
             "size and limit, instruction, fix, cost, layer and its limit, its instruction, its fix", self.reasons),
            ("a layer with build tools", "refused: layer-hygiene", lambda: judged("tools")),
            ("a password in its environment", "refused: image-secrets; its name; its value nowhere", self.baked),
            ("an image without user, where the pod leaves it to the image", "refused: image-user; with runAsUser admitted", self.root),
            ("an image that is not there", "admitted, 1 warning: not-found", lambda: self.absent("shop")),
            ("the same where a policy says onUnknown access deny", "refused: image-exists: not-found", lambda: self.absent("vault")),
            ("an image with the configuration of another: definite", "refused: image-secrets, layer-hygiene: inconsistent-image", self.odd)]


class Secrets:
    """A registry that asks for credentials."""

    def __init__(self, images, judged):
        self.images, self.stage, self.judged = images, images.stage, judged

    def heavy(self, name_space, *secrets, **more):
        return self.images.judged("heavy", *secrets, name_space=name_space, **more)

    def stranger(self, *secrets):
        """After another namespace has read the image: by tag, by digest, and whether anything of it is told."""
        asked = [self.images.asked(self.images.deployment("heavy", *secrets, digest=digest), "other") for digest in (False, True)]
        told = any(word in text for _, text in asked for word in ("MiB", "COPY"))
        return f"{asked[0][0]}; by digest {asked[1][0]}; its facts {'told' if told else 'not told'}"

    def leaked(self):
        """Passwords, as they are and as they are sent."""
        sent = registries.docker_config({CLOSED: registries.READER})
        words = [registries.READER[1], re.search(r'"auth": "([^"]+)"', sent).group(1)]
        text = str(self.stage.logs() + self.stage.logs("controller"))
        return "some" if any(word in text for word in words) else f"none, in {'some' if len(text) > 1000 else 'no'} lines"

    def configured(self):
        """plimsoll's own credentials, from a Secret that the values name."""
        self.stage.node.pull_secret(OWN, "registry-credentials", CLOSED)
        self.stage.upgrade(image_values(credentialsSecret="registry-credentials"))
        node, serving = self.stage.node, "app.kubernetes.io/component=serve"
        node.wait_until(lambda: len(node.pods(OWN, serving)) == 2, 120, "the old servers have ended")
        return f"{self.heavy('unlisted')}; vault {self.heavy('vault')}"

    def rows(self):
        heavy = self.heavy
        stranger = f"{NO_ACCESS}; by digest {NO_ACCESS}; its facts not told"
        return [
            ("behind credentials: the pod's pull secret", EXCESS, lambda: heavy("paid", "right")),
            ("the pull secret of its service account", EXCESS, lambda: heavy("paid", serviceAccountName="puller")),
            ("a light one with its pull secret", "admitted; rolled out; 1 runs what was pushed",
             lambda: self.judged.pulled("own", "paid", "right")),
            ("no pull secret", NO_ACCESS, lambda: heavy("paid")),
            ("a wrong password", NO_ACCESS, lambda: heavy("paid", "wrong")),
            ("another namespace, without a pull secret", stranger, self.stranger),
            ("another namespace, with a wrong password", stranger, lambda: self.stranger("wrong")),
            ("a namespace whose pull secrets are not used", NO_ACCESS, lambda: heavy("unlisted", "right")),
            ("where a policy says onUnknown access deny", "refused: image-exists: unauthorized", lambda: heavy("vault")),
            ("passwords in the log", "none, in some lines", self.leaked),
            ("helm upgrade with credentials of plimsoll's own", f"{EXCESS}; vault {EXCESS}", self.configured)]


class Group:
    def __init__(self, stage):
        self.stage, self.images = stage, Images(stage)
        self.judged, self.outages = Judged(self.images), Outages(self.images)
        self.secrets = Secrets(self.images, self.judged)

    def left(self):
        self.stage.uninstall()
        self.stage.forget()
        self.images.end()
        found = self.stage.node.get("/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations")["items"]
        return f"{len(found)} webhook configurations, namespace {'there' if self.stage.exists(f'/api/v1/namespaces/{OWN}') else 'gone'}"

    def rows(self):
        rows = [*self.judged.rows(), *self.secrets.rows(), *self.outages.rows(),
                ("helm uninstall", "0 webhook configurations, namespace gone", self.left)]
        return [(f"7.{at}", *row) for at, row in enumerate(rows, 1)]


def rows(stage):
    return Group(stage).rows()
