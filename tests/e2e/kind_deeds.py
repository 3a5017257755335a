"""What people do with kubectl: to pods that run, to rollouts, and to objects that were stored before rules were enforced."""
import json
import re

import kinds
from kinds import DEPLOYMENT, JOB, KINDS, POD, Deeds, make, make_bad
from stage import APP, NEWER, container, deployment

FINALIZER = "tests.example/hold"
HELD = (POD, DEPLOYMENT, JOB)
LATEST = "localhost/team/app:latest"


class People(Deeds):
    """With good objects."""

    def __init__(self, stage):
        super().__init__(stage, "shop")

    def prepared(self):
        said = [self.does("create", "-f", "-", given=json.dumps(thing)) for thing in (deployment("rolled"), make(POD, "looked-at"))]
        self.wait_for("rolled", 1), self.wait_for("looked-at", 1)
        return "; ".join(said)

    # kubectl debug.

    def debug(self, image, name):
        flags = (f"--image={image}", "--image-pull-policy=IfNotPresent", f"--container={name}", "--target=app")
        done = self.kubectl("debug", "looked-at", *flags)
        return done.returncode, done.stdout + done.stderr

    def debugged(self):
        code, said = self.debug(APP, "debugger")

        def runs():
            found = self.node.get(f"/api/v1/namespaces/{self.name_space}/pods/looked-at")["status"].get("ephemeralContainerStatuses", [])
            return [one["name"] for one in found if "running" in one["state"]]
        seen = kinds.verdict_of(code, said)
        return f"{seen}; {', '.join(self.node.wait_until(runs, 60, 'it runs'))} runs" if code == 0 else seen

    def debugged_with_latest(self):
        code, said = self.debug(LATEST, "other")
        there = [one["name"] for one in self.read(POD, "looked-at")["spec"].get("ephemeralContainers", [])]
        named = re.search(r'ephemeral container "other" image localhost/team/app:latest has the mutable tag', said)
        return f"{kinds.verdict_of(code, said)}; {'its class named' if named else said}; in the pod: {', '.join(there)}"

    def copied(self, image):
        """A copy of the pod with another image and its probes kept."""
        kept = ("--keep-liveness", "--keep-readiness", "--keep-labels")
        said = self.does("debug", "looked-at", "--copy-to=copy", f"--set-image=app={image}", *kept)
        if said.startswith("admitted"):
            self.node.wait_until(lambda: any(pod["metadata"]["name"] == "copy" for pod in self.pods("looked-at")), 60, "the copy runs")
            self.kubectl("delete", "pod", "copy")
        return f"{said}; {self.stored(POD, 'copy')}" if said.startswith("refused") else said

    # Rollouts.

    def rolled(self, *arguments):
        """The verdict, and the image that runs in the end."""
        said = self.does(*arguments)
        rolled = self.stage.rolled_out("rolled", seconds=90)
        images = {pod["spec"]["containers"][0]["image"] for pod in self.wait_for("rolled", 1)}
        return f"{said}; {rolled}; runs {', '.join(sorted(images)).replace('localhost/team/', '')}"

    def edited(self):
        """By a person whose editor takes the version away."""
        program = [self.node.programs["kubectl"], "--kubeconfig", self.node.kubeconfig, "-n", self.name_space]
        editor = f"KUBE_EDITOR=sed -i s,{NEWER.rpartition(':')[0]}:[0-9.]*,{LATEST},"
        done = self.node.run(["env", editor, f"HOME={self.node.scratch.name}", *program, "edit", "deployment/rolled"])
        return f"{kinds.verdict_of(done.returncode, done.stdout + done.stderr)}; {self.image_of('rolled').replace('localhost/team/', '')}"

    def run(self):
        said = self.does("run", "lone", f"--image={LATEST}")
        return f"{said}; {self.stored(POD, 'lone')}"

    def rows(self):
        refused, rolled = "refused: image-tag", "deployment/rolled"
        return [
            ("a Deployment and a Pod to work with", "admitted; admitted", self.prepared),
            ("kubectl debug with an image of a version", "admitted; debugger runs", self.debugged),
            ("kubectl debug with :latest", f"{refused}; its class named; in the pod: debugger", self.debugged_with_latest),
            ("kubectl debug --copy-to with another version", "admitted", lambda: self.copied(NEWER)),
            ("kubectl debug --copy-to with :latest", f"{refused}; not stored", lambda: self.copied(LATEST)),
            ("kubectl run", f"refused: {kinds.LASTING[0]}; not stored", self.run),
            ("kubectl set image to a newer version", "admitted; rolled out; runs app:1.1.0",
             lambda: self.rolled("set", "image", rolled, f"app={NEWER}")),
            ("kubectl set image to :latest", f"{refused}; rolled out; runs app:1.1.0",
             lambda: self.rolled("set", "image", rolled, f"app={LATEST}")),
            ("kubectl rollout undo", "admitted; rolled out; runs app:1.0.0", lambda: self.rolled("rollout", "undo", rolled)),
            ("kubectl edit: the version taken away", f"{refused}; app:1.0.0", self.edited)]


