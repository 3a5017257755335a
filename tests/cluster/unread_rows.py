#!/usr/bin/env python3
"""Policies and exceptions that are stored although our JSON parser refuses them: they hide no other, and their status says why."""
import json
import sys
import time

from control_plane import control_plane_or_end
from controller_stage import Place
from controller_status import condition, install_crds, message
from following import POLICIES, change, exception, exceptions_of, follower, policy, put_policy, revision, seconds_until, trouble, verdict
from harness import check_rows
from webhooks import client_config

LARGE = 10**20  # the API server keeps it as a float and writes it out in full
DEPTH = 1_100
WITHIN = 60  # s
NUMBER, NESTED = "cannot be read: spec.x: a number that is too large", "cannot be read: spec: nested deeper than 1,000 levels"
sys.setrecursionlimit(20_000)  # of Python's own JSON


def text_of(thing, deep):
    """JSON of the object with `x` in its spec, arrays within arrays or a number beyond 64 bits."""
    thing["spec"]["x"] = "X" if deep else LARGE
    return json.dumps(thing).replace('"X"', "[" * DEPTH + "]" * DEPTH)


def soon(holds):
    return seconds_until(holds, WITHIN) < WITHIN


class Unread:
    """Rows that go one after the other; no webhook of ours sees what is stored in the first part."""

    def __init__(self, plane, server):
        self.plane, self.server = plane, server

    def stored(self):
        put_policy(self.plane, "shop", match={"namespaces": ["shop"]}, namespaceExceptions={"rules": ["image-tag"], "longest": "90d"})
        put_policy(self.plane, "kept", match={"namespaces": ["kept"]})
        soon(lambda: self.in_force_of("kept") == 1)
        for deep, name in ((False, "number"), (True, "deep")):
            self.plane.create(POLICIES, text_of(policy(name, match={"namespaces": ["none"]}), deep))
            self.plane.create(exceptions_of("team-a"), text_of(exception(name), deep))
        self.plane.patch(f"{POLICIES}/kept", {"spec": {"x": LARGE}})
        kept = self.plane.get(f"{POLICIES}/kept")["spec"]["x"]
        return f"{kept}, {len(self.plane.get(POLICIES)['items'])} policies"

    def in_force_of(self, name):
        return self.plane.get(f"{POLICIES}/{name}").get("status", {}).get("inForce", {}).get("generation")

    def followed(self):
        return "followed" if change(self.plane, self.server, WITHIN) < WITHIN else "never seen"

    def excepted(self):
        """An exception in the namespace of those that cannot be read."""
        put_policy(self.plane, "team", match={"namespaces": ["team-a"]}, namespaceExceptions={"rules": ["image-tag"], "longest": "90d"})
        denied = soon(lambda: verdict(self.server, name_space="team-a") == "deny 403")
        self.plane.create(exceptions_of("team-a"), exception("good"))
        return f"denied {denied}, allowed {soon(lambda: verdict(self.server, name_space='team-a').startswith('allow'))}"

    def verdicts(self, server):
        return ", ".join(f"{name} {verdict(server, name_space=name).partition(' ')[0]}" for name in ("shop", "kept", "team-a"))

    def fresh(self):
        with follower(self.plane.kubeconfig, "--drain-timeout", "1s") as late:
            synced = soon(lambda: late.metric("plimsoll_cluster_synced") == 1)
            same = soon(lambda: revision(late) == revision(self.server))
            told = soon(lambda: late.metric("plimsoll_policies_refused") == 3)
            return f"synced {synced}, same {same}, {self.verdicts(late)}, 3 refused {told}, trouble {trouble(late)[1]}"

    def says(self, path, wanted):
        """The status, once it says so; or what it says in the end."""
        read = lambda: self.plane.get(path).get("status", {})  # noqa: E731
        soon(lambda: read().get("conditions") and wanted in message(read()))
        return f"{condition(read())}: {message(read())}"

    def mended(self):
        self.plane.patch(f"{POLICIES}/kept", {"spec": {"x": None, "match": {"namespaces": ["mended"]}}})
        return f"{soon(lambda: verdict(self.server, name_space='mended') == 'deny 403')}, {self.says(f'{POLICIES}/kept', 'is in force')}"

    def removed(self):
        self.plane.delete(f"{POLICIES}/deep")
        return soon(lambda: self.server.metric("plimsoll_policies_refused") == 1)

    def rows(self):
        refused = "False Invalid, of 1: "
        kept = f"False Invalid, of 2: {NUMBER}; the spec of generation 1 stays in force"
        exceptions = exceptions_of("team-a")
        return [
            ("they are stored", f"{LARGE}, 4 policies", self.stored),
            ("a running replica goes on following", "followed", self.followed),
            ("exceptions, too", "denied True, allowed True", self.excepted),
            ("what was in force before stays", "shop deny, kept deny, team-a allow", lambda: self.verdicts(self.server)),
            ("a replica that starts now", "synced True, same True, shop deny, kept deny, team-a allow, 3 refused True, trouble []",
             self.fresh),
            ("status of the policy with a number", refused + NUMBER, lambda: self.says(f"{POLICIES}/number", "cannot be read")),
            ("status of the nested policy", refused + NESTED, lambda: self.says(f"{POLICIES}/deep", "cannot be read")),
            ("status of the policy that was good before", kept, lambda: self.says(f"{POLICIES}/kept", "cannot be read")),
            ("status of the exception with a number", refused + NUMBER, lambda: self.says(f"{exceptions}/number", "cannot be read")),
            ("status of the nested exception", refused + NESTED, lambda: self.says(f"{exceptions}/deep", "cannot be read")),
            ("put right", "True, True Valid, of 3: this spec is in force", self.mended),
            ("removed", "True", self.removed)]


