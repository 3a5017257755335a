"""Group 8: policies and exceptions as objects, made, edited, broken and deleted; then a controller that dies in the middle of a renewal."""
import json
import time

from direct import Caller
from renewal import LIVES, Renewal
from stage import CONFIGURATION, OWN, container, deployment, values

API = "plimsoll.dev/v1alpha1"
GOOD = deployment("good")
LATEST = deployment("latest", container("localhost/team/app:latest"))
UNPROBED = deployment("unprobed", container(probes=False))
UNLIMITED = deployment("unlimited", container(resources=False))  # the release's documents refuse it, none of the policies here does
EVENTS = "/apis/events.k8s.io/v1/events"


def policy(rules, **spec):
    return {"apiVersion": API, "kind": "HygienePolicy", "metadata": {"name": "tags"},
            "spec": {"match": {"namespaces": ["shop"]}, "rules": rules, **spec}}


def exception(name, rule="image-tag", days=30):
    end = time.strftime("%Y-%m-%d", time.gmtime(time.time() + days * 86400))
    return {"apiVersion": API, "kind": "HygieneException", "metadata": {"name": name},
            "spec": {"rules": [rule], "owner": "team-a", "reason": "OPS-12", "expires": end}}


ENFORCED = {"image-tag": {"action": "enforce", "mutable": ["1.*"]}}
BROKEN = policy({"image-tag": {"action": "enforce", "mutabel": ["2.*"]}})
EXCEPTABLE = policy({"image-tag": {"action": "enforce"}, "liveness-probe": {"action": "enforce"}},
                    namespaceExceptions={"rules": ["image-tag"], "longest": "60d", "namespaces": ["shop"]})


