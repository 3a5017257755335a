#!/usr/bin/env python3
"""Policies, exceptions and namespaces of a real API server, changed in every way while reviews flow."""
import json
import pathlib
import subprocess
import sys
import threading
import time

from control_plane import ADMIN, control_plane_or_end
from controller_status import install_crds
from following import (POLICIES, change, exception, exceptions_of, follower, policy, put_policy, remove, revision, seconds_until, trouble,
                       verdict)
from harness import PROGRAM, check_rows
from webhooks import client_config

FALLBACK = """
apiVersion: plimsoll.dev/v1alpha1
kind: HygienePolicy
metadata: {name: fallback}
spec: {rules: {image-digest: {action: enforce}}}
"""


class Load:
    """Reviews without a pause; every one must be answered."""

    def __init__(self, server):
        self.server, self.failures, self.calls, self.stop = server, [], 0, threading.Event()
        self.threads = [threading.Thread(target=self.run) for _ in range(3)]

    def run(self):
        while not self.stop.is_set():
            try:
                verdict(self.server, name_space="under-load")
                self.calls += 1
            except Exception as error:  # any kind of failure counts
                self.failures.append(repr(error))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()


class Policies:
    """Rows that go one after the other: each leaves things as it found them."""

    def __init__(self, plane, one, two):
        self.plane, self.one, self.two, self.taken = plane, one, two, []

    def both(self, expected, **where):
        """Until both replicas say so, of the same revision; how long each change took is printed at the end."""
        taken = seconds_until(lambda: verdict(self.one, **where) == expected and verdict(self.two, **where) == expected, 40)
        self.taken.append(taken)
        same = seconds_until(lambda: revision(self.one) == revision(self.two), 40) < 40
        return f"{expected if taken < 40 else verdict(self.one, **where)} in force, {'same' if same else 'another'} revision"

    def without_any(self):
        return f"{verdict(self.one)}, {verdict(self.two)}, {'from files' in self.one.get('/readyz')[1]}"

    def created(self):
        put_policy(self.plane, "shop", match={"namespaces": ["shop"]})
        return self.both("deny 403")

    def edited(self):
        put_policy(self.plane, "shop", {"image-tag": {"action": "warn"}}, match={"namespaces": ["shop"]})
        return self.both("allow + warning")

    def broken(self):
        """A misspelt key, put there without the webhook: the spec before stays."""
        put_policy(self.plane, "shop", {"image-tag": {"action": "enforce", "mutabel": ["x"]}}, match={"namespaces": ["shop"]})
        told = seconds_until(lambda: self.one.metric("plimsoll_policies_refused") == 1, 40) < 40
        near = any("did you mean \"mutable\"" in json.dumps(line).replace("\\\"", "\"") for line in self.one.log_lines())
        return f"{self.both('allow + warning')}, metric {told}, nearest key in the log {near}, ready {self.one.get('/readyz')[0]}"

    def mended(self):
        put_policy(self.plane, "shop", match={"namespaces": ["shop"]})
        seen = self.both("deny 403")
        return f"{seen}, refused {self.one.metric('plimsoll_policies_refused'):.0f}"

    def selected(self):
        """By labels of the namespace, which change."""
        put_policy(self.plane, "gold", match={"namespaceSelector": {"matchLabels": {"tier": "gold"}}})
        self.plane.namespace("mine")
        seconds_until(lambda: revision(self.one) == revision(self.two))
        time.sleep(0.3)
        seen = [verdict(self.one, name_space="mine")]
        for labels in ({"tier": "gold"}, {"tier": None}):
            self.plane.patch("/api/v1/namespaces/mine", {"metadata": {"labels": labels}})
            seen.append(self.both("deny 403" if labels["tier"] else "allow", name_space="mine"))
        return "; ".join(seen)

    def fresh(self):
        """Twenty namespaces, each used the moment it was made."""
        seen = set()
        for number in range(20):
            self.plane.namespace(f"fresh-{number}", tier="gold" if number % 2 else "silver")
            seen.add(f"{'gold' if number % 2 else 'silver'} {verdict(self.one, name_space=f'fresh-{number}')}")
        return ", ".join(sorted(seen))

    def absent(self):
        return verdict(self.one, name_space="that-is-not-there")

    def excepted(self, what, wanted, name_space="team-a"):
        """The exception, then its end."""
        self.plane.namespace(name_space)
        self.plane.create(exceptions_of(name_space), wanted)
        seen = self.both(what, name_space=name_space)
        remove(self.plane, f"{exceptions_of(name_space)}/{wanted['metadata']['name']}")
        return f"{seen}; gone: {self.both('deny 403', name_space=name_space)}"

    def for_teams(self):
        put_policy(self.plane, "teams", {"image-tag": {"action": "enforce"}, "liveness-probe": {"action": "enforce"}},
                   match={"namespaces": ["team-*"]}, namespaceExceptions={"rules": ["image-tag"], "longest": "60d", "namespaces": ["team-?"]})
        return self.both("deny 403", name_space="team-a")

    def exception_rows(self):
        within, gone = "in force, same revision", "gone: deny 403 in force, same revision"
        return [
            ("a policy that allows exceptions", f"deny 403 {within}", self.for_teams),
            ("an exception that the policy allows", f"allow {within}; {gone}", lambda: self.excepted("allow", exception("fine"))),
            ("for another rule", f"deny 403 {within}; {gone}",
             lambda: self.excepted("deny 403", exception("other", rules=["liveness-probe"]))),
            ("for longer than 60 days", f"deny 403 {within}; {gone}", lambda: self.excepted("deny 403", exception("long", days=70))),
            ("that has ended", f"deny 403 {within}; {gone}", lambda: self.excepted("deny 403", exception("old", days=-2))),
            ("of a namespace that may not", f"deny 403 {within}; {gone}",
             lambda: self.excepted("deny 403", exception("fine"), "team-long")),
            ("for other names", f"deny 403 {within}; {gone}",
             lambda: self.excepted("deny 403", exception("named", match={"names": ["other"]}))),
            ("for this name and kind", f"allow {within}; {gone}",
             lambda: self.excepted("allow", exception("named", match={"names": ["w*"], "kinds": ["Deployment"]}))),
            ("for another policy", f"deny 403 {within}; {gone}",
             lambda: self.excepted("deny 403", exception("elsewhere", policies=["shop"])))]

    def deleted(self):
        for name in ("shop", "gold", "teams"):
            remove(self.plane, f"{POLICIES}/{name}")
        taken = seconds_until(lambda: "from files" in self.one.get("/readyz")[1] and "from files" in self.two.get("/readyz")[1], 40)
        return f"{'in force' if taken < 40 else 'not'}: {self.without_any()}"

    def rows(self):
        within = "in force, same revision"
        return [
            ("no policy: the built-in one, or files", "allow + warning, deny 403, True", self.without_any),
            ("a policy is created", f"deny 403 {within}", self.created), ("edited", f"allow + warning {within}", self.edited),
            ("broken", f"allow + warning {within}, metric True, nearest key in the log True, ready 200", self.broken),
            ("mended", f"deny 403 {within}, refused 0", self.mended),
            ("a policy for namespaces of a label; the label is given; taken away", f"allow; deny 403 {within}; allow {within}", self.selected),
            ("namespaces that are used at once", "gold deny 403, silver allow", self.fresh),
            ("a namespace that is not there", "allow + warning", self.absent), *self.exception_rows(),
            ("all policies deleted", "in force: allow + warning, deny 403, True", self.deleted)]


