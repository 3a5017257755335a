"""What the status of policies and exceptions says, when it is written, and that a server which starts uses what is in force."""
import datetime
import json
import pathlib
import re

from controller_stage import Place, Scene, told
from harness import Server, wait_until

API = "plimsoll.dev/v1alpha1"
POLICIES = f"/apis/{API}/hygienepolicies"
DEFINITIONS = pathlib.Path(__file__).resolve().parents[2] / "manifests" / "crds"
REFUSED = {"rules": {"image-tag": {"action": "enforce", "mutabel": ["x"]}}}
GOLD = {"rules": {"image-tag": {"action": "enforce"}, "liveness-probe": {"action": "warn"}},
        "namespaceExceptions": {"rules": ["image-tag"], "longest": "90d"}}


def install_crds(plane):
    """The definitions, as kubectl applies them; returns when the API server serves them."""
    done = plane.kubectl("apply", "-k", DEFINITIONS)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    plane.await_kinds("hygienepolicies.plimsoll.dev", "hygieneexceptions.plimsoll.dev")
    wait_until(lambda: told(lambda: plane.get(POLICIES), 1))


def in_days(days):
    return (datetime.datetime.now(datetime.timezone.utc).date() + datetime.timedelta(days=days)).isoformat()


def exception(name, **spec):
    return {"apiVersion": API, "kind": "HygieneException", "metadata": {"name": name},
            "spec": {"rules": ["image-tag"], "owner": "team-a", "reason": "moves next year", "expires": in_days(30), **spec}}


def condition(status, kind="Accepted"):
    """"True Valid, of 3"."""
    found = next(one for one in status.get("conditions", []) if one["type"] == kind)
    return f"{found['status']} {found['reason']}, of {found['observedGeneration']}"


def message(status, kind="Accepted"):
    return next(one["message"] for one in status["conditions"] if one["type"] == kind)


