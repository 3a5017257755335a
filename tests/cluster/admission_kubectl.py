"""Rows about what kubectl does with many objects, with names that are yet to come, with replicas, and with older revisions."""
import json
import re

from admission_objects import BAD, BETTER, DEPLOYMENT, GOOD, KINDS, POD, REPLICASET, changed, container, make, make_bad, text
from admission_stage import outcome

PLACE, STORED = "kubectl", "kubectl-stored"
REVISION = "deployment.kubernetes.io/revision"
DEPLOYER = "system:serviceaccount:kube-system:deployment-controller"


class Kubectl:
    def __init__(self, stage):
        self.stage = stage

    def prepare(self):
        self.stage.namespace(PLACE, "enforce")
        self.stage.namespace(STORED)
        self.stage.store(make_bad(DEPLOYMENT, "scaled"), STORED)

    def judge(self):
        self.stage.judge_from_now_on(STORED, "enforce")

    def run(self, *arguments, given=None, namespace=PLACE):
        return self.stage.plane.kubectl(*arguments, "-n", namespace, given=given)

    # Names that the API server makes.
    def generated(self, kind):
        def post(thing):
            thing["metadata"]["generateName"] = thing["metadata"].pop("name") + "-"
            return self.stage.post(thing, PLACE)
        bad, good = post(make_bad(kind, "made")), post(make(kind, "made"))
        name = good.body.get("metadata", {}).get("name", "")
        return f"{outcome(bad)}; a good one {outcome(good)}, {'named' if re.fullmatch(r'made-[a-z0-9]{5}', name) else name}"

    def generated_under_exception(self):
        """Matched by what the name will begin with."""
        thing = make_bad(POD, "x")
        thing["metadata"] = {"generateName": "legacy-"}
        return outcome(self.stage.post(thing, PLACE))

    # Many objects.
    def applied(self, *things, flags=()):
        done = self.run("apply", *flags, "-f", "-", given=text(*things))
        created = re.findall(r"^\S+/(\S+) (?:created|serverside-applied|configured)", done.stdout, re.M)
        refused = re.findall(r"deny ([a-z-]+):", done.stderr)
        return f"exit {done.returncode}; made: {' '.join(created)}; refused for: {' '.join(refused)}"

    def as_list(self, bad, good):
        return {"apiVersion": "v1", "kind": "List", "items": [make_bad(DEPLOYMENT, bad), make(DEPLOYMENT, good)]}

    def posted_list(self):
        """kubectl takes a List apart; the API server itself takes none."""
        return outcome(self.stage.call("POST", DEPLOYMENT.path(PLACE), self.as_list("one", "two")))

    # Replicas.
    def scale(self, namespace, name, replicas, *flags):
        done = self.run("scale", f"deployment/{name}", f"--replicas={replicas}", *flags, namespace=namespace)
        seen = self.stage.get(DEPLOYMENT, namespace, name)["spec"]["replicas"]
        return f"exit {done.returncode}, {done.stderr.strip() or 'no warning'}, {seen} replicas"

    def scaled_down(self):
        """The rule about replicas sees spec.replicas only: the subresource is not registered."""
        self.stage.store(make(DEPLOYMENT, "replicated-one"), PLACE)
        spec = outcome(self.stage.patch(DEPLOYMENT, PLACE, "replicated-one", {"spec": {"replicas": 1}}))
        scaled = self.scale(PLACE, "replicated-one", 1)
        labels = outcome(self.stage.patch(DEPLOYMENT, PLACE, "replicated-one", {"metadata": {"labels": {"team": "a"}}}))
        up = outcome(self.stage.patch(DEPLOYMENT, PLACE, "replicated-one", {"spec": {"replicas": 3}}))
        return f"spec.replicas {spec}; kubectl scale {scaled}; then a label {labels}; up again {up}"

    # Older revisions.
    def revision(self, deployment, number, image, probe=True):
        """The ReplicaSet that the controller would have made of it."""
        owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": deployment["metadata"]["name"],
                 "uid": deployment["metadata"]["uid"], "controller": True}
        thing = make(REPLICASET, f"{owner['name']}-{number}", container(image, probe=probe), annotations={REVISION: str(number)},
                     ownerReferences=[owner])
        spec = thing["spec"]
        for labels in (thing["metadata"]["labels"], spec["template"]["metadata"]["labels"], spec["selector"]["matchLabels"]):
            labels["pod-template-hash"] = f"hash{number}"
        return outcome(self.stage.post(thing, PLACE, user=DEPLOYER))

    def undo(self, name, older, probe=True):
        labels = {"app": name}  # so that kubectl does not find the ReplicaSets of another row
        thing = make(DEPLOYMENT, name, container(BETTER), annotations={REVISION: "2"}, labels=labels)
        deployment = self.stage.store(thing, PLACE)
        made = [self.revision(deployment, 1, older, probe), self.revision(deployment, 2, BETTER)]
        done = self.run("rollout", "undo", f"deployment/{name}", "--to-revision=1")
        refused = re.findall(r"deny ([a-z-]+):", done.stderr) or done.stderr.strip()
        image = self.stage.get(DEPLOYMENT, PLACE, name)["spec"]["template"]["spec"]["containers"][0]["image"]
        said = f"refused for {' '.join(refused)}" if refused else "done"
        return f"ReplicaSets {', '.join(made)}; exit {done.returncode}, {said}; now {image}"

    def restart(self):
        """`kubectl rollout restart` writes an annotation into the template."""
        done = self.run("rollout", "restart", "deployment/scaled", namespace=STORED)
        return f"exit {done.returncode}, {len(re.findall('(?m)^Warning: .*was so before', done.stderr))} warnings"

    def edited(self):
        """About what `kubectl edit` sends."""
        thing = self.stage.store(make(DEPLOYMENT, "edited"), PLACE)
        body = json.dumps({"spec": changed(DEPLOYMENT, thing, BAD)["spec"]})
        done = self.run("patch", "deployment", "edited", "--type=merge", "-p", body)
        return f"exit {done.returncode}: {' '.join(re.findall(r'deny ([a-z-]+):', done.stderr))}"

    def rows(self):
        both = "image-tag liveness-probe"
        many = [
            *((f"{kind.name} with generateName", f"denied 403: {kind.reasons}; a good one allowed, named",
               lambda kind=kind: self.generated(kind)) for kind in KINDS),
            ("bad Pod whose generateName an exception matches", "allowed", self.generated_under_exception),
            ("kubectl apply of a List of a bad and a good one", f"exit 1; made: list-good; refused for: {both}",
             lambda: self.applied(self.as_list("list-bad", "list-good"))),
            ("the same by server-side apply", f"exit 1; made: list-good-2; refused for: {both}",
             lambda: self.applied(self.as_list("list-bad-2", "list-good-2"), flags=["--server-side"])),
            ("kubectl apply of a good, a bad and a good document", f"exit 1; made: doc-1 doc-3; refused for: {both}",
             lambda: self.applied(make(DEPLOYMENT, "doc-1"), make_bad(DEPLOYMENT, "doc-2"), make(DEPLOYMENT, "doc-3"))),
            ("a List posted as it is", "400 BadRequest", self.posted_list)]
        revisions = [
            ("kubectl scale of what was stored with violations", "exit 0, no warning, 5 replicas", lambda: self.scale(STORED, "scaled", 5)),
            ("fewer replicas than the policy wants", "spec.replicas denied 403: replicas; kubectl scale exit 0, no warning, 1 replicas; "
             "then a label allowed, 1 warning; up again allowed", self.scaled_down),
            ("kubectl rollout undo to a good revision", f"ReplicaSets allowed, allowed; exit 0, done; now {GOOD}",
             lambda: self.undo("undo-good", GOOD)),
            ("kubectl rollout undo to a revision that is in violation", "ReplicaSets allowed, 2 warnings, allowed; exit 1, refused for "
             f"{both}; now {BETTER}", lambda: self.undo("undo-bad", BAD, probe=False)),
            ("kubectl rollout restart of what was stored with violations", "exit 0, 2 warnings", self.restart),
            ("kubectl patch of a whole spec with a bad image", "exit 1: image-tag", self.edited)]
        return [(f"{letter}{number}", *row) for letter, rows in (("j", many), ("k", revisions)) for number, row in enumerate(rows, 1)]