def own_kind_rows(plane, server):
    """Mistakes in plimsoll's own kinds, told before they are stored; failurePolicy Ignore."""
    rule = {"apiGroups": ["plimsoll.dev"], "apiVersions": ["v1alpha1"], "operations": ["CREATE", "UPDATE"],
            "resources": ["hygienepolicies", "hygieneexceptions"], "scope": "*"}
    put_policy(plane, "stored-broken", {"image-tag": {"action": "enforce", "mutabel": ["x"]}}, match={"namespaces": ["x"]})
    plane.create("/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations", {
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "metadata": {"name": "own"},
        "webhooks": [{"name": "own.plimsoll.dev", "rules": [rule], "failurePolicy": "Ignore", "sideEffects": "None",
                      "admissionReviewVersions": ["v1"], "timeoutSeconds": 5,
                      "clientConfig": client_config(f"https://127.0.0.1:{server.port}/validate", plane.ca_bundle(server.certificate))}]})
    time.sleep(2)

    def applied(thing, *flags):
        done = plane.kubectl("apply", *flags, "-f", "-", given=json.dumps(thing))
        words = (done.stderr or done.stdout).strip()
        return f"exit {done.returncode}: {words[words.find('is wrong: ') + 10:] if 'is wrong: ' in words else words}"[:160]

    wrong = policy("wrong", {"image-tga": {"action": "enforce"}})
    foreign = exception("foreign", match={"namespaces": ["other"]})
    useless = exception("useless", rules=["image-digest"])
    return [
        ("a policy with an unknown rule", 'exit 1: spec.rules.image-tga: unknown rule "image-tga"; did you mean "image-tag"?', lambda: applied(wrong)),
        ("a good one", "exit 0: hygienepolicy.plimsoll.dev/right created", lambda: applied(policy("right", match={"namespaces": ["y"]}))),
        ("a label on one that was stored with a mistake", "exit 0: hygienepolicy.plimsoll.dev/stored-broken labeled",
         lambda: (lambda done: f"exit {done.returncode}: {(done.stderr or done.stdout).strip()}")(
             plane.kubectl("label", "hygienepolicy", "stored-broken", "a=b"))),
        ("an exception for another namespace",
         "exit 1: spec.match.namespaces: a HygieneException is for its own namespace; remove this key", lambda: applied(foreign, "-n", "team-a")),
        ("an exception that no policy needs", "exit 0: Warning: plimsoll: no policy has one of these rules on, so there is nothing to except",
         lambda: applied(useless, "-n", "team-a").partition("\n")[0])]