class Policies:
    def __init__(self, stage):
        self.stage, self.node, self.caller = stage, stage.node, Caller(stage)
        self.patience = 1  # seconds, and more once there is something to wait for

    # What replicas and the API server say.

    def told(self, thing):
        """What each replica says of it: "2 replicas: allow", or what differs."""
        seen = [self.caller.verdict(pod, thing) for pod in self.stage.running()]
        return f"{len(seen)} replicas: {seen[0]}" if seen and len(set(seen)) == 1 else f"{seen}"

    def both(self, expected, thing):
        """The same, once it is as expected."""
        wanted, until = f"2 replicas: {expected}", time.monotonic() + self.patience
        while True:
            try:
                self.caller.trust()
                seen = self.told(thing)
            except AssertionError as error:
                seen = str(error)
            if seen == wanted or time.monotonic() > until:
                return seen
            time.sleep(0.2)

    def apply(self, thing):
        code, said = self.stage.apply(thing)
        if code:
            raise AssertionError(said)

    def columns(self, kind, name):
        """What `kubectl get` shows of it: {heading: text}."""
        done = self.node.kubectl("get", kind, name, "-n", "shop", "-o", "wide")
        heads, texts = (line.split() for line in done.stdout.splitlines()[:2])
        return dict(zip(heads, texts))

    def accepted(self, kind, name, expected):
        """Columns ACCEPTED and the condition's reason, once they are so."""
        path = f"/apis/{API}/" + (f"hygienepolicies/{name}" if kind == "hyp" else f"namespaces/shop/hygieneexceptions/{name}")

        def seen():
            conditions = self.node.get(path).get("status", {}).get("conditions", [])
            return f"{self.columns(kind, name).get('ACCEPTED')} {conditions[0]['reason']}" if conditions else "none"
        until = time.monotonic() + self.patience
        while (found := seen()) != expected and time.monotonic() < until:
            time.sleep(0.3)
        return found

    def healed(self, part):
        """Whether an Event about the webhook configuration says that this was put right."""
        def found():
            return [event for event in self.node.get(EVENTS)["items"] if event["reason"] == "Healed" and part in event.get("note", "")
                    and event["regarding"]["kind"] == "ValidatingWebhookConfiguration"]
        self.node.wait_until(found, 60, f"an Event tells of {part}")
        return "an Event tells it"

    # Rows, one after the other.

    def installed(self):
        self.stage.install(values("enforce", failClosed={"namespaces": ["shop"]}, **LIVES))
        self.patience = 60
        return self.both("deny resources", UNLIMITED)

    def created(self):
        self.apply(policy({"image-tag": {"action": "warn"}}))
        seen = self.both("allow, 1 warning", LATEST)
        return f"{seen}; none of the release's: {self.told(UNLIMITED)}; {self.accepted('hyp', 'tags', 'True Valid')}"

    def edited(self):
        self.apply(policy(ENFORCED))
        seen = f"{self.both('deny image-tag', GOOD)}; {self.both('allow', LATEST)}"
        return f"{seen}; as kubectl sees it: {self.stage.comes_to('refused: image-tag', GOOD)}"

    def misspelt(self):
        code, said = self.stage.apply(BROKEN)
        near = 'did you mean "mutable"?' in said and "policies.plimsoll.dev" in said
        return f"exit {code}, {'nearest key named' if near else said}; {self.told(GOOD)}"

    def broken(self):
        """The entry that looks at policies is taken away by hand, as an administrator may."""
        self.node.kubectl("annotate", "validatingwebhookconfiguration", "plimsoll", "plimsoll.dev/unmanaged=true")
        entries = [entry["name"] for entry in self.node.get(CONFIGURATION)["webhooks"]]
        taken = json.dumps([{"op": "remove", "path": f"/webhooks/{entries.index('policies.plimsoll.dev')}"}])
        done = self.node.kubectl("patch", "validatingwebhookconfiguration", "plimsoll", "--type=json", "-p", taken)
        self.node.wait_until(lambda: self.stage.apply(BROKEN, "shop", "--dry-run=server")[0] == 0, 30, "nobody looks at policies")
        self.apply(BROKEN)
        return f"{self.accepted('hyp', 'tags', 'False Invalid')}; {self.told(GOOD)}" + done.stderr

    def why(self):
        message = self.node.get(f"/apis/{API}/hygienepolicies/tags")["status"]["conditions"][0]["message"]
        wanted = ('spec.rules.image-tag.mutabel', 'did you mean "mutable"?', "stays in force")
        return "place, nearest key, what stays" if all(part in message for part in wanted) else message

    def fresh(self):
        """A replica that starts meanwhile knows the spec in force."""
        before = {pod["metadata"]["name"] for pod in self.stage.running()}
        self.node.kubectl("delete", "pod", "-n", OWN, sorted(before)[0], "--wait=false")
        self.node.wait_until(lambda: {pod["metadata"]["name"] for pod in self.stage.running()} - before and len(self.stage.running()) == 2,
                             120, "a new replica")
        return self.told(GOOD)

    def managed_again(self):
        self.node.kubectl("annotate", "validatingwebhookconfiguration", "plimsoll", "plimsoll.dev/unmanaged-")
        self.node.wait_until(lambda: len(self.node.get(CONFIGURATION)["webhooks"]) == 3, 60, "the entry is there again")
        return f"three entries; {self.healed('webhooks')}"

    def mended(self):
        self.apply(policy({"image-tag": {"action": "enforce", "mutable": ["2.*"]}}))
        return f"{self.accepted('hyp', 'tags', 'True Valid')}; {self.both('allow', GOOD)}"

    def excepted(self):
        self.apply(EXCEPTABLE)
        before = self.both("deny image-tag", LATEST)
        self.apply(exception("agreed"))
        return f"{before}; {self.both('allow', LATEST)}; {self.accepted('hyx', 'agreed', 'True Accepted')}"

    def excepted_no_more(self):
        self.node.kubectl("delete", "hygieneexception", "-n", "shop", "agreed")
        return self.both("deny image-tag", LATEST)

    def ended(self):
        self.apply(exception("ended", days=-2))
        return f"{self.accepted('hyx', 'ended', 'False Expired')}; {self.told(LATEST)}"

    def not_theirs(self):
        self.apply(exception("not-theirs", "liveness-probe"))
        return f"{self.accepted('hyx', 'not-theirs', 'False RefusedByPolicy')}; {self.told(UNPROBED)}"

    def misdirected(self):
        wrong = exception("misdirected")
        wrong["spec"]["match"] = {"namespaces": ["other"]}
        code, said = self.stage.apply(wrong)
        return f"exit {code}, {'says why' if 'a HygieneException is for its own namespace' in said else said}"

    def explained(self):
        said = " ".join(self.node.kubectl("explain", "hygienepolicy.spec.rules.image-tag").stdout.split())
        wanted = ("mutable", "requireSemver", "A tag that moves", "name the version", "Tags (globs) that are moved")
        return "why, the fix, and each parameter" if all(part in said for part in wanted) else said

    def deleted(self):
        self.node.kubectl("delete", "hygieneexceptions", "--all", "-n", "shop")
        self.node.kubectl("delete", "hygienepolicies", "--all")
        return self.both("deny resources", UNLIMITED)

    def edited_by_hand(self):
        done = self.node.kubectl("patch", "validatingwebhookconfiguration", "plimsoll", "--type=json", "-p",
                                 '[{"op": "replace", "path": "/webhooks/0/timeoutSeconds", "value": 3}]')
        self.node.wait_until(lambda: self.node.get(CONFIGURATION)["webhooks"][0]["timeoutSeconds"] == 10, 60, "it is as installed")
        return f"{done.stdout.strip()}; as installed again; {self.healed('timeoutSeconds')}"

    def rows(self):
        latest, good = "2 replicas: deny image-tag", "2 replicas: allow"
        return [
            ("8.1", "policies.source cluster, no policy: the release's documents", "2 replicas: deny resources", self.installed),
            ("8.2", "kubectl apply of a HygienePolicy", f"2 replicas: allow, 1 warning; none of the release's: {good}; True Valid",
             self.created),
            ("8.3", "the policy is edited", f"2 replicas: deny image-tag; {good}; as kubectl sees it: refused: image-tag", self.edited),
            ("8.4", "kubectl apply with a misspelt key", "exit 1, nearest key named; 2 replicas: deny image-tag", self.misspelt),
            ("8.5", "the same put in place while the webhook is not asked", "False Invalid; 2 replicas: deny image-tag", self.broken),
            ("8.6", "its status", "place, nearest key, what stays", self.why),
            ("8.7", "a replica that starts meanwhile", "2 replicas: deny image-tag", self.fresh),
            ("8.8", "plimsoll.dev/unmanaged taken away", "three entries; an Event tells it", self.managed_again),
            ("8.9", "the policy is mended", f"True Valid; {good}", self.mended),
            ("8.10", "a HygieneException that the policy lets be", f"{latest}; {good}; True Accepted", self.excepted),
            ("8.11", "it is deleted", latest, self.excepted_no_more),
            ("8.12", "one that has ended", f"False Expired; {latest}", self.ended),
            ("8.13", "one for a rule that is not for namespaces to except", "False RefusedByPolicy; 2 replicas: deny liveness-probe",
             self.not_theirs),
            ("8.14", "one for another namespace", "exit 1, says why", self.misdirected),
            ("8.15", "kubectl explain hygienepolicy.spec.rules.image-tag", "why, the fix, and each parameter", self.explained),
            ("8.16", "all policies deleted: the release's documents again", "2 replicas: deny resources", self.deleted),
            ("8.17", "the webhook configuration edited by hand",
             "validatingwebhookconfiguration.admissionregistration.k8s.io/plimsoll patched; as installed again; an Event tells it",
             self.edited_by_hand),
        ]


def rows(stage):
    return [*Policies(stage).rows(), *Renewal(stage).rows()]
