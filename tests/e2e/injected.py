"""Pods that another webhook adds a container to, which breaks rules: those of controllers are let through, counted and shown."""
import re

import kinds
from injector import LABEL, Injector
from kinds import CRON_JOB, DAEMON_SET, JOB, POD, REPLICATION_CONTROLLER, STATEFUL_SET, Deeds, make
from stage import NEWER, deployment

BOTH = "app, mesh"
REFUSED = f"refused: {kinds.LASTING[0]}"


class Injected(Deeds):
    """In a namespace of its own; nothing is wrong with what people write there."""

    def __init__(self, stage):
        super().__init__(stage, "meshed")
        self.injector, self.since, self.counted = None, 0, 0.0

    def metric(self):
        return self.stage.metric("findings_total", having='result="controller"')

    def containers(self, name, count=1):
        """Of the pods that run."""
        lists = {", ".join(one["name"] for one in pod["spec"]["containers"]) for pod in self.wait_for(name, count)}
        return f"{count} run with {' / '.join(sorted(lists))}"

    def begun(self):
        """Before the other webhook is there, and with it."""
        self.node.namespace(self.name_space, **{LABEL: "yes"})
        self.stage.namespace(self.name_space)
        def seen():
            return self.stage.verdict(make(POD, "first"), self.name_space, "--dry-run=server")
        before = seen()
        self.injector = Injector(self.node)
        self.injector.register()
        self.node.wait_until(lambda: seen() != before, 60, "it is in force")
        self.since, self.counted = self.mark(), self.metric()
        return f"a good Pod: {before}, then {seen()}"

    def rolled_out(self):
        said = self.stage.verdict(deployment("good", replicas=2), self.name_space)
        return f"{said}; {self.stage.rolled_out('good', self.name_space, 90)}; {self.containers('good', 2)}"

    def rolled_on(self):
        said = self.does("set", "image", "deployment/good", f"app={NEWER}")
        rolled = self.stage.rolled_out("good", self.name_space, 90)
        return f"{said}; {rolled}; {self.containers('good', 2)}; {self.image_of('good').replace('localhost/team/', '')}"

    def replaced(self):
        before = {pod["metadata"]["uid"] for pod in self.wait_for("good", 2)}
        done = self.kubectl("delete", "pod", "-l", "app=good", "--wait=false")
        self.node.wait_until(lambda: len({pod["metadata"]["uid"] for pod in self.pods("good")} - before) == 2, 90, "two new ones run")
        return f"exit {done.returncode}; {self.containers('good', 2)}"

    def good(self, kind):
        name = f"good-{kind.word}"
        return f"{self.stage.verdict(make(kind, name), self.name_space)}; {self.containers(name)}"

    def worked(self):
        return f"{self.stage.verdict(make(JOB, 'good-job'), self.name_space)}; {self.ended('good-job')}"

    def scheduled(self):
        said = self.stage.verdict(make(CRON_JOB, "good-cronjob"), self.name_space)
        found = self.node.wait_until(lambda: self.jobs_of("good-cronjob"), 100, "it makes a Job")
        ended = self.ended(found[0]["metadata"]["name"])
        self.kubectl("delete", "cronjob", "good-cronjob")
        return f"{said}; {ended}"

    # What people do themselves.

    def person(self, **metadata):
        done = self.stage.apply(make(POD, "own", **metadata), self.name_space)
        named = re.search(r'container "mesh" image localhost/team/app:latest has the mutable tag "latest"', done[1])
        return f"{kinds.verdict_of(*done)}; {'for the container mesh' if named else done[1]}; {self.stored(POD, 'own')}"

    def pretended(self):
        """With the owner that a controller's pod would have."""
        items = self.node.get(f"/apis/apps/v1/namespaces/{self.name_space}/replicasets")["items"]
        owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": items[0]["metadata"]["name"], "uid": items[0]["metadata"]["uid"],
                 "controller": True}
        return self.person(ownerReferences=[owner])

    # What is seen of it.

    def made(self):
        """(pods that go on, pods that end) which controllers created here since the beginning."""
        events = list(self.creations(self.since))
        ending = [event for event in events if event["user"]["username"].endswith(":job-controller")]
        return len(events) - len(ending), len(ending)

    def told(self):
        return [line for line in self.stage.logs() if line["event"] == "let through" and line.get("namespace") == self.name_space]

    def counts(self):
        """As many findings as these pods have."""
        lasting, ending = self.made()
        wanted = lasting * kinds.LASTING[1] + ending * kinds.ENDING[1]
        rose = self.metric() - self.counted
        print(f"let through: {lasting + ending} pods of controllers, {rose:.0f} findings counted", flush=True)
        if lasting < 9 or ending < 2:
            return f"{lasting} + {ending} pods"
        return "each finding counted" if rose == wanted else f"{rose} of {wanted}"

    def logs(self):
        lines, pods = self.told(), sum(self.made())
        users = {line["user"].removeprefix(kinds.SYSTEM) for line in lines}
        rules = sorted({line["rules"] for line in lines}, key=len)[-1:]
        return f"{'a line for each' if len(lines) == pods else f'{len(lines)} of {pods}'}; {', '.join(sorted(users))}; {', '.join(rules)}"

    def annotations(self):
        """Of each pod's creation in the audit log."""
        found = [event.get("annotations", {}) for event in self.creations(self.since)]
        marked = [one for one in found if "image-tag (warn, controller)" in
                  next((value for key, value in one.items() if key.endswith("/rules")), "")]
        return "all marked" if found and len(marked) == len(found) else f"{len(marked)} of {len(found)} marked: {found[:1]}"

    def end(self):
        if self.injector is not None:
            self.injector.end()
        self.node.kubectl("delete", "namespace", self.name_space, "--ignore-not-found", timeout=150)

    def rows(self):
        makers = "daemon-set-controller, job-controller, replicaset-controller, replication-controller, statefulset-controller"
        person = f"{REFUSED}; for the container mesh; not stored"
        return [
            ("another webhook begins to add a container to pods", f"a good Pod: admitted, then {REFUSED}", self.begun),
            ("a good Deployment there", f"admitted; rolled out; 2 run with {BOTH}", self.rolled_out),
            ("its rollout to a newer version", f"admitted; rolled out; 2 run with {BOTH}; app:1.1.0", self.rolled_on),
            ("its pods are deleted", f"exit 0; 2 run with {BOTH}", self.replaced),
            *((f"a good {kind.name} there", f"admitted; 1 run with {BOTH}", lambda kind=kind: self.good(kind))
              for kind in (STATEFUL_SET, DAEMON_SET, REPLICATION_CONTROLLER)),
            ("a good Job there", "admitted; completed", self.worked),
            ("a good CronJob there", "admitted; completed", self.scheduled),
            ("a person's own Pod there", person, self.person),
            ("a person's Pod that names a ReplicaSet as its owner", person, self.pretended),
            ("metrics: findings that were let through", "each finding counted", self.counts),
            ("log: pods that were let through", f"a line for each; {makers}; {kinds.LASTING[0].replace(' ', '')}", self.logs),
            ("audit log: pods that were let through", "all marked", self.annotations)]
