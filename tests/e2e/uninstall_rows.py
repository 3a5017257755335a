"""Group 9: uninstall under load, what is left and what is not, when it goes wrong, and the way back; upgrades are in release_rows.py."""
import time

from leftovers import Leftovers
from release_rows import Releases
from stage import CONFIGURATION, OWN, Load, bad_container, container, deployment, values

CLOSED = {"failClosed": {"namespaces": ["shop"]}}
QUICK = {"server": {"shutdownDelaySeconds": 1, "drainTimeoutSeconds": 3}}  # the API server keeps idle connections for 90 s
STEADY = deployment("steady")
REFUSED = "refused: image-tag, liveness-probe, readiness-probe, resources"
# The first is what the API server makes of the definitions.
KEPT = ("APIService v1alpha1.plimsoll.dev", "CustomResourceDefinition hygieneexceptions.plimsoll.dev",
        "CustomResourceDefinition hygienepolicies.plimsoll.dev", "HygienePolicy kept")
POLICY = {"apiVersion": "plimsoll.dev/v1alpha1", "kind": "HygienePolicy", "metadata": {"name": "kept"},
          "spec": {"match": {"names": ["kept-*"]}, "rules": {"image-digest": {"action": "enforce"}}}}
LATEST = deployment("kept-latest", container("localhost/team/app:latest"))  # the release's documents would call it image-tag


