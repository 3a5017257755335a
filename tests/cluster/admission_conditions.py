"""Rows about the condition that spares plimsoll what it need not see: counted are the reviews that reach it, kind by kind."""
import re
import threading

from admission_objects import (BAD, BETTER, DEPLOYMENT, FINALIZER, GOOD, KINDS, POD, VERSION, changed, container, large_strings, make,
                               make_bad, many_variables)
from admission_stage import outcome

PLACE, STORED, JUDGED_FULLY = "frugal-fresh", "frugal-stored", "frugal-not"
MANY = 1100  # containers: more than plimsoll reads of one object
STATUS = {"Pod": {"message": "x"}, "DaemonSet": {"numberReady": 1}, "CronJob": {"lastScheduleTime": "2026-01-01T00:00:00Z"},
          "ReplicaSet": {"replicas": 1}, "ReplicationController": {"replicas": 1}, "StatefulSet": {"replicas": 1},
          "Deployment": {"replicas": 1}, "Job": {"active": 1}}
SPEC = {"StatefulSet": {"replicas": 3}, "Job": {"parallelism": 2}, "CronJob": {"schedule": "5 4 * * *"},
        "DaemonSet": {"minReadySeconds": 7}, "Pod": {"activeDeadlineSeconds": 600}}


class Conditions:
    def __init__(self, stage):
        self.stage = stage
        self.alone = {kind: threading.Lock() for kind in KINDS}  # while one counts, no other row sends reviews of the kind

    def prepare(self):
        self.stage.namespace(PLACE, "frugal")
        self.stage.namespace(STORED)
        for kind in KINDS:
            self.stage.store(make_bad(kind, "stored", finalizers=[FINALIZER]), STORED)
        many = make(DEPLOYMENT, "many", *(container(GOOD, f"c{number}") for number in range(MANY)), finalizers=[FINALIZER])
        self.stage.store(many, STORED)
        self.stage.namespace(JUDGED_FULLY)
        self.stage.store(many, JUDGED_FULLY)

    def judge(self):
        self.stage.judge_from_now_on(STORED, "frugal")
        self.stage.judge_from_now_on(JUDGED_FULLY, "enforce")

    def reviews(self, kind):
        """Reviews of the kind that the server behind the condition has answered so far."""
        text = self.stage.servers["frugal"].get("/metrics")[1]
        found = re.findall(rf'^plimsoll_reviews_total\{{[^}}]*kind="{kind.name}"[^}}]*\}} (\S+)$', text, re.M)
        return int(sum(map(float, found)))

    def counted(self, kind, change):
        """How many reviews the change was worth; it must have been allowed."""
        before = self.reviews(kind)
        answer = change()
        if answer.code >= 300:
            return f"{outcome(answer)}: {answer.message[:200]}"
        return self.reviews(kind) - before

    def patch(self, kind, body, part=""):
        return self.stage.patch(kind, PLACE, "one", body, part=part)

    def put_spec(self, kind):
        thing = self.stage.get(kind, PLACE, "one")
        if kind.name == "PodTemplate":
            thing["template"]["spec"]["terminationGracePeriodSeconds"] = 33
        else:
            thing["spec"].update(SPEC.get(kind.name, {"replicas": 4, "minReadySeconds": 7}))
        return self.stage.put(kind, PLACE, thing)

    def put_image(self, kind):
        return self.stage.put(kind, PLACE, changed(kind, self.stage.get(kind, PLACE, "one"), BETTER))

    def put_same(self, kind):
        thing = self.stage.get(kind, PLACE, "one")
        thing["metadata"].pop("managedFields")
        return self.stage.put(kind, PLACE, thing)

    def owner(self, kind):
        return {"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": kind.name, "name": "x", "uid": "0a0b"}]}}

    def changes(self, kind):
        """Words -> a change; in the order in which they are made."""
        labels = lambda value: self.patch(kind, {"metadata": {"labels": value}})
        steps = {
            "annotations": lambda: self.patch(kind, {"metadata": {"annotations": {"note": "x"}}}),
            "finalizer": lambda: self.patch(kind, {"metadata": {"finalizers": [FINALIZER]}}),
            "finalizer-removal": lambda: self.patch(kind, {"metadata": {"finalizers": None}}),
            "owner": lambda: self.patch(kind, self.owner(kind)),
            "nothing": lambda: self.put_same(kind),
            "status": lambda: self.patch(kind, {"status": STATUS[kind.name]}, part="status"),
            "label": lambda: labels({"team": "a"}),
            "label-value": lambda: labels({"team": "b"}),
            "label-removal": lambda: labels({"team": None}),
            "no-labels": lambda: labels(None),
            "annotations-without-labels": lambda: self.patch(kind, {"metadata": {"annotations": {"note": "y"}}}),
            "first-label": lambda: labels({"app": "web"}),
            "spec": lambda: self.put_spec(kind),
            "image": lambda: self.put_image(kind)}
        if kind.name not in STATUS:
            del steps["status"]
        return steps

    def story(self, kind):
        """Each change by itself, of one object: those that reached plimsoll and those that did not. The API server may ask
        twice about one: it begins with the object of its cache, and again where that was out of date."""
        created = self.counted(kind, lambda: self.stage.post(make(kind, "one"), PLACE))
        seen = {words: self.counted(kind, change) for words, change in self.changes(kind).items()}
        odd = {words: count for words, count in seen.items() if not isinstance(count, int)}
        reached = [words for words, count in seen.items() if words not in odd and count > 0]
        return f"create {created}; reached: {' '.join(reached)}; {f'odd: {odd}' if odd else 'no other did'}"

    def debugged(self):
        """Adding an ephemeral container changes the spec, so that it still arrives."""
        one = self.stage.post(make(POD, "debugged"), PLACE)
        body = lambda image: {"spec": {"ephemeralContainers": [{"name": "debugger", "image": image}]}}
        say = lambda image: self.stage.patch(POD, PLACE, "debugged", body(image), part="ephemeralcontainers")
        return f"{outcome(one)}; {outcome(say(BAD))}; a good one {outcome(say('busybox:1.36.1'))}"

    def refused(self, kind):
        """What was stored with violations: freed without a review; a worse image or label is refused; deleted."""
        free = self.stage.patch(kind, STORED, "stored", {"metadata": {"annotations": {"a": "b"}}})
        labels = self.stage.patch(kind, STORED, "stored", {"metadata": {"labels": {"team": "a"}}})
        versions = self.stage.patch(kind, STORED, "stored", {"metadata": {"labels": {VERSION: "9.9.9"}}})
        self.stage.delete(kind, STORED, "stored")
        freed = self.stage.patch(kind, STORED, "stored", {"metadata": {"finalizers": None}})
        left = "still there" if self.stage.exists(kind, STORED, "stored") else "gone"
        return f"annotation {outcome(free)}; label {outcome(labels)}; version {outcome(versions)}; finalizer {outcome(freed)}, {left}"

    def brought_under_policy(self):
        """A policy that selects by label: the label alone decides, so that it must be seen."""
        self.stage.post(make(DEPLOYMENT, "silver"), PLACE)
        return outcome(self.stage.patch(DEPLOYMENT, PLACE, "silver", {"metadata": {"labels": {"tier": "gold"}}}))

    def large(self, thing):
        """Comparing two large specs must stay within what the API server grants a condition."""
        name = thing["metadata"]["name"]
        created = outcome(self.stage.post(thing, PLACE))
        before = self.reviews(DEPLOYMENT)
        noted = outcome(self.stage.patch(DEPLOYMENT, PLACE, name, {"metadata": {"annotations": {"note": "x"}}}))
        unseen = self.reviews(DEPLOYMENT) - before
        labelled = outcome(self.stage.patch(DEPLOYMENT, PLACE, name, {"metadata": {"labels": {"team": "a"}}}))
        spoilt = outcome(self.stage.put(DEPLOYMENT, PLACE, changed(DEPLOYMENT, self.stage.get(DEPLOYMENT, PLACE, name), BAD)))
        return f"create {created}; annotation {noted}, {unseen} reviews; label {labelled}; {spoilt}"

    def unreadable(self):
        """More containers than plimsoll reads: who made it may be gone, so all but its spec may change."""
        labels = self.stage.patch(DEPLOYMENT, STORED, "many", {"metadata": {"labels": {"team": "a"}}})
        freed = self.stage.patch(DEPLOYMENT, STORED, "many", {"metadata": {"finalizers": None}})
        deleted = self.stage.delete(DEPLOYMENT, STORED, "many")
        return f"label {outcome(labels)}; finalizer {outcome(freed)}; delete {outcome(deleted)}"

    def unreadable_everywhere(self):
        """The same where every update is judged."""
        return outcome(self.stage.patch(DEPLOYMENT, JUDGED_FULLY, "many", {"metadata": {"finalizers": None}}))

    def by_itself(self, kind, see):
        with self.alone[kind]:
            return see()

    @staticmethod
    def reached(kind):
        """A Job or a ReplicationController without labels gets those of its template, the label that is then set among them."""
        own = {"ReplicationController": "", "Job": "no-labels "}.get(kind.name, "no-labels first-label ")
        return f"create 1; reached: label label-value label-removal {own}spec image; no other did"

    def rows(self):
        rows = [(f"{kind.name}: which updates reach plimsoll", self.reached(kind),
                 lambda kind=kind: self.by_itself(kind, lambda: self.story(kind))) for kind in KINDS]
        for kind in KINDS:
            allowed = "allowed, 2 warnings" if kind.runs_on else "allowed, 1 warning"
            rows.append((f"{kind.name} stored with violations", f"annotation allowed; label {allowed}; version denied 403: version-label; "
                         "finalizer allowed, gone", lambda kind=kind: self.by_itself(kind, lambda: self.refused(kind))))
        large = "create allowed; annotation allowed, 0 reviews; label allowed; denied 403: image-tag"
        rows += [(f"Deployment of {what}", large, lambda thing=thing: self.by_itself(DEPLOYMENT, lambda: self.large(thing)))
                 for what, thing in (("1.5 MB", large_strings("large")), ("10,000 variables", many_variables("many-variables")))]
        rows += [
            ("ephemeral containers", "allowed; denied 403: image-tag; a good one allowed", lambda: self.by_itself(POD, self.debugged)),
            ("a label that brings a Deployment under another policy", "denied 403: readiness-probe",
             lambda: self.by_itself(DEPLOYMENT, self.brought_under_policy)),
            (f"Deployment of {MANY} containers", "label allowed, 1 warning; finalizer allowed; delete allowed",
             lambda: self.by_itself(DEPLOYMENT, self.unreadable)),
            (f"Deployment of {MANY} containers without the condition: finalizer removed", "allowed, 1 warning",
             self.unreadable_everywhere)]
        return [(f"h{number}", *row) for number, row in enumerate(rows, 1)]
