"""Rows about calls that fail, about very large reviews, and about configurations that send more, or less, than they should."""
import concurrent.futures
import contextlib
import signal
import threading
import time

from admission_objects import BAD, DEPLOYMENT, FINALIZER, POD, changed, large_strings, make, make_bad, many_variables
from admission_stage import JUDGED, OWN, outcome
from harness import wait_until
from webhooks import WEBHOOK

FAILING = [f"{what}-{policy}" for what in ("dead", "slow", "stranger") for policy in ("fail", "ignore")]
LARGE = "failures-large"
AT_ONCE = 8
DENIED = "denied 403: image-tag, liveness-probe"


class Failures:
    def __init__(self, stage):
        self.stage = stage
        self.one_at_a_time = threading.Lock()

    def prepare(self):
        for name in FAILING:
            self.stage.namespace(f"failures-{name}", name)
        self.stage.namespace(LARGE, "enforce")
        self.stage.namespace("failures-wide", "wide")
        self.stage.namespace("failures-service", "service")
        self.stage.namespace(OWN, "enforce")
        for name in ("kube-system", "kube-node-lease"):
            self.stage.plane.namespace(name)  # the API server makes them, sooner or later
            self.stage.plane.patch(f"/api/v1/namespaces/{name}", {"metadata": {"labels": {JUDGED: "enforce"}}})

    def judge(self):
        self.stage.namespace("failures-forged", "enforce")

    # Calls that fail.
    @contextlib.contextmanager
    def asleep(self):
        """The server of the slow configurations accepts and never answers."""
        server = self.stage.servers["slow"]
        server.signal(signal.SIGSTOP)
        try:
            wait_until(server.is_stopped)
            yield
        finally:
            server.signal(signal.SIGCONT)

    def fail(self, name, good=False):
        answer = self.stage.post((make if good else make_bad)(POD, f"{'good' if good else 'bad'}-one"), f"failures-{name}")
        stored = "stored" if self.stage.exists(POD, f"failures-{name}", f"{'good' if good else 'bad'}-one") else "not stored"
        opened = self.stage.failed_open(audit_id=answer.audit_id)
        return f"{outcome(answer)}; {stored}; {f'failed open: {opened}' if opened else 'no failed-open annotation'}"

    def fail_slowly(self, name):
        with self.one_at_a_time, self.asleep():
            began = time.monotonic()
            seen = self.fail(name)
            took = time.monotonic() - began
        return f"{seen}; {'after its second' if 0.9 < took < 20 else f'after {took:.1f} s'}"

    def wakes(self):
        """What waited in the meantime must not keep it from answering."""
        with self.one_at_a_time:
            with self.asleep():
                first = outcome(self.stage.post(make_bad(POD, "first"), "failures-slow-fail"))
            return f"{first}; awake: {outcome(self.stage.post(make_bad(POD, 'second'), 'failures-slow-fail'))}"

    def delete_while_dead(self):
        """DELETE is not registered: what there is can go, whatever became of the webhook."""
        self.stage.namespace("failures-kept")
        self.stage.store(make_bad(POD, "kept"), "failures-kept")
        self.stage.plane.patch("/api/v1/namespaces/failures-kept", {"metadata": {"labels": {JUDGED: "dead-fail"}}})
        create = lambda: self.stage.post(make_bad(POD, "try"), "failures-kept", dry_run=True).code == 500
        until = time.monotonic() + 10
        while not create() and time.monotonic() < until:
            time.sleep(0.05)
        status = self.stage.patch(POD, "failures-kept", "kept", {"status": {"message": "x"}}, part="status")
        return f"status {outcome(status)}; delete {outcome(self.stage.delete(POD, 'failures-kept', 'kept'))}"

    # Large reviews.
    def large(self, thing):
        name = thing["metadata"]["name"]
        seen = [outcome(self.stage.post(thing, LARGE))]
        for body in ({"labels": {"team": "a"}}, {"finalizers": [FINALIZER]}, {"finalizers": None}):
            seen.append(outcome(self.stage.patch(DEPLOYMENT, LARGE, name, {"metadata": body})))
        stored = self.stage.get(DEPLOYMENT, LARGE, name)
        seen.append(outcome(self.stage.put(DEPLOYMENT, LARGE, changed(DEPLOYMENT, stored, BAD))))
        return ", ".join(seen)

    def large_at_once(self):
        names = [f"once-{number}" for number in range(AT_ONCE)]
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            created = set(pool.map(lambda name: outcome(self.stage.post(many_variables(name), LARGE)), names))
            label = lambda name: outcome(self.stage.patch(DEPLOYMENT, LARGE, name, {"metadata": {"labels": {"team": "a"}}}))
            return f"created: {', '.join(created)}; labelled: {', '.join(set(pool.map(label, names)))}"

    def too_many(self):
        answer = self.stage.post(many_variables("too-many", 17_000), LARGE, dry_run=True)
        return f"{outcome(answer)}; {self.stage.decisions(audit_id=answer.audit_id)['decision']}"

    # Who falls under it.
    def excluded(self, name):
        return outcome(self.stage.post(make_bad(DEPLOYMENT, "bad"), name))

    def forged_name(self):
        """The label by which namespaces are excluded is the API server's own."""
        path = "/api/v1/namespaces/failures-forged"
        self.stage.plane.patch(path, {"metadata": {"labels": {"kubernetes.io/metadata.name": "kube-system"}}})
        kept = self.stage.plane.get(path)["metadata"]["labels"]["kubernetes.io/metadata.name"]
        return f"{kept}; {outcome(self.stage.post(make_bad(POD, 'bad'), 'failures-forged'))}"

    def wide(self):
        """A configuration for everything there is: what plimsoll has no business with passes."""
        stage, place = self.stage, "failures-wide"
        root = f"/api/v1/namespaces/{place}"
        deployment = outcome(stage.post(make_bad(DEPLOYMENT, "bad"), place))
        stage.post(make(DEPLOYMENT, "good"), place)
        stage.post(make(POD, "good"), place)
        data = stage.call("POST", f"{root}/configmaps", {"metadata": {"name": "map"}})
        unsupported = [line for line in data.warnings if line.startswith("plimsoll: unsupported kind ConfigMap")]
        scale = stage.patch(DEPLOYMENT, place, "good", {"spec": {"replicas": 1}}, part="scale")
        status = stage.patch(POD, place, "good", {"status": {"message": "x"}}, part="status")
        named = {"metadata": {"name": "good"}}
        binding = stage.call("POST", f"{root}/pods/good/binding", {**named, "target": {"kind": "Node", "name": "n1"}})
        eviction = stage.call("POST", f"{root}/pods/good/eviction", {**named, "apiVersion": "policy/v1", "kind": "Eviction"})
        gone = stage.call("DELETE", DEPLOYMENT.path(place))
        return (f"bad Deployment {deployment}; ConfigMap {outcome(data)}, {'unsupported kind' if unsupported else data.warnings}; "
                f"scale {outcome(scale)}; status {outcome(status)}; binding {outcome(binding)}; eviction {outcome(eviction)}; "
                f"deletecollection {outcome(gone)}")

    def failing_rows(self):
        ways = {"dead": "connection refused", "stranger": "certificate signed by unknown authority"}
        words = {"dead": "nothing listens", "stranger": "a certificate of another authority"}
        opened = f"allowed; stored; failed open: ['{WEBHOOK}']"
        rows = []
        for way, said in ways.items():
            rows.append((f"{words[way]}, Fail", f"500 failed calling: {said}; not stored; no failed-open annotation",
                         lambda way=way: self.fail(f"{way}-fail")))
            rows.append((f"{words[way]}, Fail, a good object", f"500 failed calling: {said}; not stored; no failed-open annotation",
                         lambda way=way: self.fail(f"{way}-fail", good=True)))
            rows.append((f"{words[way]}, Ignore", opened, lambda way=way: self.fail(f"{way}-ignore")))
        late = "500 failed calling: context deadline exceeded"
        return rows + [
            ("no answer within 1 s, Fail", f"{late}; not stored; no failed-open annotation; after its second",
             lambda: self.fail_slowly("slow-fail")),
            ("no answer within 1 s, Ignore", f"{opened}; after its second", lambda: self.fail_slowly("slow-ignore")),
            ("no answer, then answers again", f"{late}; awake: {DENIED}", self.wakes),
            ("nothing listens, Fail: status and DELETE", "status allowed; delete allowed", self.delete_while_dead)]

    def reach_rows(self):
        rest = "scale allowed; status allowed; binding allowed; eviction allowed; deletecollection allowed"
        return [
            *((f"bad Deployment in {name}", "allowed", lambda name=name: self.excluded(name))
              for name in ("kube-system", "kube-node-lease", OWN)),
            ("a namespace that claims another name", f"failures-forged; {DENIED}", self.forged_name),
            ("reached through its Service", DENIED, lambda: outcome(self.stage.post(make_bad(POD, "bad"), "failures-service"))),
            ("a webhook for everything", f"bad Deployment {DENIED}; ConfigMap allowed, 1 warning, unsupported kind; {rest}", self.wide)]

    def large_rows(self):
        told = "allowed, allowed, allowed, allowed, denied 403: image-tag"
        limit = "denied 413: plimsoll did not judge this object: more than 16,384 labels, variables, ports and the like; deny"
        return [
            ("Deployment of 1.5 MB: created, labelled, finalizer added and removed, bad image", told,
             lambda: self.large(large_strings("strings"))),
            (f"the same with 10,000 variables", told, lambda: self.large(many_variables("variables"))),
            (f"{AT_ONCE} of these at once", "created: allowed; labelled: allowed", self.large_at_once),
            ("Deployment of 17,000 variables", limit, self.too_many)]

    def rows(self):
        groups = (("g", [*self.failing_rows(), *self.reach_rows()]), ("i", self.large_rows()))
        return [(f"{letter}{number}", *row) for letter, rows in groups for number, row in enumerate(rows, 1)]