class Uninstall:
    def __init__(self, stage):
        self.stage, self.node, self.left = stage, stage.node, None

    def begin(self):
        """A namespace that is open and one that is closed, and ours, which no uninstall removes."""
        if self.left is None:
            for name in ("open", OWN):
                self.stage.namespace(name)
            self.left = Leftovers(self.node)

    def failed_open(self):
        """How often the API server went on without asking."""
        lines = self.node.get("/metrics").splitlines()
        counts = [line for line in lines if line.startswith("apiserver_admission_webhook_fail_open_count")]
        return sum(float(line.rsplit(" ", 1)[1]) for line in counts)

    def install(self, *, three=False, **more):
        self.begin()
        self.stage.install(values("enforce", **CLOSED, **more), three=three)
        seen = self.stage.comes_to(REFUSED, deployment("bad", bad_container()))
        if seen != REFUSED:
            raise AssertionError(f"it does not judge: {seen}")
        return seen

    def under_load(self, *flags, three=False):
        """Uninstalls while dry runs go on in both namespaces."""
        before = self.failed_open()
        loads = {"shop": Load(self.stage, "shop", STEADY, clients=3), "open": Load(self.stage, "open", STEADY, clients=2)}
        with loads["shop"], loads["open"]:
            self.node.wait_until(lambda: min(load.total() for load in loads.values()) > 50, 60, "the load flows")
            done = self.stage.helm("uninstall", "plimsoll", "-n", OWN, "--wait", "--timeout", "120s", *flags, three=three)
            meanwhile = {name: load.total() for name, load in loads.items()}
            self.node.wait_until(lambda: all(load.total() > meanwhile[name] + 50 for name, load in loads.items()), 60, "the load goes on")
        print(f"       {({name: load.answers for name, load in loads.items()})}", flush=True)
        kinds = sorted({kind for load in loads.values() for kind in load.answers})
        there = "a webhook is there" if self.stage.exists(CONFIGURATION) else "no webhook"
        unasked = self.failed_open() - before
        return f"exit {done.returncode}; {', '.join(kinds)}; unasked {unasked:.0f}; {there}" + (done.stderr if done.returncode else "")

    def dry(self, thing, name_space="shop"):
        return self.stage.verdict(thing, name_space, "--dry-run=server")

    def labelled(self, expected=()):
        """What is new, and how much of it has the release's label."""
        names = self.left.come_to(expected)
        labelled = [name for name, label in self.left.new().items() if label == "plimsoll" and name not in KEPT]
        return f"{names}; with the release's label besides: {len(labelled)}"

    # By the book.

    def installed_by_three(self):
        seen = self.install(three=True)
        code, said = self.stage.apply(POLICY)
        return f"{seen}; policy {'kept' if code == 0 else said}"

    def installed_again(self):
        """The first verdict at all is that of the policy that was kept."""
        self.stage.install(values("enforce", **CLOSED, **QUICK))
        return self.node.wait_until(lambda: (seen := self.dry(LATEST)) != "admitted" and seen, 30, "a verdict")

    def without_definitions(self):
        """The policy goes with its definition."""
        self.stage.install(values("enforce", crds={"keep": False}, **CLOSED, **QUICK))
        self.stage.uninstall()
        return self.labelled()

    def without_cleanup(self):
        self.install(cleanup={"enabled": False}, **QUICK)
        return self.under_load()

    def without_hooks(self):
        self.install(**QUICK)
        return self.under_load("--no-hooks")

    # When it goes wrong.

    def not_pulled(self):
        """The image is gone from registry and node, so that the Job before the uninstall cannot run."""
        self.install(cleanup={"deadlineSeconds": 20}, crds={"keep": False}, **QUICK)
        self.node.remove_image("localhost/plimsoll:0.1.0")
        done = self.stage.helm("uninstall", "plimsoll", "-n", OWN, "--wait", "--timeout", "60s")
        print(f"       {done.stderr.strip()[-300:]}", flush=True)
        why = self.node.kubectl("get", "pods", "-n", OWN, "-l", "app.kubernetes.io/component=cleanup").stdout
        named = "pre-delete" in done.stderr or "plimsoll-cleanup" in done.stderr
        still = self.dry(deployment("bad", bad_container()))
        return f"exit {done.returncode}, {'the hook is named' if named else done.stderr + why}; {len(self.stage.running())} serve; {still}"

    def way_out(self):
        """As the chart's README has it."""
        first = self.node.kubectl("delete", "validatingwebhookconfiguration", "plimsoll")
        second = self.stage.helm("uninstall", "plimsoll", "-n", OWN, "--no-hooks", "--wait", "--timeout", "120s")
        self.node.kubectl("delete", "job", "plimsoll-cleanup", "-n", OWN, "--ignore-not-found")
        self.node.load(self.stage.release)
        return f"exit {first.returncode}, {second.returncode}; {self.labelled()}" + second.stderr

    def glass_broken(self):
        """The webhook configuration is gone already."""
        self.install(crds={"keep": False}, **QUICK)
        self.node.kubectl("delete", "validatingwebhookconfiguration", "plimsoll")
        done = self.stage.helm("uninstall", "plimsoll", "-n", OWN, "--wait", "--timeout", "120s")
        return f"exit {done.returncode}; {self.labelled()}" + (done.stderr if done.returncode else "")

    def twice(self):
        done = self.stage.helm("uninstall", "plimsoll", "-n", OWN)
        return f"exit {done.returncode}, {'not found' if 'not found' in done.stderr else done.stderr}"

    def namespace_deleted(self):
        """Nobody is told to uninstall so; what failurePolicy Fail then means is told by every refusal."""
        self.install(**QUICK)
        self.node.kubectl("delete", "namespace", OWN, "--timeout=120s", timeout=150)
        said = self.stage.apply(STEADY, "shop", "--dry-run=server")[1]
        named = "failed calling webhook" in said and f"plimsoll.{OWN}.svc" in said
        asked = "shop is refused, and says whom it asked" if named else said
        return f"{asked}; open: {self.dry(STEADY, 'open')}; kube-system: {self.dry(STEADY, 'kube-system')}"

    def installed_over_it(self):
        """The same release, in the same namespace, takes back what is left."""
        self.stage.install(values("enforce", **CLOSED, **QUICK))
        return self.stage.comes_to("admitted", STEADY)

    def glass_breaks(self):
        self.node.kubectl("delete", "namespace", OWN, "--timeout=120s", timeout=150)
        began = time.monotonic()
        self.node.kubectl("delete", "validatingwebhookconfiguration", "plimsoll")
        seen = self.stage.comes_to("admitted", STEADY)
        print(f"       admitted {time.monotonic() - began:.1f} s after kubectl delete validatingwebhookconfiguration", flush=True)
        return seen

    def rest_of_it(self):
        """By the label that everything has."""
        kinds = "clusterroles,clusterrolebindings,customresourcedefinitions"
        self.node.kubectl("delete", kinds, "-l", "app.kubernetes.io/instance=plimsoll", timeout=120)
        self.stage.namespace(OWN)
        return self.labelled()

    def rows(self):
        flowed = "exit 0; admitted; unasked 0; no webhook"
        kept, gone = f"{', '.join(KEPT)}; with the release's label besides: 0", "nothing; with the release's label besides: 0"
        return [
            ("9.1", "installed by Helm 3, with failClosed.namespaces; a HygienePolicy is made", f"{REFUSED}; policy kept",
             self.installed_by_three),
            ("9.2", "helm uninstall under load, Helm 3", flowed, lambda: self.under_load(three=True)),
            ("9.3", "what it leaves: definitions and policies", kept, lambda: self.labelled(KEPT)),
            ("9.4", "installed again by Helm 4: the kept policy is in force at once", "refused: image-digest", self.installed_again),
            ("9.5", "helm uninstall under load, Helm 4", flowed, self.under_load),
            ("9.6", "what it leaves", kept, lambda: self.labelled(KEPT)),
            ("9.7", "crds.keep false: installed over what was kept, and uninstalled", gone, self.without_definitions),
            ("9.8", "cleanup.enabled false: helm uninstall under load, Helm 4", flowed, self.without_cleanup),
            ("9.9", "helm uninstall --no-hooks under load, Helm 4", flowed, self.without_hooks),
            ("9.10", "helm uninstall where the image cannot be pulled any more", f"exit 1, the hook is named; 2 serve; {REFUSED}",
             self.not_pulled),
            ("9.11", "break-glass, and helm uninstall --no-hooks", f"exit 0, 0; {gone}", self.way_out),
            ("9.12", "helm uninstall after break-glass", f"exit 0; {gone}", self.glass_broken),
            ("9.13", "helm uninstall twice", "exit 1, not found", self.twice),
            ("9.14", "the namespace deleted instead", "shop is refused, and says whom it asked; open: admitted; kube-system: admitted",
             self.namespace_deleted),
            ("9.15", "helm install over what that leaves", "admitted", self.installed_over_it),
            ("9.16", "the namespace deleted again, then break-glass", "admitted", self.glass_breaks),
            ("9.17", "the rest, deleted by its label", gone, self.rest_of_it),
        ]


def rows(stage):
    uninstall = Uninstall(stage)
    return [*uninstall.rows(), *Releases(stage, uninstall).rows()]