class Kept(Deeds):
    """With objects that break rules, and were stored before that was refused."""

    def __init__(self, stage):
        super().__init__(stage, "kept")

    def store(self):
        """While the mode is audit. `undone`: bad in its first revision, good in its second."""
        self.stage.namespace(self.name_space)
        said = {self.stage.verdict(make_bad(kind, f"old-{kind.word}"), self.name_space) for kind in KINDS}
        said |= {self.stage.verdict(make_bad(kind, f"held-{kind.word}", finalizers=[FINALIZER]), self.name_space) for kind in HELD}
        said |= {self.stage.verdict(deployment("undone", container(LATEST)), self.name_space)}
        self.stage.rolled_out("undone", self.name_space)
        said |= {self.does("set", "image", "deployment/undone", f"app={APP}")}
        self.stage.rolled_out("undone", self.name_space)
        for kind in KINDS:
            if kind.creator and not kind.ends:
                self.wait_for(f"old-{kind.word}", 1)
        return "all stored, their pods run" if said == {"admitted"} else said

    def metadata(self, kind):
        label = self.does("label", kind.word, f"old-{kind.word}", "team=a")
        note = self.does("annotate", kind.word, f"old-{kind.word}", "note=b")
        made = self.read(kind, f"old-{kind.word}")["metadata"]
        return f"label {label}; annotation {note}; {made['labels'].get('team')} {made['annotations'].get('note')}"

    def patched(self):
        """A merge patch of labels, and one that adds another violation."""
        more = {"template": {"spec": {"initContainers": [{"name": "first", "image": "localhost/team/app"}]}}}
        said = [self.does("patch", "deployment", "old-deployment", "--type=merge", "-p", json.dumps(patch)) for patch in
                ({"metadata": {"labels": {"team": "b"}}}, {"spec": more})]
        return f"{said[0]}; a further violation {said[1]}"

    def scaled(self):
        said = self.does("scale", "deployment/old-deployment", "--replicas=2")
        return f"{said}; {len(self.wait_for('old-deployment', 2))} run"

    def undone(self):
        """A known gap: a template that breaks a rule now is a new violation."""
        said = self.does("rollout", "undo", "deployment/undone", "--to-revision=1")
        return f"{said}; {len(self.wait_for('undone', 1))} runs {self.image_of('undone').replace('localhost/team/', '')}"

    def freed(self, kind):
        """Deleted, and held by its finalizer until that is removed."""
        name = f"held-{kind.word}"
        deleted = self.does("delete", kind.word, name, "--wait=false")
        self.node.wait_until(lambda: "deletionTimestamp" in self.read(kind, name)["metadata"], 30, "it is being deleted")
        freed = self.does("patch", kind.word, name, "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
        return f"delete {deleted}; finalizer {freed}; {self.gone(kind, name)}"

    def deleted(self, kind):
        name = f"old-{kind.word}"
        said = self.does("delete", kind.word, name)
        self.node.wait_until(lambda: not self.pods(name, running=False), 60, "its pods have gone")
        return f"{said}; {self.gone(kind, name)}"

    def emptied(self):
        """With what is still in it."""
        left = len(self.pods("undone"))
        done = self.node.kubectl("delete", "namespace", self.name_space, timeout=150)
        there = self.stage.exists(f"/api/v1/namespaces/{self.name_space}")
        return f"{left} pod in it; exit {done.returncode}; {'there' if there else 'gone'}"

    def rows(self):
        return [
            *((f"{kind.name} that breaks rules: kubectl label, kubectl annotate",
               f"label admitted, {kind.findings} warnings; annotation admitted; a b", lambda kind=kind: self.metadata(kind))
              for kind in KINDS),
            ("Deployment that breaks rules: kubectl patch of a label",
             "admitted, 6 warnings; a further violation refused: image-tag, resources", self.patched),
            ("Deployment that breaks rules: kubectl scale", "admitted; 2 run", self.scaled),
            ("rollout undo to a revision that breaks a rule now", "refused: image-tag; 1 runs app:1.0.0", self.undone),
            *((f"{kind.name} that breaks rules: deleted, its finalizer removed", "delete admitted; finalizer admitted; gone",
               lambda kind=kind: self.freed(kind)) for kind in HELD),
            *((f"{kind.name} that breaks rules: deleted", "admitted; gone", lambda kind=kind: self.deleted(kind)) for kind in KINDS),
            ("kubectl delete namespace", "1 pod in it; exit 0; gone", self.emptied)]
