"""Rows for every built-in kind: created, updated, patched, applied, scaled, deleted, and all that with violations stored before."""
import json

from admission_objects import BAD, BETTER, FINALIZER, GOOD, KINDS, POD, WORSE, change_reason, changed, container, make, make_bad, patches
from admission_stage import outcome

FRESH, STORED = "kinds", "kinds-stored"  # judged from the start; judged after the bad objects were stored


class Kinds:
    def __init__(self, stage):
        self.stage = stage

    def prepare(self):
        """Before any configuration is there."""
        self.stage.namespace(FRESH, "enforce")
        self.stage.namespace(STORED)
        for kind in KINDS:
            for name in ("labelled", "annotated", "held", "ended", "worse", "removed", "mended", "half"):
                more = {"finalizers": [FINALIZER]} if name in ("held", "ended") else {}
                self.stage.store(make_bad(kind, name, **more), STORED)
            if kind.scales:
                self.stage.store(make_bad(kind, "scaled"), STORED)
                self.stage.store(make_bad(kind, "counted"), STORED)

    def judge(self):
        self.stage.judge_from_now_on(STORED, "enforce")

    def create_bad(self, kind):
        answer = self.stage.post(make_bad(kind, "bad"), FRESH)
        wanted = kind.containers_path().strip("/").replace("/", ".") + "[0].image"
        fields = [cause["field"] for cause in answer.causes]
        said = 'container "web" image nginx:latest has the mutable tag "latest"' in answer.message and "fix: " in answer.message
        reasons = "with its reasons" if said and wanted in fields else f"{answer.message}, {fields}"
        return f"{outcome(answer)}; {reasons}; {self.stored(kind, 'bad')}"

    def stored(self, kind, name):
        return "stored" if self.stage.exists(kind, FRESH, name) else "not stored"

    def dry_run(self, kind):
        said = [outcome(self.stage.post(thing, FRESH, dry_run=True)) for thing in (make_bad(kind, "dry"), make(kind, "dry"))]
        return f"{said[0]}; a good one {said[1]}; {self.stored(kind, 'dry')}"

    def create_good(self, kind):
        return f"{outcome(self.stage.post(make(kind, 'good'), FRESH))}; {self.stored(kind, 'good')}"

    def delete(self, kind):
        said = outcome(self.stage.delete(kind, STORED, "removed"))
        return said + ("; still there" if self.stage.exists(kind, STORED, "removed") else "; gone")

    def unchanged(self, kind, name, answer, before):
        """The outcome, and whether a refused change is in the store all the same."""
        same = self.stage.get(kind, FRESH, name)["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
        return outcome(answer) + ("" if same else "; stored all the same")

    def update_good(self, kind):
        thing = self.stage.store(make(kind, "updated"), FRESH)
        return outcome(self.stage.put(kind, FRESH, changed(kind, thing, BETTER)))

    def update_bad(self, kind):
        thing = self.stage.store(make(kind, "spoilt"), FRESH)
        return self.unchanged(kind, "spoilt", self.stage.put(kind, FRESH, changed(kind, thing, BAD)), thing)

    def patch(self, kind, words):
        name = words.replace(" ", "-").lower()
        thing = self.stage.store(make(kind, name), FRESH)
        content_type, better = patches(kind, thing, BETTER)[words]
        if "apply" in content_type:  # bad first: what was applied well would be another object to compare with
            bad = self.unchanged(kind, name, self.stage.patch(kind, FRESH, name, patches(kind, thing, BAD)[words][1], content_type), thing)
            return f"{bad}; a good one {outcome(self.stage.patch(kind, FRESH, name, better, content_type))}"
        good = outcome(self.stage.patch(kind, FRESH, name, better, content_type))
        thing = self.stage.get(kind, FRESH, name)
        bad = self.stage.patch(kind, FRESH, name, patches(kind, thing, BAD)[words][1], content_type)
        return f"{self.unchanged(kind, name, bad, thing)}; a good one {good}"

    def apply_new(self, kind):
        say = lambda name, thing: outcome(self.stage.patch(kind, FRESH, name, json.dumps(thing), "application/apply-patch+yaml"))
        said = say("applied-bad", make_bad(kind, "applied-bad")), say("applied-good", make(kind, "applied-good"))
        return f"{said[0]}; {self.stored(kind, 'applied-bad')}; a good one {said[1]}"

    # What was stored with violations.
    def merge(self, kind, name, body):
        return outcome(self.stage.patch(kind, STORED, name, body))

    def metadata(self, kind):
        labels = self.merge(kind, "labelled", {"metadata": {"labels": {"team": "a"}}})
        annotations = self.merge(kind, "annotated", {"metadata": {"annotations": {"note": "b"}}})
        return f"labels {labels}; annotations {annotations}"

    def finalizer(self, kind):
        removed = self.merge(kind, "held", {"metadata": {"finalizers": None}})
        return f"{removed}; left: {self.stage.get(kind, STORED, 'held')['metadata'].get('finalizers', 'none')}"

    def worse(self, kind):
        thing = self.stage.get(kind, STORED, "worse")
        return outcome(self.stage.put(kind, STORED, changed(kind, thing, WORSE)))

    def ended(self, kind):
        """As in CVE-2023-34091: what is being deleted is judged like everything else."""
        self.stage.delete(kind, STORED, "ended")
        thing = self.stage.get(kind, STORED, "ended")
        if "deletionTimestamp" not in thing["metadata"]:
            return "not being deleted"
        changed_now = outcome(self.stage.put(kind, STORED, changed(kind, thing, WORSE)))
        freed = self.merge(kind, "ended", {"metadata": {"finalizers": None}})
        return f"{changed_now}; finalizer removal {freed}; {'still there' if self.stage.exists(kind, STORED, 'ended') else 'gone'}"

    def mended(self, kind):
        """Of a Pod only the image can be changed, so that a missing probe stays."""
        thing = self.stage.get(kind, STORED, "mended")
        spec = kind.template_of(thing)["spec"]
        spec["containers"][0] = {**spec["containers"][0], "image": GOOD} if kind is POD else container(GOOD)
        return outcome(self.stage.put(kind, STORED, thing))

    def half(self, kind):
        thing = self.stage.get(kind, STORED, "half")
        return outcome(self.stage.put(kind, STORED, changed(kind, thing, GOOD)))

    def scale(self, kind):
        """By the subresource, which is not registered: no template is in it."""
        scaled = self.stage.patch(kind, STORED, "scaled", {"spec": {"replicas": 5}}, part="scale")
        counted = self.stage.patch(kind, STORED, "counted", {"spec": {"replicas": 5}})
        seen = [self.stage.get(kind, STORED, name)["spec"]["replicas"] for name in ("scaled", "counted")]
        return f"scale {outcome(scaled)}; spec.replicas {outcome(counted)}; {seen}"

    def rows_of(self, letter, kind):
        name, bad, reason = kind.name, f"denied 403: {kind.reasons}", f"denied 403: {change_reason(kind)}"
        existing = "allowed, 2 warnings" if kind.runs_on else "allowed, 1 warning"
        rows = [
            (f"{name} with violations created", f"{bad}; with its reasons; not stored", lambda: self.create_bad(kind)),
            (f"{name} with violations created by dry run", f"{bad}; a good one allowed; not stored", lambda: self.dry_run(kind)),
            (f"good {name} created", "allowed; stored", lambda: self.create_good(kind)),
            (f"good {name} updated to another good one", "allowed", lambda: self.update_good(kind)),
            (f"good {name} updated to a bad one", reason, lambda: self.update_bad(kind)),
            (f"{name} created by server-side apply", f"{bad}; not stored; a good one allowed", lambda: self.apply_new(kind)),
            (f"bad stored {name}: labels, annotations changed", f"labels {existing}; annotations {existing}", lambda: self.metadata(kind)),
            (f"bad stored {name}: finalizer removed", f"{existing}; left: none", lambda: self.finalizer(kind)),
            (f"bad stored {name}: another violation added", reason, lambda: self.worse(kind)),
            (f"bad stored {name} being deleted: another violation added", f"{reason}; finalizer removal {existing}; gone",
             lambda: self.ended(kind)),
            (f"bad stored {name} deleted", "allowed; gone", lambda: self.delete(kind))]
        rows += [(f"good {name} made bad by {words}", f"{reason}; a good one allowed", lambda words=words: self.patch(kind, words))
                 for words in patches(kind, make(kind, "any"), GOOD)]
        if not kind.fixed:
            left = "allowed, 1 warning" if kind.runs_on else "allowed"
            mended = "allowed, 1 warning" if kind is POD else "allowed"
            rows.append((f"bad stored {name}: one of its violations mended", left, lambda: self.half(kind)))
            rows.append((f"bad stored {name}: all mended that can be", mended, lambda: self.mended(kind)))
        if kind.scales:
            rows.append((f"bad stored {name} scaled", f"scale allowed; spec.replicas {existing}; [5, 5]", lambda: self.scale(kind)))
        return [(f"{letter}{number}", *row) for number, row in enumerate(rows, 1)]

    def rows(self):
        return [row for number, kind in enumerate(KINDS, 1) for row in self.rows_of(f"a{number}.", kind)]