class Statuses(Scene):
    name, number = "status", 10

    def play(self):
        install_crds(self.plane)
        self.place = Place(self.plane, "status", 30, secret={})
        self.exceptions = f"/apis/{API}/namespaces/{self.place.shop}/hygieneexceptions"
        with self.place.controller("--policies", "cluster", user="status-a") as self.controller:
            told(lambda: self.place.consistent() == "consistent")
            with self.server() as self.first:
                self.policies()
                self.the_refused()
                self.of_exceptions()
            self.events()
            self.quiet()
            self.deleted()

    def server(self):
        with_cluster = ("--policies", "cluster", "--kubeconfig", str(self.plane.kubeconfig))
        return Server(*with_cluster, policy="")

    def status(self, name, path=None):
        return self.plane.get(f"{path or POLICIES}/{name}").get("status", {})

    def create(self, name, spec):
        self.plane.create(POLICIES, {"apiVersion": API, "kind": "HygienePolicy", "metadata": {"name": name}, "spec": spec})

    def change(self, name, spec):
        self.plane.patch(f"{POLICIES}/{name}", {"spec": spec})

    def policies(self):
        self.create("gold", GOLD)
        self.soon("a valid policy", "True Valid, of 1; rules 2, exceptions 0, expiring 0; in force: 1", lambda: self.summary("gold"))
        self.row("its spec is remembered as it is", True, lambda: self.status("gold")["inForce"]["spec"] == GOLD)
        self.row("nothing expires", "False NoneSoon, of 1", lambda: condition(self.status("gold"), "ExceptionsExpiring"))
        since = self.status("gold")["conditions"][0]["lastTransitionTime"]
        told(lambda: False, 1.2)
        self.change("gold", {"rules": {"readiness-probe": {"action": "warn"}}})
        self.soon("changed", "True Valid, of 2; rules 3, exceptions 0, expiring 0; in force: 2", lambda: self.summary("gold"))
        self.row("a condition that stays keeps its time", since, lambda: self.status("gold")["conditions"][0]["lastTransitionTime"])

    def summary(self, name):
        status = self.status(name)
        return (f"{condition(status)}; rules {status['rules']}, exceptions {status['exceptions']}, expiring {status['expiring']}; "
                f"in force: {status.get('inForce', {}).get('generation', 'none')}")

    def the_refused(self):
        self.change("gold", REFUSED)
        self.soon("a spec that is refused: the one before stays", "False Invalid, of 3; rules 3, exceptions 0, expiring 0; in force: 2",
                  lambda: self.summary("gold"))
        self.row("it says what is wrong, and what is in force", True, lambda: all(part in message(self.status("gold")) for part in (
            'spec.rules.image-tag.mutabel: unknown key "mutabel"', "the spec of generation 2 stays in force")))
        self.soon("the controller's metric", 1, lambda: int(self.controller.metric("policies_refused")))
        self.soon("the server tells it, too", "policy refused, the old one is kept", lambda: next(
            line["event"] for line in self.first.log_lines() if line["event"].startswith("policy refused")))
        with self.server() as late:
            self.soon("a server that starts now uses the same", True, lambda: self.revision(late) == self.revision(self.first) is not None)
            self.row("and tells it", True, lambda: "1 refused" in late.get("/readyz")[1])
        with self.place.controller("--policies", "cluster", "--lease", "another") as other:
            told(lambda: other.metric("policies_refused") == 1)
            told(lambda: False, 1)
            self.row("another controller remembers it as well", "False Invalid, of 3; rules 3, exceptions 0, expiring 0; in force: 2",
                     lambda: self.summary("gold"))
        self.change("gold", {"rules": {"image-tag": {"mutabel": None}}})
        self.soon("put right", "True Valid, of 4; rules 3, exceptions 0, expiring 0; in force: 4", lambda: self.summary("gold"))
        self.soon("the metric", 0, lambda: int(self.controller.metric("policies_refused")))
        self.create("never", REFUSED)
        self.soon(
            "refused from the first",
            "False Invalid, of 1; rules 0, exceptions 0, expiring 0; in force: none",
            lambda: self.summary("never"),
        )
        self.plane.patch(f"{POLICIES}/gold/status", {"status": {"rules": 99, "conditions": []}})
        self.soon("a status that somebody writes is put right", "True Valid, of 4; rules 3, exceptions 0, expiring 0; in force: 4",
                  lambda: self.summary("gold"))

    @staticmethod
    def revision(server):
        lines = [line for line in server.log_lines() if line["event"] == "policies loaded" and line.get("source") == "cluster"]
        return lines[-1]["policyRevision"] if lines else None

    def of_exceptions(self):
        rows = [
            ("accepted", {}, "True Accepted, of 1", "accepted by gold"),
            ("soon", {"expires": in_days(3)}, "True Accepted, of 1", "accepted by gold"),
            ("refused", {"rules": ["liveness-probe"]}, "False RefusedByPolicy, of 1", "liveness-probe"),
            ("long", {"expires": in_days(200)}, "False RefusedByPolicy, of 1", "90"),
            ("expired", {"expires": "2020-01-31"}, "False Expired, of 1", "it ended on 2020-01-31"),
            ("nothing", {"rules": ["image-size"]}, "False NothingToExcept, of 1", "no policy has one of these rules on"),
            ("wrong", {"rules": ["imag-tag"]}, "False Invalid, of 1", "imag-tag"),
        ]
        for name, spec, _, _ in rows:
            self.plane.create(self.exceptions, exception(name, **spec))
        for name, _, expected, part in rows:
            self.soon(f"exception, {name}", expected, lambda name=name: condition(self.status(name, self.exceptions)))
            self.row(
                f"exception, {name}: it says why", True, lambda name=name, part=part: part in message(self.status(name, self.exceptions))
            )
        self.soon(
            "the policy counts them", "True Valid, of 4; rules 3, exceptions 2, expiring 1; in force: 4", lambda: self.summary("gold")
        )
        self.row(
            "and says which end soon",
            f"True Soon: {self.place.shop}/soon until {in_days(3)}",
            lambda: (
                "True Soon: " + message(self.status("gold"), "ExceptionsExpiring")
                if condition(self.status("gold"), "ExceptionsExpiring").startswith("True Soon")
                else ""
            ),
        )
        self.columns()
        self.plane.patch(f"{self.exceptions}/nothing", {"spec": {"rules": ["image-tag"]}})
        self.soon("exception, changed", "True Accepted, of 2", lambda: condition(self.status("nothing", self.exceptions)))
        self.change(
            "gold",
            {
                "exceptions": [
                    {"rules": ["image-tag"], "match": {"names": ["b-*"]}, "owner": "team-b", "reason": "moves", "expires": in_days(5)}
                ]
            },
        )
        self.soon(
            "the policy's own count, too",
            "exceptions 4, expiring 2",
            lambda: ", ".join(self.summary("gold").split("; ")[1].split(", ")[1:]),
        )

    def columns(self):
        shown = self.plane.kubectl("get", "hyp", "gold", "--no-headers").stdout.split()
        self.row("kubectl get hyp: accepted, rules, exceptions, expiring", "gold True 3 2 1", lambda: " ".join(shown[:5]))
        shown = {line.split()[0]: line.split()[1:4] for line in
                 self.plane.kubectl("get", "hyx", "-n", self.place.shop, "--no-headers").stdout.splitlines()}
        self.row("kubectl get hyx: accepted, owner, expires", f"True team-a {in_days(30)}; False team-a 2020-01-31",
                 lambda: "; ".join(" ".join(shown[name]) for name in ("accepted", "expired")))

    def events(self):
        def where(kind):
            found = self.plane.get("/apis/events.k8s.io/v1/events")["items"]
            return sorted(
                {
                    f"{e['metadata']['namespace']}/{e['regarding']['name']} {e['type']} {e['reason']}"
                    for e in found
                    if e["regarding"]["kind"] == kind
                }
            )
        self.soon("Events of policies", "['default/gold Warning Refused', 'default/never Warning Refused']", lambda: where("HygienePolicy"))
        self.soon("Events of exceptions", "['status-shop/wrong Warning Refused']", lambda: where("HygieneException"))

    def quiet(self):
        told(lambda: False, 1)
        since = len(self.plane.audit_events())
        self.plane.patch(f"{POLICIES}/gold", {"metadata": {"labels": {"team": "a"}}})
        told(lambda: False, 5)
        self.row("nothing is written while nothing changes, a label neither", "[]", lambda: self.place.writes("status-a", since))

    def deleted(self):
        self.plane.delete(f"{POLICIES}/gold")
        self.soon("without the policy there is nothing to except", "False NothingToExcept, of 1",
                  lambda: condition(self.status("accepted", self.exceptions)))
        # An API server that installs definitions or answers late is not the controller's trouble.
        met = [line for line in self.controller.lines() if not re.search(r"no answer|\(re\)initializing", line.get("trouble", "no answer"))]
        self.row("no trouble was met", "[]", lambda: json.dumps(met))
