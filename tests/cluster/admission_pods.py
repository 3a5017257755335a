"""Rows about pods: ephemeral containers, who creates them, what they claim to be, and containers that move about."""
import copy

from admission_objects import BAD, DEPLOYMENT, GOOD, POD, REPLICASET, WORSE, bad_container, container, make, make_bad
from admission_stage import outcome

PLACE, STORED = "pods", "pods-stored"
SYSTEM = "system:serviceaccount:kube-system:"
CONTROLLERS = ["system:kube-controller-manager", *(SYSTEM + name for name in (
    "deployment-controller", "replicaset-controller", "statefulset-controller", "daemon-set-controller", "job-controller",
    "cronjob-controller", "replication-controller"))]
NOT_CONTROLLERS = ["alice", "system:serviceaccount:default:replicaset-controller", SYSTEM + "default", SYSTEM + "replicaset-controller2",
                   "system:kube-scheduler", "system:node:n1"]
DENIED = "denied 403: image-tag, liveness-probe"


def debugger(image, name="debugger"):
    return {"name": name, "image": image, "targetContainerName": "web"}


class Pods:
    def __init__(self, stage):
        self.stage = stage

    def prepare(self):
        self.stage.namespace(PLACE, "enforce")
        self.stage.namespace(STORED)
        self.stage.store(make_bad(POD, "debugged"), STORED)
        self.stage.patch(POD, STORED, "debugged", {"spec": {"ephemeralContainers": [debugger(BAD)]}}, part="ephemeralcontainers")
        self.stage.store(make(DEPLOYMENT, "moves", container(BAD), container(GOOD, "side")), STORED)

    def judge(self):
        self.stage.judge_from_now_on(STORED, "enforce")

    # Ephemeral containers.
    def add_ephemeral(self, words):
        """A good one after the bad one was refused; how many there are then."""
        name = f"by-{words.replace(' ', '-').lower()}"
        thing = self.stage.store(make(POD, name), PLACE)
        say = {"PUT": self.put_ephemeral, "a merge patch": self.merge_ephemeral, "a strategic merge patch": self.merge_ephemeral}[words]
        seen = [outcome(say(thing, debugger(image), words)) for image in (BAD, "busybox:1.36.1")]
        there = self.stage.get(POD, PLACE, name)["spec"].get("ephemeralContainers", [])
        return f"{seen[0]}; a good one {seen[1]}; {[one['image'] for one in there]}"

    def put_ephemeral(self, thing, added, _):
        new = copy.deepcopy(thing)
        new["spec"]["ephemeralContainers"] = [added]
        return self.stage.put(POD, PLACE, new, part="ephemeralcontainers")

    def merge_ephemeral(self, thing, added, words):
        kind = "application/strategic-merge-patch+json" if "strategic" in words else "application/merge-patch+json"
        body = {"spec": {"ephemeralContainers": [added]}}
        return self.stage.patch(POD, PLACE, thing["metadata"]["name"], body, kind, "ephemeralcontainers")

    def debug(self, image):
        name = "kubectl-" + image.partition(":")[0]
        self.stage.store(make(POD, name), PLACE)
        done = self.stage.plane.kubectl("debug", "-n", PLACE, name, f"--image={image}", "--attach=false", "--container=debugger")
        there = self.stage.get(POD, PLACE, name)["spec"].get("ephemeralContainers", [])
        rule = "image-tag" if "deny image-tag: " in done.stderr else done.stderr.strip()[-200:] if done.returncode else "no complaint"
        return f"exit {done.returncode}: {rule}; {len(there)} there"

    def debug_copy(self):
        """The copy is a new Pod. With a container for debugging kubectl leaves the probes out of it."""
        self.stage.store(make(POD, "original"), PLACE)
        seen = []
        for name, flag in (("copy-other-image", "--set-image=web=nginx:1.27.5"), ("copy-with-debugger", "--image=busybox:1.36.1")):
            done = self.stage.plane.kubectl("debug", "-n", PLACE, "original", f"--copy-to={name}", flag, "--attach=false")
            seen.append("liveness-probe" if "deny liveness-probe: " in done.stderr else done.stderr.strip() or "allowed")
        return f"{seen[0]}; with a container for debugging {seen[1]}"

    def ephemeral_beside_bad(self):
        """To the Pod with a bad ephemeral container, stored before, a good one is added, then another bad one."""
        seen = []
        for image, name in (("busybox:1.36.1", "second"), (WORSE, "third")):
            there = self.stage.get(POD, STORED, "debugged")["spec"]["ephemeralContainers"]
            body = {"spec": {"ephemeralContainers": [*there, debugger(image, name)]}}
            seen.append(outcome(self.stage.patch(POD, STORED, "debugged", body, part="ephemeralcontainers")))
        return "; ".join(seen)

    def ephemeral_in_pod(self):
        """The API server itself lets them in by their subresource only."""
        thing = self.stage.store(make(POD, "front-door"), PLACE)
        thing["spec"]["ephemeralContainers"] = [debugger(BAD)]
        updated = outcome(self.stage.put(POD, PLACE, thing))
        created = make(POD, "front-door-2")
        created["spec"]["ephemeralContainers"] = [debugger(BAD)]
        answer = self.stage.post(created, PLACE)
        return f"update {updated}; create {answer.code}"

    def resized(self, memory):
        """A Pod of 64Mi that is given more in place."""
        name = f"resized-{memory.lower()}"
        sized = container(resources={"limits": {"memory": "64Mi", "cpu": "1"}, "requests": {"memory": "64Mi", "cpu": "1"}})
        self.stage.store(make(POD, name, sized, labels={"sized": "yes"}), PLACE)
        wanted = {"limits": {"memory": memory}, "requests": {"memory": memory}}
        return outcome(self.stage.patch(POD, PLACE, name, {"spec": {"containers": [{"name": "web", "resources": wanted}]}},
                                        "application/strategic-merge-patch+json", "resize"))

    # Who and what.
    def created_by(self, user, kind=POD):
        name = user.rsplit(":", 1)[-1] + f"-{kind.name.lower()}"
        answer = self.stage.post(make_bad(kind, name, namespace=PLACE), PLACE, user=user)
        said = self.stage.decisions(audit_id=answer.audit_id)
        marked = "" if answer.code >= 300 else ", " + ("marked" if ", controller)" in said.get("rules", "") else f"not marked: {said}")
        return outcome(answer) + marked

    def updated_by_controller(self):
        thing = self.stage.store(make(POD, "by-controller"), PLACE)
        thing["spec"]["containers"][0]["image"] = BAD
        return outcome(self.stage.put(POD, PLACE, thing, user=SYSTEM + "replicaset-controller"))

    def rollout_by_controller(self):
        """A ReplicaSet with violations is scaled down by the controller of its Deployment."""
        user = SYSTEM + "deployment-controller"
        self.stage.post(make_bad(REPLICASET, "rolled"), PLACE, user=user)
        return outcome(self.stage.patch(REPLICASET, PLACE, "rolled", {"spec": {"replicas": 0}}, user=user))

    def owned(self):
        owner = self.stage.store(make(REPLICASET, "owner"), PLACE)
        reference = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "owner", "uid": owner["metadata"]["uid"], "controller": True}
        return outcome(self.stage.post(make_bad(POD, "owned", ownerReferences=[reference]), PLACE))

    def mirrored(self, user=None):
        thing = make_bad(POD, f"mirror-{'node' if user else 'person'}", annotations={"kubernetes.io/config.mirror": "abc"})
        thing["spec"]["nodeName"] = "n1"
        return outcome(self.stage.post(thing, PLACE, user=user))

    # Containers that move: what is new is told by name and kind of container, not by place.
    def moved(self, containers, init=(), volumes=()):
        thing = self.stage.get(DEPLOYMENT, STORED, "moves")
        thing["spec"]["template"]["spec"].update({"containers": containers, "initContainers": list(init), "volumes": list(volumes)})
        return outcome(self.stage.call("PUT", DEPLOYMENT.path(STORED, "moves") + "?dryRun=All", thing))

    def ephemeral_rows(self):
        allowed = "denied 403: image-tag; a good one allowed; ['busybox:1.36.1']"
        return [
            *((f"ephemeral container of :latest by {words}, then a good one", allowed, lambda words=words: self.add_ephemeral(words))
              for words in ("PUT", "a merge patch", "a strategic merge patch")),
            ("kubectl debug --image=busybox:latest", "exit 1: image-tag; 0 there", lambda: self.debug("busybox:latest")),
            ("kubectl debug --image=alpine (no tag)", "exit 1: image-tag; 0 there", lambda: self.debug("alpine")),
            ("kubectl debug --image=toybox:0.8.11", "exit 0: no complaint; 1 there", lambda: self.debug("toybox:0.8.11")),
            ("kubectl debug --copy-to with another image", "allowed; with a container for debugging liveness-probe", self.debug_copy),
            ("ephemeral containers added beside a bad one that was stored before: a good one; a bad one",
             "allowed, 3 warnings; denied 403: image-tag", self.ephemeral_beside_bad),
            ("a Pod of 64Mi resized to 96Mi, where 128Mi is the most", "allowed", lambda: self.resized("96Mi")),
            ("the same resized to 256Mi", "denied 403: resources, resources", lambda: self.resized("256Mi")),
            ("ephemeral containers in a Pod itself", "update 422 Invalid; create 422", self.ephemeral_in_pod)]

    def user_rows(self):
        return [
            *((f"bad Pod created by {user}", expected, lambda user=user: self.created_by(user))
              for users, expected in ((CONTROLLERS, "allowed, 2 warnings, marked"), (NOT_CONTROLLERS, DENIED)) for user in users),
            ("bad ReplicaSet created by the deployment controller", "allowed, 2 warnings, marked",
             lambda: self.created_by(SYSTEM + "deployment-controller", REPLICASET)),
            ("the same ReplicaSet scaled down by it", "allowed, 2 warnings", self.rollout_by_controller),
            ("good Pod made bad by a controller's update", "denied 403: image-tag", self.updated_by_controller),
            ("bad Pod of a person with an owner that is there", DENIED, self.owned),
            ("bad Pod of a person that says it is a mirror", DENIED, self.mirrored),
            ("bad Pod of a node's user that says it is a mirror", DENIED, lambda: self.mirrored("system:node:n1"))]

    def moved_rows(self):
        bad, side = container(BAD), container(GOOD, "side")
        volume = {"name": "data", "image": {"reference": "data:latest"}}
        rows = [
            ("its containers change places", "allowed, 1 warning", lambda: self.moved([side, bad])),
            ("its bad container is renamed", "denied 403: image-tag", lambda: self.moved([container(BAD, "web2"), side])),
            ("the bad image goes to the other container", "denied 403: image-tag",
             lambda: self.moved([container(GOOD), container(BAD, "side")])),
            ("a second bad container is added", "denied 403: image-tag, liveness-probe",
             lambda: self.moved([bad, side, {**bad_container(), "name": "third"}])),
            ("the bad container becomes an init container", "denied 403: image-tag",
             lambda: self.moved([side], [{"name": "web", "image": BAD}])),
            ("a bad init container is added", "denied 403: image-tag",
             lambda: self.moved([bad, side], [{"name": "first", "image": BAD}])),
            ("a bad image volume is added", "denied 403: image-tag", lambda: self.moved([bad, side], (), [volume])),
            ("the bad container is taken away", "allowed", lambda: self.moved([side])),
            ("the tag of the other container is taken away", "denied 403: image-tag",
             lambda: self.moved([bad, container("nginx", "side")]))]
        return [(f"Deployment with a bad container: {what}", expected, see) for what, expected, see in rows]

    def rows(self):
        groups = (("b", self.ephemeral_rows()), ("c", self.moved_rows()), ("d", self.user_rows()))
        return [(f"{letter}{number}", *row) for letter, rows in groups for number, row in enumerate(rows, 1)]