def own_kind_rows(plane, server):
    """The entry for our own kinds, served in mode audit."""
    rule = {"apiGroups": ["plimsoll.dev"], "apiVersions": ["v1alpha1"], "operations": ["CREATE", "UPDATE"],
            "resources": ["hygienepolicies", "hygieneexceptions"], "scope": "*"}
    plane.create("/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations", {
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "metadata": {"name": "own"},
        "webhooks": [{"name": "own.plimsoll.dev", "rules": [rule], "failurePolicy": "Ignore", "sideEffects": "None",
                      "admissionReviewVersions": ["v1"], "timeoutSeconds": 5,
                      "clientConfig": client_config(f"https://127.0.0.1:{server.port}/validate", plane.ca_bundle(server.certificate))}]})
    time.sleep(2)

    def tried(verb, *arguments, given=None):
        done = plane.kubectl(verb, *arguments, given=given)
        words = (done.stderr or done.stdout).strip()
        return f"exit {done.returncode}: {words[words.find('is wrong: ') + 10:] if 'is wrong: ' in words else words}"[:160]

    def created(thing, deep, *flags):
        return tried("create", *flags, "-f", "-", given=text_of(thing, deep))

    right = json.dumps({"spec": {"x": None}})
    return [
        ("a policy with such a number", f"exit 1: {NUMBER}", lambda: created(policy("new"), False)),
        ("a nested policy", f"exit 1: {NESTED}", lambda: created(policy("new"), True)),
        ("a nested exception", f"exit 1: {NESTED}", lambda: created(exception("new"), True, "-n", "team-a")),
        ("a label on one that is stored", "exit 0: hygienepolicy.plimsoll.dev/number labeled",
         lambda: tried("label", "hygienepolicy", "number", "a=b")),
        ("putting it right", "exit 0: hygienepolicy.plimsoll.dev/number patched",
         lambda: tried("patch", "hygienepolicy", "number", "--type", "merge", "-p", right)),
        ("deleting one", 'exit 0: hygieneexception.plimsoll.dev "deep" deleted from team-a namespace',
         lambda: tried("delete", "hygieneexception", "deep", "-n", "team-a"))]


def main():
    began = time.monotonic()
    plane = control_plane_or_end()
    with plane:
        install_crds(plane)
        for name in ("shop", "kept", "team-a", "mended"):
            plane.namespace(name)
        place = Place(plane, "unread", 40, secret={})
        with (place.controller("--policies", "cluster") as controller,
              follower(plane.kubeconfig, "--mode", "audit", "--drain-timeout", "1s") as audit):
            with follower(plane.kubeconfig, "--drain-timeout", "1s") as server:
                seconds_until(lambda: controller.leads() and server.metric("plimsoll_cluster_synced") == 1, WITHIN)
                rows = [(number, *row) for number, row in enumerate(Unread(plane, server).rows(), 1)]
                code = check_rows("objects that cannot be read", rows, workers=1)
            rows = [(number, *row) for number, row in enumerate(own_kind_rows(plane, audit), 101)]
            code = max(code, check_rows("told before they are stored, in mode audit", rows, workers=1))
    print(f"{time.monotonic() - began:.1f} s")
    return code


if __name__ == "__main__":
    sys.exit(main())
