"""The built-in kinds that bear pods, as objects to apply, and what rows about any of them do."""
import dataclasses
import json

from node import is_running
from stage import BAD, container, pod_spec, template, verdict_of

SYSTEM = "system:serviceaccount:kube-system:"
COMPLETED = {"args": ["true"], "probes": False}  # of a container that does its work and ends
LASTING = ("image-tag, liveness-probe, readiness-probe, resources", 6)  # rules and findings of a bad container; resources has three
ENDING = ("image-tag, resources", 4)


@dataclasses.dataclass(frozen=True)
class Kind:
    """`creator`: the controller that makes its pods; "" where nobody does."""
    name: str
    api: str
    creator: str = ""
    ends: bool = False

    @property
    def rules(self):
        return (ENDING if self.ends else LASTING)[0]

    @property
    def findings(self):
        return (ENDING if self.ends else LASTING)[1]

    @property
    def word(self):
        return self.name.lower()


POD, DEPLOYMENT = Kind("Pod", "v1"), Kind("Deployment", "apps/v1", "replicaset")
STATEFUL_SET, DAEMON_SET = Kind("StatefulSet", "apps/v1", "statefulset"), Kind("DaemonSet", "apps/v1", "daemon-set")
REPLICA_SET = Kind("ReplicaSet", "apps/v1", "replicaset")
REPLICATION_CONTROLLER, POD_TEMPLATE = Kind("ReplicationController", "v1", "replication"), Kind("PodTemplate", "v1")
JOB, CRON_JOB = Kind("Job", "batch/v1", "job", ends=True), Kind("CronJob", "batch/v1", "job", ends=True)
KINDS = [POD, DEPLOYMENT, STATEFUL_SET, DAEMON_SET, REPLICA_SET, REPLICATION_CONTROLLER, POD_TEMPLATE, JOB, CRON_JOB]
SCALED = [DEPLOYMENT, STATEFUL_SET, REPLICA_SET, REPLICATION_CONTROLLER]


def make(kind, name, *containers, **metadata):
    """Without containers a good one."""
    containers = containers or [container(**COMPLETED)] if kind.ends else containers
    more = {"restartPolicy": "Never"} if kind.ends else {}
    thing = {"apiVersion": kind.api, "kind": kind.name, "metadata": {"name": name, "labels": {"app": name}, **metadata}}
    if kind is POD:
        return {**thing, "spec": pod_spec(*containers)}
    inner = template(name, *containers, **more)
    if kind is POD_TEMPLATE:
        return {**thing, "template": inner}
    if kind is CRON_JOB:
        return {**thing, "spec": {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": inner}}}}
    spec = {"template": inner}
    if not kind.ends:
        spec["selector"] = {"app": name} if kind is REPLICATION_CONTROLLER else {"matchLabels": {"app": name}}
    if kind in SCALED:
        spec["replicas"] = 1
    if kind is STATEFUL_SET:
        spec["serviceName"] = name
    return {**thing, "spec": spec}


def make_bad(kind, name, **metadata):
    """Its pods run as well as those of a good one."""
    return make(kind, name, container(**{**BAD, **({"args": ["true"]} if kind.ends else {})}), **metadata)


class Deeds:
    """What people and controllers do in one namespace, and what comes of it."""

    def __init__(self, stage, name_space):
        self.stage, self.node, self.name_space = stage, stage.node, name_space

    def kubectl(self, *arguments, given=None):
        return self.node.kubectl(*arguments, "-n", self.name_space, given=given, timeout=150)

    def does(self, *arguments, given=None):
        """The verdict of any command of kubectl's."""
        done = self.kubectl(*arguments, given=given)
        return verdict_of(done.returncode, done.stdout + done.stderr)

    def read(self, kind, name):
        """None where there is none."""
        done = self.kubectl("get", kind.word, name, "-o", "json", "--ignore-not-found")
        return json.loads(done.stdout) if done.stdout.strip() else None

    def stored(self, kind, name):
        return "stored" if self.read(kind, name) else "not stored"

    def gone(self, kind, name, seconds=60):
        self.node.wait_until(lambda: self.read(kind, name) is None, seconds, f"{kind.name} {name} is gone")
        return "gone"

    def pods(self, name, running=True):
        return [pod for pod in self.node.pods(self.name_space, f"app={name}") if not running or is_running(pod)]

    def wait_for(self, name, count, seconds=90):
        """So many pods run, and there is no other but those that have ended; returns them."""
        def settled():
            others = [pod for pod in self.pods(name, running=False) if pod["status"].get("phase") not in ("Succeeded", "Failed")]
            found = [pod for pod in others if is_running(pod)]
            return found if len(found) == count == len(others) else None
        return self.node.wait_until(settled, seconds, f"{count} pods of {name} run") if count else []

    def image_of(self, name, kind=DEPLOYMENT):
        return self.read(kind, name)["spec"]["template"]["spec"]["containers"][0]["image"]

    def ended(self, job, seconds=90):
        """The Job has done its work."""
        def completed():
            status = (self.read(JOB, job) or {}).get("status", {})
            return any(one["type"] == "Complete" and one["status"] == "True" for one in status.get("conditions", []))
        self.node.wait_until(completed, seconds, f"Job {job} is complete")
        return "completed"

    def jobs_of(self, cron_job):
        items = json.loads(self.kubectl("get", "jobs", "-o", "json").stdout)["items"]
        return [job for job in items if any(owner["name"] == cron_job for owner in job["metadata"].get("ownerReferences", []))]

    # What the API server recorded.

    def mark(self):
        return len(self.node.audit_events())

    def creations(self, since, resource="pods"):
        """Of the events since `mark`: creations that were let in."""
        for event in self.node.audit_events()[since:]:
            about = event.get("objectRef", {})
            created = event["verb"] == "create" and about.get("resource") == resource and "subresource" not in about
            if created and about.get("namespace") == self.name_space and event.get("responseStatus", {}).get("code") == 201:
                yield event

    def makers(self, since, resource="pods", jobs=False):
        """Who created such objects, in the words of the table; with `jobs` pods of Jobs, and else others: a CronJob's come whenever they
        come."""
        def users():
            found = {event["user"]["username"].removeprefix(SYSTEM) for event in self.creations(since, resource)}
            return {user for user in found if (user == "job-controller") == jobs}
        return ", ".join(sorted(self.node.wait_until(users, 30, "a creation is recorded")))