BAD = [  # (what, change of a good kubeconfig, what the line says)
    ("exec", lambda c: c["users"][0].update(user={"exec": {"command": "x"}}), "user.exec names a program"),
    ("insecure", lambda c: c["clusters"][0]["cluster"].update({"insecure-skip-tls-verify": True}), "insecure-skip-tls-verify is not supported"),
    ("no such context", lambda c: c.update({"current-context": "x"}), 'there is no context "x"'),
    ("no such user", lambda c: c["contexts"][0]["context"].update(user="x"), 'there is no user "x"'),
    ("plain HTTP", lambda c: c["clusters"][0]["cluster"].update(server="http://127.0.0.1:1"), "must be https"),
    ("no server", lambda c: c["clusters"][0]["cluster"].pop("server"), "cluster.server is not a URL"),
    ("password", lambda c: c["users"][0].update(user={"username": "a", "password": "hunter2"}), "username and password are not supported"),
    ("key without certificate", lambda c: c["users"][0].update(user={"client-key": "/none"}), "belong together"),
    ("token file that is not there", lambda c: c["users"][0].update(user={"tokenFile": "/none/token"}), "/none/token: "),
    ("authority that is none", lambda c: c["clusters"][0]["cluster"].update({"certificate-authority-data": "aGVsbG8="}), "no certificate in it"),
    ("data that is not base64", lambda c: c["clusters"][0]["cluster"].update({"certificate-authority-data": "***"}), "is not base64")]


def refused_start(plane, change_it, says):
    config = json.loads(plane.kubeconfig.read_text())
    change_it(config)
    path = plane.directory / f"bad-{abs(hash(says))}.kubeconfig"
    path.write_text(json.dumps(config))
    done = subprocess.run([PROGRAM, "serve", "--self-signed", "--listen", "127.0.0.1:0", "--health-listen", "off", "--policies", "cluster",
                           "--kubeconfig", path], capture_output=True, text=True, timeout=20)
    lines = done.stderr.strip().splitlines()
    return f"exit {done.returncode}, {len(lines)} line, {'says so' if says in done.stderr else done.stderr}" + (
        ", a secret" if "hunter2" in done.stderr else "")


