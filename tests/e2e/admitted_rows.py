"""Group 3: what was admitted before enforcement goes on, and a sidecar that another webhook injects stalls no rollout."""
import kinds
from injected import Injected
from kinds import CRON_JOB, DAEMON_SET, DEPLOYMENT, JOB, REPLICATION_CONTROLLER, STATEFUL_SET, Deeds, make_bad
from stage import BAD, NEWER, OWN, RULES, bad_container, container, deployment, values

RULED = {**RULES, "secret-env": "enforce"}
REFUSED = f"refused: {kinds.LASTING[0]}"
RUNNING = (DEPLOYMENT, STATEFUL_SET, DAEMON_SET, REPLICATION_CONTROLLER)  # what keeps a pod alive
SECRET = "correct-horse-battery"


class Admitted(Deeds):
    """Objects that break rules, created in mode audit and used in mode enforce."""

    def __init__(self, stage):
        super().__init__(stage, "shop")
        self.before, self.since, self.let_through = {}, 0, 0

    @staticmethod
    def name(kind):
        return f"old-{kind.word}"

    def stored(self):
        self.stage.install(values("audit", RULED))
        said = {self.stage.verdict(make_bad(kind, self.name(kind))) for kind in (*RUNNING, CRON_JOB)}
        working = make_bad(JOB, "old-job")
        working["spec"]["template"]["spec"]["containers"] = [container(**BAD)]  # a Job that goes on and on
        said.add(self.stage.verdict(working))
        for kind in (*RUNNING, JOB):
            self.before[kind] = self.wait_for(self.name(kind), 1)[0]
        return f"{', '.join(sorted(said))}; a pod of each runs"

    def enforced(self):
        self.stage.upgrade(values("enforce", RULED))
        self.since = self.mark()
        return self.stage.comes_to(REFUSED, deployment("refused", bad_container()))

    def untouched(self):
        """The same pods, not restarted."""
        same = [kind.name for kind in self.before if (pods := self.wait_for(self.name(kind), 1))
                and pods[0]["metadata"]["uid"] == self.before[kind]["metadata"]["uid"]
                and pods[0]["status"]["containerStatuses"][0]["restartCount"] == 0]
        return f"{len(same)} of {len(self.before)}: {', '.join(same)}"

    # Pods that are lost.

    def another(self, kind, lose):
        """After `lose(pod)` there is another pod instead, made by the controller."""
        name, since = self.name(kind), self.mark()
        pod = self.wait_for(name, 1)[0]["metadata"]
        done = lose(pod["name"])
        self.node.wait_until(lambda: any(one["metadata"]["uid"] != pod["uid"] for one in self.pods(name)), 90, "another pod runs")
        self.wait_for(name, 1)
        return f"{done}; another one runs, by {self.makers(since, jobs=kind is JOB)}"

    def lost(self, kind):
        return self.another(kind, lambda pod: f"exit {self.kubectl('delete', 'pod', pod, '--wait=false').returncode}")

    def failed(self):
        """A pod of a Job that is told to end has done its work: this one is killed."""
        return self.another(JOB, lambda pod: f"{self.node.kill_containers(self.name_space, 'app=old-job')} killed")

    def evicted(self):
        def evict(pod):
            path = f"/api/v1/namespaces/{self.name_space}/pods/{pod}"
            body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": self.name_space}}
            return self.node.create(f"{path}/eviction", body).get("status")
        return self.another(DEPLOYMENT, evict)

    def without_replica_set(self):
        """The Deployment's controller makes it again, and it its pods."""
        since, sets = self.mark(), self.kubectl("get", "rs", "-l", "app=old-deployment", "-o", "name").stdout.split()
        said = self.another(DEPLOYMENT, lambda pod: self.does("delete", *sets))
        return f"{said}; ReplicaSet by {self.makers(since, 'replicasets')}"

    def killed(self):
        """The kubelet starts the container again in the same pod: nobody is asked."""
        pod = self.wait_for("old-deployment", 1)[0]["metadata"]["uid"]
        self.node.kill_containers(self.name_space, "app=old-deployment")

        def restarted():
            return [one for one in self.pods("old-deployment") if one["status"]["containerStatuses"][0]["restartCount"]]
        self.node.wait_until(restarted, 90, "it is started again")
        return "started again in the same pod" if self.wait_for("old-deployment", 1)[0]["metadata"]["uid"] == pod else "in another pod"

    def scheduled(self):
        """The CronJob makes Jobs, and these their pods, as before."""
        def new():
            return [event for event in self.creations(self.since, "jobs")]
        self.node.wait_until(new, 100, "it makes a Job")
        events = new()
        jobs = {job["metadata"]["name"] for job in self.jobs_of("old-cronjob")}
        newest = max(jobs)  # the name ends with the minute
        users = {event["user"]["username"].removeprefix(kinds.SYSTEM) for event in events}
        ended = self.ended(newest)
        self.kubectl("delete", "cronjob", "old-cronjob")  # what else is let through counts in rows to come
        return f"Job by {', '.join(users)}, {ended}"

    # What people do.

    def scaled(self, kind):
        name = self.name(kind)
        said = self.does("scale", f"{kind.word}/{name}", "--replicas=3")
        more = len(self.wait_for(name, 3))
        self.does("scale", f"{kind.word}/{name}", "--replicas=1")
        return f"{said}; {more} run, then {len(self.wait_for(name, 1))}"

    def rolled(self, kind, *arguments):
        """The verdict of a command that changes the template, and whether all pods are new in the end."""
        name = self.name(kind)
        before = {pod["metadata"]["uid"] for pod in self.wait_for(name, 1)}
        said = self.does(*arguments)
        done = self.kubectl("rollout", "status", f"{kind.word}/{name}", "--timeout=90s")
        after = {pod["metadata"]["uid"] for pod in self.wait_for(name, 1)}
        pods = "new pods" if not before & after else "the same pods"
        return f"{said}; {'rolled out' if done.returncode == 0 else done.stderr[-200:]}, {pods}"

    def spoilt(self):
        """A secret in the environment would be a new violation."""
        before = self.wait_for("old-deployment", 1)[0]["metadata"]["uid"]
        done = self.kubectl("set", "env", "deployment/old-deployment", f"DB_PASSWORD={SECRET}")
        said = done.stdout + done.stderr
        same = self.wait_for("old-deployment", 1)[0]["metadata"]["uid"] == before
        leaked = SECRET in said or SECRET in str(self.stage.logs())
        verdict = kinds.verdict_of(done.returncode, said)
        return f"{verdict}; {'the same pod' if same else 'another pod'}; its value {'told' if leaked else 'nowhere'}"

    def rows(self):
        by = "exit 0; another one runs, by {}-controller"
        restart = ("admitted, {} warnings; rolled out, new pods", "kubectl rollout restart")
        image, env = ("set", "image", "deployment/old-deployment"), ("set", "env", "deployment/old-deployment")
        return [
            ("mode audit: what breaks rules", "admitted; a pod of each runs", self.stored),
            ("mode enforce: such a Deployment", REFUSED, self.enforced),
            ("pods that ran before", "5 of 5: Deployment, StatefulSet, DaemonSet, ReplicationController, Job", self.untouched),
            *((f"a pod of the {kind.name} is deleted", by.format(kind.creator), lambda kind=kind: self.lost(kind))
              for kind in RUNNING),
            ("a pod of the Job fails", "1 killed; another one runs, by job-controller", self.failed),
            ("a pod of the Deployment is evicted", "Success; another one runs, by replicaset-controller", self.evicted),
            ("its ReplicaSet is deleted", "admitted; another one runs, by replicaset-controller; ReplicaSet by deployment-controller",
             self.without_replica_set),
            ("its container is killed", "started again in the same pod", self.killed),
            *((f"kubectl scale of the {kind.name}", "admitted; 3 run, then 1", lambda kind=kind: self.scaled(kind))
              for kind in (DEPLOYMENT, STATEFUL_SET, REPLICATION_CONTROLLER)),
            *((f"{restart[1]} of the {kind.name}", restart[0].format(kind.findings),
               lambda kind=kind: self.rolled(kind, "rollout", "restart", f"{kind.word}/{self.name(kind)}"))
              for kind in (DEPLOYMENT, STATEFUL_SET, DAEMON_SET)),
            ("kubectl set env of the Deployment", "admitted, 6 warnings; rolled out, new pods",
             lambda: self.rolled(DEPLOYMENT, *env, "COLOUR=blue")),
            ("kubectl set env of a secret: a new violation", "refused: secret-env; the same pod; its value nowhere", self.spoilt),
            ("kubectl set image to a newer version: one violation less", "admitted, 5 warnings; rolled out, new pods",
             lambda: self.rolled(DEPLOYMENT, *image, f"app={NEWER}")),
            ("kubectl set image back to :latest: a new violation", "refused: image-tag; rolled out, the same pods",
             lambda: self.rolled(DEPLOYMENT, *image, f"app={BAD['image']}")),
            ("the CronJob's next Job", "Job by cronjob-controller, completed", self.scheduled)]


class Group:
    def __init__(self, stage):
        self.stage, self.admitted, self.injected = stage, Admitted(stage), Injected(stage)

    def left(self):
        self.injected.end()
        self.stage.uninstall()
        self.stage.forget()
        paths = [f"/apis/admissionregistration.k8s.io/v1/{kind}webhookconfigurations" for kind in ("validating", "mutating")]
        found = [item for path in paths for item in self.stage.node.get(path)["items"]]
        return f"{len(found)} webhook configurations, namespace {'there' if self.stage.exists(f'/api/v1/namespaces/{OWN}') else 'gone'}"

    def rows(self):
        rows = [*self.admitted.rows(), *self.injected.rows(), ("helm uninstall", "0 webhook configurations, namespace gone", self.left)]
        return [(f"3.{at}", *row) for at, row in enumerate(rows, 1)]


def rows(stage):
    return Group(stage).rows()
