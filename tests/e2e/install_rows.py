"""Group 1: from nothing to the first judged object, in each mode, as kubectl shows it."""
import json

from stage import OWN, bad_container, deployment, values


REFUSED = "refused: image-tag, liveness-probe, readiness-probe, resources"


class Install:
    def __init__(self, stage):
        self.stage = stage

    def installed(self):
        notes = self.stage.install(values("audit"))
        pods = len(self.stage.running()), len(self.stage.running("controller"))
        return f"{pods[0]} serve, {pods[1]} controllers; notes: {'break-glass' if 'kubectl delete validatingwebhookconfiguration' in notes else notes}"

    def audited(self):
        seen = self.stage.verdict(deployment("audited", bad_container()))
        said = self.stage.decisions("audited")
        return f"{seen}; decision: {said.get('decision')}; rules: {', '.join(sorted(said.get('rules', '').split(', ')))}"

    def warned(self):
        self.stage.upgrade(values("warn"))
        return self.stage.comes_to("admitted, 6 warnings", deployment("warned", bad_container()))

    def refused(self):
        self.stage.upgrade(values("enforce"))
        return self.stage.comes_to(REFUSED, deployment("refused", bad_container()))

    def reasons(self):
        said = self.stage.apply(deployment("refused", bad_container()))[1]
        wanted = ['deny image-tag: container "app" image localhost/team/app:latest has the mutable tag "latest"', "fix: name the version",
                  "deny liveness-probe", "fix: add livenessProbe", "deny resources"]
        return "found, limit and fix" if all(part in said for part in wanted) else said

    def good(self):
        return f"{self.stage.verdict(deployment('good', replicas=2))}; {self.stage.rolled_out('good')}"

    def tested(self):
        done = self.stage.helm("test", "plimsoll", "-n", OWN, "--logs")
        said = done.stdout + done.stderr
        wanted = ("denied: deny image-tag", "a Deployment without fault: admitted", "plimsoll verify: it answers")
        return f"exit {done.returncode}, " + ("said so" if all(part in said for part in wanted) else said[-800:])

    def tested_by_three(self):
        done = self.stage.helm("test", "plimsoll", "-n", OWN, three=True)
        return f"exit {done.returncode}"

    def restricted(self):
        """The pods pass the strictest level of Pod Security, which the API server checks."""
        self.stage.node.patch(f"/api/v1/namespaces/{OWN}", {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}})
        done = self.stage.node.kubectl("rollout", "restart", "-n", OWN, "deployment/plimsoll", "deployment/plimsoll-controller")
        self.stage.node.kubectl("rollout", "status", "-n", OWN, "deployment/plimsoll", "--timeout=60s", timeout=90)
        self.stage.node.kubectl("rollout", "status", "-n", OWN, "deployment/plimsoll-controller", "--timeout=60s", timeout=90)
        tested = self.stage.helm("test", "plimsoll", "-n", OWN).returncode
        return f"{len(self.stage.running())} + {len(self.stage.running('controller'))} pods, helm test exit {tested}" + done.stderr

    def token(self):
        """No pod has a token but the one that is mounted by name; serve's reads three kinds of objects."""
        pod = self.stage.running()[0]
        volumes = sorted(volume["name"] for volume in pod["spec"]["volumes"])
        return f"automount {pod['spec'].get('automountServiceAccountToken')}; {', '.join(volumes)}"

    def keys(self):
        """The authority's key is in the Secret, but in no serving pod."""
        secret = self.stage.node.get(f"/api/v1/namespaces/{OWN}/secrets/plimsoll-tls")["data"]
        volume = next(volume for volume in self.stage.running()[0]["spec"]["volumes"] if volume["name"] == "tls")
        return f"{'ca.key in the Secret' if secret.get('ca.key') else sorted(secret)}; mounted: {', '.join(item['key'] for item in volume['secret']['items'])}"

    def memory(self):
        """Of a server at rest, below a limit of 256Mi."""
        sizes = [self.stage.node.resident_bytes(container)[0] >> 20 for container in
                 self.stage.node.container_ids(OWN, "app.kubernetes.io/component=serve")]
        self.seen = f"{max(sizes)} MiB"
        return "below 64 MiB each" if sizes and max(sizes) < 64 else f"{sizes} MiB"

    def conflict(self):
        """A second release of another name has names of its own, and no object in common."""
        done = self.stage.helm("template", "other", self.stage.chart, "-n", "other")
        names = {line.strip() for line in done.stdout.splitlines() if line.startswith("  name: ")}
        return "none in common" if names and not names & {"name: plimsoll", "name: plimsoll-controller"} else str(sorted(names))

    def gone(self):
        self.stage.uninstall()
        with_webhook = self.stage.node.get("/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations")["items"]
        self.stage.forget()
        return f"{len(with_webhook)} webhook configurations"

    def kustomized(self):
        """`kubectl apply -k`, with the image that is in this cluster."""
        stage = self.stage
        overlay = stage.directory / "kustomize"
        overlay.mkdir(exist_ok=True)
        relative = "/".join([".."] * (len(overlay.resolve().parts) - 1)) + str(stage.chart.parent.parent / "manifests" / "overlays" / "enforce")
        (overlay / "kustomization.yaml").write_text(json.dumps({
            "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": [relative],
            "images": [{"name": "plimsoll", "newName": "localhost/plimsoll"}]}))
        done = stage.node.kubectl("apply", "-k", overlay, timeout=120)
        if done.returncode:
            return done.stderr[-800:]
        for name in ("plimsoll", "plimsoll-controller"):
            done = stage.node.kubectl("rollout", "status", "-n", OWN, f"deployment/{name}", "--timeout=90s", timeout=120)
        seen = stage.node.wait_until(lambda: (found := stage.verdict(deployment("plain", bad_container()), "shop", "--dry-run=server")).startswith("refused")
                                     and found, 20, "it refuses")
        stage.node.kubectl("delete", "validatingwebhookconfiguration", "plimsoll")
        stage.node.kubectl("delete", "-k", overlay, "--wait=false", timeout=120)
        stage.forget()
        return seen

    def rows(self):
        return [
            ("1.1", "helm install --wait, profile audit", "2 serve, 2 controllers; notes: break-glass", self.installed),
            ("1.2", "mode audit: a bad Deployment", "admitted; decision: allow; rules: "
             "image-tag (audit), liveness-probe (audit), readiness-probe (audit), replicas (audit), resources (audit)", self.audited),
            ("1.3", "mode warn: a bad Deployment", "admitted, 6 warnings", self.warned),
            ("1.4", "mode enforce: a bad Deployment", REFUSED, self.refused),
            ("1.5", "its reasons, as kubectl prints them", "found, limit and fix", self.reasons),
            ("1.6", "a good Deployment", "admitted; rolled out", self.good),
            ("1.7", "helm test, Helm 4", "exit 0, said so", self.tested),
            ("1.8", "helm test, Helm 3", "exit 0", self.tested_by_three),
            ("1.9", "Pod Security restricted in its namespace", "2 + 2 pods, helm test exit 0", self.restricted),
            ("1.10", "what a serving pod mounts", "automount False; policies, tls, token", self.token),
            ("1.11", "keys in the Secret, keys in pods", "ca.key in the Secret; mounted: tls.crt, tls.key", self.keys),
            ("1.12", "memory of a server at rest", "below 64 MiB each", self.memory),
            ("1.13", "a second release", "none in common", self.conflict),
            ("1.14", "helm uninstall", "0 webhook configurations", self.gone),
            ("1.15", "kubectl apply -k manifests/overlays/enforce", REFUSED, self.kustomized),
        ]


def rows(stage):
    return Install(stage).rows()
