"""Group 2: every built-in kind, with the controllers that make its pods, and what people do with kubectl."""
import json

import kinds
from kind_deeds import Kept, People
from kinds import CRON_JOB, JOB, KINDS, POD, POD_TEMPLATE, Deeds, make, make_bad
from stage import OWN, bad_container, deployment, values

REASON = 'container "app" image localhost/team/app:latest has the mutable tag "latest"'
REFUSED = f"refused: {kinds.LASTING[0]}"


class Kinds(Deeds):
    """Of each kind a bad one and a good one, created while refusals are in force."""

    def __init__(self, stage):
        super().__init__(stage, "shop")
        self.cron_since = 0

    def bad(self, kind):
        name = f"bad-{kind.word}"
        done = self.kubectl("create", "-f", "-", given=json.dumps(make_bad(kind, name)))
        told = "with reason and fix" if REASON in done.stderr and "fix: name the version" in done.stderr else done.stderr
        return f"{kinds.verdict_of(done.returncode, done.stderr)}; {told}; {self.stored(kind, name)}"

    def good(self, kind):
        name, since = f"good-{kind.word}", self.mark()
        said = self.stage.verdict(make(kind, name))
        if kind is POD_TEMPLATE:
            return f"{said}; {self.stored(kind, name)}"
        if kind is CRON_JOB:  # its time comes within a minute: see `scheduled`
            self.cron_since = since
            return f"{said}; {self.stored(kind, name)}"
        if kind is JOB:
            return f"{said}; {self.ended(name)}, pod by {self.makers(since, jobs=True)}"
        return f"{said}; {len(self.wait_for(name, 1))} runs, by {self.makers(since)}"

    def scheduled(self):
        """What the CronJob of `good` has brought about meanwhile."""
        found = self.node.wait_until(lambda: self.jobs_of("good-cronjob"), 100, "the CronJob makes a Job")
        ended = self.ended(found[0]["metadata"]["name"])
        made = self.makers(self.cron_since, "jobs")
        self.kubectl("delete", "cronjob", "good-cronjob")
        return f"Job by {made}, {ended}"

    def dry_run(self, kind):
        said = [self.does("create", "--dry-run=server", "-f", "-", given=json.dumps(thing)) for thing in
                (make_bad(kind, "dry"), make(kind, "dry"))]
        return f"{'; a good one '.join(said)}; {self.stored(kind, 'dry')}"

    def server_side(self, kind):
        """A bad one, and a label for the good one that is there."""
        flags = ("--server-side", "--force-conflicts")
        bad, name = self.stage.verdict(make_bad(kind, f"sided-{kind.word}"), "shop", *flags), f"good-{kind.word}"
        good = self.stage.verdict(make(kind, name, labels={"app": name, "team": "a"}), "shop", *flags)
        label = self.read(kind, name)["metadata"]["labels"].get("team")
        return f"{bad}; {self.stored(kind, f'sided-{kind.word}')}; a good one {good}, label {label}"

    def server_side_worse(self, kind):
        """The good one that is there is made bad."""
        name = f"good-{kind.word}"
        said = self.stage.verdict(make(kind, name, bad_container()), "shop", "--server-side", "--force-conflicts")
        return f"{said}; {'changed' if 'app:latest' in json.dumps(self.read(kind, name)) else 'unchanged'}"

    def scaled(self, kind):
        name, since = f"good-{kind.word}", self.mark()
        done = self.kubectl("scale", f"{kind.word}/{name}", "--replicas=2")
        runs = len(self.wait_for(name, 2))
        made = self.makers(since)
        self.kubectl("scale", f"{kind.word}/{name}", "--replicas=0")
        self.node.wait_until(lambda: not self.pods(name, running=False), 60, "its pods have gone")
        return f"exit {done.returncode}; {runs} run, by {made}"

    def kind_rows(self, number, kind):
        name, refused = kind.name, f"refused: {kind.rules}"
        if kind is POD:
            made = "1 runs, by admin"
        elif kind is JOB:
            made = "completed, pod by job-controller"
        else:
            made = f"1 runs, by {kind.creator}-controller" if kind.creator and kind is not CRON_JOB else "stored"
        rows = [(f"a bad {name}", f"{refused}; with reason and fix; not stored", lambda: self.bad(kind)),
                (f"a good {name}", f"admitted; {made}", lambda: self.good(kind)),
                (f"{name} by kubectl create --dry-run=server", f"{refused}; a good one admitted; not stored", lambda: self.dry_run(kind)),
                (f"{name} by server-side apply", f"{refused}; not stored; a good one admitted, label a", lambda: self.server_side(kind))]
        if kind not in (POD, JOB):  # what their containers are, cannot be changed so
            rows.append((f"good {name} made bad by server-side apply", f"{refused}; unchanged", lambda: self.server_side_worse(kind)))
        if kind in kinds.SCALED:
            rows.append((f"kubectl scale of a {name}", f"exit 0; 2 run, by {kind.creator}-controller", lambda: self.scaled(kind)))
        return [(f"2.{number}.{at}", *row) for at, row in enumerate(rows, 1)]


class Group:
    def __init__(self, stage):
        self.stage, self.kinds, self.people, self.kept = stage, Kinds(stage), People(stage), Kept(stage)

    def before(self):
        """Installed in mode audit, so that what breaks rules is stored, and runs."""
        self.stage.install(values("audit"))
        return self.kept.store()

    def enforced(self):
        self.stage.upgrade(values("enforce"))
        return self.stage.comes_to(REFUSED, deployment("refused", bad_container()))

    def left(self):
        self.stage.uninstall()
        self.stage.forget()
        found = self.stage.node.get("/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations")["items"]
        return f"{len(found)} webhook configurations, namespace {'there' if self.stage.exists(f'/api/v1/namespaces/{OWN}') else 'gone'}"

    def rows(self):
        of_kinds = [row for number, kind in enumerate(KINDS, 3) for row in self.kinds.kind_rows(number, kind)]
        return [
            ("2.1", "mode audit: objects that break rules, one of each kind and more", "all stored, their pods run", self.before),
            ("2.2", "mode enforce: such a Deployment", REFUSED, self.enforced),
            *of_kinds,
            *((f"2.12.{at}", *row) for at, row in enumerate(self.people.rows(), 1)),
            *((f"2.13.{at}", *row) for at, row in enumerate(self.kept.rows(), 1)),
            ("2.14", "what the good CronJob has made", "Job by cronjob-controller, completed", self.kinds.scheduled),
            ("2.15", "helm uninstall", "0 webhook configurations, namespace gone", self.left)]


def rows(stage):
    return Group(stage).rows()
