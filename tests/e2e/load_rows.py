"""Group 4: no call is lost while plimsoll is replaced, by whatever means; what is lost when a replica is killed."""
import base64
import re
import ssl
import time

from counting import CLOSED, OPEN, SERVE, Traffic, leave, make_namespaces
from stage import CONFIGURATION, OWN, RULES, bad_container, deployment, values

REFUSED = "refused: image-tag, liveness-probe, readiness-probe, resources"
CALLS = 10_000  # at least, over all that replaces replicas on purpose
LIVES = {"authorityLife": "6m", "servingLife": "5m", "trustDelay": "10s"}  # begun half of it before now, so due half of it from now
KILLS = 3
MOST = 5.0  # seconds in which a replica that was killed may cost calls
ALL_REFUSED = "all refused by plimsoll, counted alike"


def settings(closed=(CLOSED,), rules=None, **webhook):
    return values(rules=rules, failClosed={"namespaces": list(closed)}, webhook=webhook,
                  certificates=LIVES)


class Replaced:
    def __init__(self, stage):
        self.stage, self.node, self.calls, self.authority = stage, stage.node, 0, None
        self.bad = deployment("loaded", bad_container())

    def installed(self):
        make_namespaces(self.stage)
        self.stage.install(settings())
        self.authority = self.authorities()[0]
        policies = {entry["name"]: entry["failurePolicy"] for entry in self.node.get(CONFIGURATION)["webhooks"]}
        seen = {name: self.stage.comes_to(REFUSED, self.bad, name) for name in (CLOSED, OPEN)}
        return (f"{policies.get('fail-closed.workloads.plimsoll.dev')} in shop, {policies.get('workloads.plimsoll.dev')} elsewhere; "
                + ("refused in both" if set(seen.values()) == {REFUSED} else str(seen)))

    # Replicas.

    def pods(self, component="serve"):
        return {pod["metadata"]["uid"] for pod in self.node.pods(OWN, f"app.kubernetes.io/component={component}")}

    def all_new(self, before):
        """Waits until no pod of before is left, so that its end is within the load."""
        self.node.wait_until(lambda: not (self.pods() | self.pods("controller")) & before, 150, "the pods of before have gone")
        self.node.wait_until(lambda: len(self.stage.running()) == 2, 60, "two replicas run")

    def under_load(self, what, work):
        """The work, with calls in both namespaces from before it until after it; returns what the calls got, and what the work gives."""
        with Traffic(self.stage) as traffic:
            time.sleep(2)
            given = work()
            time.sleep(2)
        self.calls += traffic.total()
        traffic.figures(what)
        return traffic, given

    def replaced(self, what, work):
        before = self.pods() | self.pods("controller")

        def until_all_new():
            work()
            self.all_new(before)
        traffic, _ = self.under_load(what, until_all_new)
        return f"{len(self.pods() - before)} new replicas; {traffic.verdict()}"

    def restart(self):
        names = ("deployment/plimsoll", "deployment/plimsoll-controller")
        self.node.kubectl("rollout", "restart", "-n", OWN, *names)
        for name in names:
            done = self.node.kubectl("rollout", "status", "-n", OWN, name, "--timeout=120s", timeout=150)
            assert done.returncode == 0, done.stderr

    def restarted(self):
        return self.replaced("rollout restart", self.restart)

    def upgraded(self):
        changed = settings(rules={**RULES, "image-environment": "audit"}, timeoutSeconds=9)
        seen = self.replaced("helm upgrade", lambda: self.stage.upgrade(changed))
        times = {entry["timeoutSeconds"] for entry in self.node.get(CONFIGURATION)["webhooks"]}
        return f"{seen}; timeout {times}"

    # Certificates.

    def secret(self, key):
        return decoded(self.node.get(f"/api/v1/namespaces/{OWN}/secrets/plimsoll-tls")["data"][key])

    def authorities(self):
        return certificates_of(self.secret("ca.crt"))

    def served(self):
        """The certificate of each replica, as somebody gets it who connects now."""
        pods = self.stage.running()
        return [ssl.get_server_certificate((pod["status"]["podIP"], 10250), timeout=5).strip() for pod in pods]

    def is_renewed(self):
        return (self.authorities()[0] != self.authority
                and set(map(der_of, self.served())) == {der_of(certificates_of(self.secret("tls.crt"))[0])})

    def renewed(self):
        traffic, seconds = self.under_load("renewal of the authority", self.wait_for_renewal)
        new, served = self.authorities()[0], self.served()
        bundles = {decoded(entry["clientConfig"]["caBundle"]) for entry in self.node.get(CONFIGURATION)["webhooks"]}
        file = self.stage.directory / "authority.pem"
        file.write_text(new)
        signed = [self.node.run(["openssl", "verify", "-CAfile", file], given=one).returncode for one in served]
        print(f"   the new authority's certificate was served by both replicas after {seconds:.0f} s of load", flush=True)
        old = all(self.authority in certificates_of(bundle) and new in certificates_of(bundle) for bundle in bundles)
        self.authority = new
        return (f"{len(served)} replicas serve, {signed.count(0)} under the new authority; caBundle: {'old and new' if old else bundles}; "
                f"{traffic.verdict()}")

    def wait_for_renewal(self):
        began = time.monotonic()
        self.node.wait_until(self.is_renewed, 420, "both replicas serve a certificate of a new authority")
        return time.monotonic() - began

    def verified(self):
        return f"exit {self.stage.helm('test', 'plimsoll', '-n', OWN).returncode}"

    def enough(self):
        rounds = 0
        while self.calls < CALLS and rounds < 6:
            rounds += 1
            seen = self.replaced("one more rollout restart", self.restart)
            if not seen.endswith(ALL_REFUSED):
                return seen
        print(f"   calls in all: {self.calls:,}", flush=True)
        return f"{CALLS} or more" if self.calls >= CALLS else self.calls

    # Killed.

    def busiest(self):
        """(its container, how many of all open connections it has): the API server may have them all with one replica."""
        texts = {pod["status"]["containerStatuses"][0]["containerID"]: self.stage.fetch(pod, "/metrics") for pod in self.stage.running()}
        open_ones = {container: int(re.search(r"^plimsoll_connections (\d+)", text, re.M)[1]) for container, text in texts.items()}
        container = max(open_ones, key=open_ones.get)
        return container.removeprefix("containerd://"), f"{open_ones[container]} of {sum(open_ones.values())}"

    def kill_one(self, number):
        before = self.restarts()
        with Traffic(self.stage, clients=4, pause=0.01) as traffic:
            time.sleep(1)
            container, connections = self.busiest()
            self.node.ctr("tasks", "kill", "-s", "SIGKILL", container)
            self.node.wait_until(lambda: self.restarts() > before and len(self.stage.running()) == 2, 120, "it was started again")
            time.sleep(3)
        lost, unjudged = traffic.missed("Fail"), traffic.missed("Ignore")
        print(f"   SIGKILL {number + 1}, of the replica with {connections} connections: of {traffic.loads['Fail'].total():,} calls "
              f"with Fail {lost[0]} failed, over {lost[1]:.2f} s; of {traffic.loads['Ignore'].total():,} with Ignore {unjudged[0]} "
              f"went unjudged, over {unjudged[1]:.2f} s", flush=True)
        strange = [kind for kind in lost[2] if "failed calling webhook" not in kind] + [kind for kind in unjudged[2] if kind != "admitted"]
        if strange or traffic.api["not called"] != lost[0] or traffic.api["failed open"] != unjudged[0]:
            return f"{strange} {traffic.api} {lost} {unjudged}"
        return "" if max(lost[1], unjudged[1]) <= MOST else f"{lost} {unjudged}"

    def restarts(self):
        return sum(status["restartCount"] for pod in self.node.pods(OWN, SERVE) for status in pod["status"].get("containerStatuses", []))

    def killed(self):
        wrong = [told for told in map(self.kill_one, range(KILLS)) if told]
        return wrong or f"5 s at most, of {KILLS}; the API server counts the same"

    def moved(self):
        """Its entry is new, and without a caBundle until the controller has written one."""
        with Traffic(self.stage, fail="", clients=4, pause=0) as traffic:
            self.stage.upgrade(settings(closed=(CLOSED, OPEN)))
            time.sleep(2)
        count, seconds, kinds = traffic.missed("Ignore")
        print(f"   a namespace that an upgrade moves to Fail: of {traffic.total():,} calls {count} without a verdict, "
              f"over {seconds:.2f} s {kinds}", flush=True)
        closed = {entry["name"]: entry["namespaceSelector"]["matchExpressions"][0]["values"]
                  for entry in self.node.get(CONFIGURATION)["webhooks"] if entry["failurePolicy"] == "Fail"}
        in_time = "5 s at most" if seconds <= MOST else (count, seconds, kinds)
        return f"{closed}; {in_time}; {self.stage.verdict(self.bad, OPEN, '--dry-run=server')}"

    def rows(self):
        return [
            ("4.1", "installed: a namespace with Fail, one with Ignore", "Fail in shop, Ignore elsewhere; refused in both", self.installed),
            ("4.2", "rollout restart under load", f"2 new replicas; {ALL_REFUSED}", self.restarted),
            ("4.3", "helm upgrade under load", f"2 new replicas; {ALL_REFUSED}; timeout {{9}}", self.upgraded),
            ("4.4", "the authority renewed under load",
             f"2 replicas serve, 2 under the new authority; caBundle: old and new; {ALL_REFUSED}", self.renewed),
            ("4.5", "helm test, with the new authority", "exit 0", self.verified),
            ("4.6", "calls in all", f"{CALLS} or more", self.enough),
            ("4.7", "a replica killed by SIGKILL: how long calls are lost",
             f"5 s at most, of {KILLS}; the API server counts the same", self.killed),
            ("4.8", "an upgrade that moves a namespace from Ignore to Fail",
             f"{{'fail-closed.workloads.plimsoll.dev': ['market', 'shop']}}; 5 s at most; {REFUSED}", self.moved),
            ("4.9", "helm uninstall", "0 webhook configurations", lambda: leave(self.stage)),
        ]


def decoded(text):
    return base64.b64decode(text).decode()


def der_of(certificate):
    return ssl.PEM_cert_to_DER_cert(certificate.strip() + "\n")


def certificates_of(text):
    end = "-----END CERTIFICATE-----"
    return [part.strip() + "\n" + end for part in text.split(end) if part.strip()]


def rows(stage):
    return Replaced(stage).rows()