def away_at_the_start(plane):
    """Started while nobody answers: files, told, and then the cluster."""
    put_policy(plane, "late", match={"namespaces": ["shop"]})
    plane.stop_api()
    with follower(plane.kubeconfig) as server:
        seen = [verdict(server), f"{len(trouble(server)[1])} told" if seconds_until(lambda: len(trouble(server)[1]) == 4, 20) < 20 else "not told"]
        seen.append(f"ready {'in time' if seconds_until(lambda: server.get('/readyz')[0] == 200, 20) < 20 else 'never'}")
        plane.start_api()
        seen.append("caught up" if seconds_until(lambda: verdict(server) == "deny 403", 60) < 60 else "never caught up")
    remove(plane, f"{POLICIES}/late")
    return ", ".join(seen)


def ready_is_ready(plane, starts=8):
    """The first review after a start is judged by the cluster's policies: a Service sends it as soon as the replica is ready."""
    put_policy(plane, "first", match={"namespaces": ["shop"]})
    seen = []
    for _ in range(starts):
        with follower(plane.kubeconfig) as server:
            ready = seconds_until(lambda: server.get("/readyz")[0] == 200, 20) < 20
            seen.append(verdict(server) if ready else "never ready")
    remove(plane, f"{POLICIES}/first")
    return f"{seen.count('deny 403')} of {starts} by the cluster's policy"


def tokens(plane):
    """A token in a file that stops counting, and a new one."""
    file = pathlib.Path(plane.directory, "rotating-token")
    file.write_text(ADMIN)
    config = json.loads(plane.kubeconfig.read_text())
    config["users"][0]["user"] = {"tokenFile": str(file)}
    path = plane.directory / "rotating.kubeconfig"
    path.write_text(json.dumps(config))
    with follower(path) as server:
        first = change(plane, server) < 10
        file.write_text("expired\n")
        time.sleep(1)
        still = change(plane, server) < 10  # watches that are open go on
        file.write_text(ADMIN + "\n")
        return f"{first}, {still}, {change(plane, server) < 10}"


def main():
    began = time.monotonic()
    plane = control_plane_or_end()
    with plane:
        install_crds(plane)
        for name in ("shop", "team-a", "under-load"):
            plane.namespace(name)
        with follower(plane.kubeconfig, "--drain-timeout", "1s") as one, follower(plane.kubeconfig, "--drain-timeout", "1s", fallback=FALLBACK) as two:
            seconds_until(lambda: one.get("/readyz")[0] == 200 and two.get("/readyz")[0] == 200, 30)
            with Load(one) as load:
                policies = Policies(plane, one, two)
                code = check_rows("policies as objects", [(number, *row) for number, row in enumerate(policies.rows(), 1)], workers=1)
            print(f"   the slowest of {len(policies.taken)} changes was in force on both after {max(policies.taken):.2f} s")
            lost = [(1, "reviews meanwhile", "answered, all of them", lambda: "answered, all of them" if load.calls > 500 and not load.failures
                     else f"{load.calls} answered, failures {load.failures[:3]}")]
            code = max(code, check_rows("reviews that flowed", lost, workers=1))
            code = max(code, check_rows("mistakes in objects", [(number, *row) for number, row in enumerate(own_kind_rows(plane, one), 1)], workers=1))
        for name in ("right", "stored-broken"):
            remove(plane, f"{POLICIES}/{name}")
        rows = [*((f"kubeconfig: {what}", "exit 78, 1 line, says so", lambda change_it=change_it, says=says: refused_start(plane, change_it, says))
                  for what, change_it, says in BAD),
                ("the first review after a start", "8 of 8 by the cluster's policy", lambda: ready_is_ready(plane)),
                ("a token that is replaced", "True, True, True", lambda: tokens(plane)),
                ("the API server is away at the start", "allow + warning, 4 told, ready in time, caught up", lambda: away_at_the_start(plane))]
        code = max(code, check_rows("ways to start", [(number, *row) for number, row in enumerate(rows, 1)], workers=1))
    print(f"{time.monotonic() - began:.1f} s")
    return code


if __name__ == "__main__":
    sys.exit(main())
