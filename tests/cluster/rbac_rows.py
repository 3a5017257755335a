#!/usr/bin/env python3
"""manifests/rbac.yaml is what is needed: with it everything works, and each right that is taken away is named, and little is missed."""
import concurrent.futures
import sys
import time
import traceback

from control_plane import control_plane_or_end
from controller_stage import Scene, told
from controller_status import API, POLICIES, condition, exception, install_crds
from harness import check_rows, container, pod, review
from rbac_stage import Case, documents, rights

CONFIGURATION = "validatingwebhookconfigurations"
MAY = {  # account -> all that it may do
    "plimsoll-serve": [
        "get namespaces",
        "get secrets in shop",
        "get serviceaccounts in shop",
        "list hygieneexceptions",
        "list hygienepolicies",
        "list namespaces",
        "watch hygieneexceptions",
        "watch hygienepolicies",
        "watch namespaces",
    ],
    "plimsoll-controller": [
        "create events",
        f"get {CONFIGURATION}/CASE",
        "get leases/plimsoll-controller in its own",
        "get secrets/plimsoll-tls in its own",
        "list hygieneexceptions",
        "list hygienepolicies",
        f"list {CONFIGURATION}/CASE",
        "patch hygieneexceptions/status",
        "patch hygienepolicies/status",
        "patch leases/plimsoll-controller in its own",
        "patch secrets/plimsoll-tls in its own",
        f"patch {CONFIGURATION}/CASE",
        "watch hygieneexceptions",
        "watch hygienepolicies",
        f"watch {CONFIGURATION}/CASE",
    ],
    "plimsoll-cleanup": [f"delete {CONFIGURATION}/CASE", "delete leases/plimsoll-controller in its own"],
}
ALL = "leads, Secret, caBundle, heals, Events"
HOUSE = {  # (resource, verb) -> the line that names it, what still works
    ("secrets", "get"): ("cannot read Secret plimsoll-tls: 403", "leads"),
    ("secrets", "patch"): ("cannot write Secret plimsoll-tls: 403", "leads"),
    (CONFIGURATION, "get"): ("cannot read webhook configuration CASE: 403", "leads"),
    (CONFIGURATION, "list"): (f"cannot list {CONFIGURATION}: 403", ALL),
    (CONFIGURATION, "watch"): (f"cannot watch {CONFIGURATION}: 403", ALL),
    (CONFIGURATION, "patch"): ("cannot write webhook configuration CASE: 403", "leads, Secret, Events"),
    ("events", "create"): ("event not written", "leads, Secret, caBundle, heals"),
    ("leases", "get"): ("cannot get lease plimsoll-controller: 403", ""),
    ("leases", "patch"): ("cannot update lease plimsoll-controller: 403", ""),
}
EDITS = [("failurePolicy", "Ignore", "Fail"), ("matchPolicy", "Exact", "Equivalent"), ("sideEffects", "NoneOnDryRun", "None"),
         ("timeoutSeconds", 3, 10)]
POLICY = {"match": {"namespaces": ["serve*", "nowhere"]}, "rules": {"image-exists": {"action": "warn"}}}  # it asks for pull secrets
SELECTING = {
    "match": {"namespaceSelector": {"matchLabels": {"tier": "gold"}}},
    "rules": {"replicas": {"action": "warn"}, "liveness-probe": {"action": "warn"}},
}
MOST_LINES = 25  # in ten seconds


class HouseCase(Scene):
    """The controller without one right, other than those about policies."""

    number = 3

    def __init__(self, plane, objects, missing, index):
        super().__init__(plane)
        self.objects, self.missing, self.index = objects, missing, index
        self.name = f"controller without {missing[4]} {missing[3]}"
        self.edits = 0

    def play(self):
        name = f"house{self.index}"
        self.case = Case(self.plane, self.objects, name, 10 + self.index, self.missing)
        self.place = self.case.place
        line, works = HOUSE[self.missing[3:5]]
        line = line.replace("CASE", name)
        with self.place.controller("--policies", "files", kubeconfig=self.case.kubeconfig("plimsoll-controller")) as controller:
            self.soon(
                "one line names it",
                f"{line}: 1 or more",
                lambda: f"{line}: {'1 or more' if controller.said('', line) or self.said(controller, line) else 0}",
            )
            time.sleep(6)
            if works is not None:
                self.works_at_last(controller, works)
            self.row("it goes on, the log is short", "True True", lambda: f"{controller.alive()} {len(controller.lines()) <= MOST_LINES}")
            self.case.give_back()
            self.soon("the right is back", ALL, lambda: self.working(controller, 7), 90)

    def works_at_last(self, controller, works):
        """No more than that, and no less, which takes a busy machine longer."""
        self.soon("what works", works, lambda: self.working(controller, slow=works == ALL), 60)

    @staticmethod
    def said(controller, line):
        return [one for one in controller.lines() if any(line in str(value) for value in one.values())]

    def working(self, controller, seconds=3, slow=False):
        found = []
        if told(controller.leads, 2):
            found.append("leads")
        if told(lambda: self.place.secret()["tls.crt"], 1):
            found.append("Secret")
        if told(lambda: self.place.consistent() == "consistent", 1):
            found.append("caBundle")
        field, value, good = EDITS[self.edits % len(EDITS)]  # another one each time: the same Event is not told twice in minutes
        self.edits += 1
        self.place.edit(lambda live: live["webhooks"][0].update({field: value}))
        if told(lambda: self.place.live()["webhooks"][0][field] == good, 35 if slow else seconds):
            found.append("heals")
        own = [*self.place.events("default", "Healed"), *self.place.events(self.place.name, "CertificatesWritten")]
        if own:
            found.append("Events")
        return ", ".join(found)


class StatusCase(Scene):
    """The controller without one right about policies or exceptions; one after the other, since statuses belong to the whole cluster."""

    number = 4
    STILL = {("hygienepolicies", "list"): "", ("hygieneexceptions", "list"): "", ("hygienepolicies", "watch"): "policy, exception",
             ("hygieneexceptions", "watch"): "policy, exception", ("hygienepolicies/status", "patch"): "exception",
             ("hygieneexceptions/status", "patch"): "policy"}

    def __init__(self, plane, objects, missing, index):
        super().__init__(plane)
        self.objects, self.missing, self.index = objects, missing, index
        self.name = f"controller without {missing[4]} {missing[3]}"

    def line(self):
        resource, verb = self.missing[3:5]
        return "cannot write the status of" if verb == "patch" else f"cannot {verb} {resource}: 403"

    def play(self):
        name = f"status{self.index}"
        case = Case(self.plane, self.objects, name, 40 + self.index, self.missing)
        exceptions = f"/apis/{API}/namespaces/{case.place.shop}/hygieneexceptions"
        spec = {"rules": {"image-tag": {"action": "warn"}}, "namespaceExceptions": {"rules": ["image-tag"], "longest": "90d"}}
        for number in range(5):
            self.plane.create(
                POLICIES, {"apiVersion": API, "kind": "HygienePolicy", "metadata": {"name": f"{name}-{number}"}, "spec": spec}
            )
            self.plane.create(exceptions, exception(f"{name}-{number}"))

        def written():
            seen = (("policy", f"{POLICIES}/{name}-4"), ("exception", f"{exceptions}/{name}-4"))
            return ", ".join(what for what, path in seen if condition_of(self.plane.get(path)).startswith("True"))
        with case.controller() as controller:
            self.soon("a line names it", True, lambda: bool(HouseCase.said(controller, self.line())))
            time.sleep(5)
            self.row("what works", self.STILL[self.missing[3:5]], written)
            self.row("the house is kept", "consistent", case.place.consistent)
            self.row("it goes on, the log is short", "True True", lambda: f"{controller.alive()} {len(controller.lines()) <= MOST_LINES}")
            if self.missing[4] != "patch":
                self.row("/readyz names it", True, lambda: self.line() in controller.get("/readyz"))
            case.give_back()
            time.sleep(1)
            self.plane.patch(f"{POLICIES}/{name}-0", {"spec": {"rules": {"image-tag": {"action": "enforce"}}}})  # else within a minute
            self.soon("the right is back", "policy, exception", written, 40)
        for number in range(5):
            self.plane.delete(f"{POLICIES}/{name}-{number}")
            self.plane.delete(f"{exceptions}/{name}-{number}")


def condition_of(thing):
    return condition(thing.get("status", {})) if thing.get("status") else ""


class ServeCase(Scene):
    number = 5

    def __init__(self, plane, objects, missing, index):
        super().__init__(plane)
        self.objects, self.missing, self.index = objects, missing, index
        self.name = f"serve without {missing[4]} {missing[3]}"

    def play(self):
        resource, verb = self.missing[3:5]
        case = Case(self.plane, self.objects, f"serve{self.index}", 60 + self.index, self.missing)
        secret = resource in ("secrets", "serviceaccounts")
        line = f'"kind":"{resource}"' if secret else '"namespace":"nowhere"' if verb == "get" else f"cannot {verb} {resource}: 403"
        with case.server() as server:
            told(lambda: server.metric("plimsoll_cluster_synced") == 1, 4)
            told(lambda: any(line["event"] == "policies loaded" and line.get("source") == "cluster" for line in server.log_lines()), 3)
            seen = ask(server, case.place.shop if secret else "nowhere", resource)
            self.soon("one line names it", True, lambda: self.told(server, line, resource))
            self.soon("it answers reviews", "True 200", lambda: f"{isinstance(seen, bool)} {server.get('/readyz')[0]}", 20)
            time.sleep(6)
            self.row("it goes on, the log is short", "True True", lambda: f"{server.alive()} {len(server.log_lines()) <= MOST_LINES}")
            case.give_back()
            if not secret:
                self.soon("the right is back: nothing is missed", "1 0", lambda: f"{server.metric('plimsoll_cluster_synced'):.0f} "
                          f"{server.metric('plimsoll_cluster_trouble'):.0f}", 45)
            else:
                time.sleep(1)
                ask(server, case.place.shop, resource)
                self.row(
                    "the right is back: no new line",
                    True,
                    lambda: len([one for one in server.log_lines() if one["event"] == "pull secrets not read"]) < 5,
                )

    @staticmethod
    def told(server, line, resource):
        text = server.log_path.read_text() + server.get("/readyz")[1]
        return line in text and ("403" in text) and resource in text


def ask(server, space, resource):
    """Whether a pod is allowed whose image nobody knows, and whose namespace is perhaps not known either."""
    thing = pod(container("registry.invalid/app:1.0"), namespace=space)
    if resource == "secrets":
        thing["spec"]["imagePullSecrets"] = [{"name": "pull"}]
    return server.ask(review(thing, namespace=space))["allowed"]


class Whole(Scene):
    name, number = "exactly these manifests", 1

    def __init__(self, plane, objects):
        super().__init__(plane)
        self.objects = objects

    def play(self):
        case = Case(self.plane, self.objects, "whole", 2)
        for account, expected in MAY.items():
            self.row(
                f"{account} may",
                "; ".join(sorted(one.replace("CASE", "whole") for one in expected)),
                lambda account=account: "; ".join(case.may(account)),
            )
        with case.controller() as controller, case.place.serving(
            "--policies", "cluster", "--kubeconfig", str(case.kubeconfig("plimsoll-serve"))
        ) as (server, _):
            self.soon("certificates", "consistent", case.place.consistent)
            self.plane.create(POLICIES, {"apiVersion": API, "kind": "HygienePolicy", "metadata": {"name": "whole"}, "spec": {"rules": {
                "image-tag": {"action": "enforce"}}}})
            self.soon("status", "True Valid, of 1", lambda: condition(self.plane.get(f"{POLICIES}/whole")["status"]))
            self.soon("pods through the Service", "allowed, denied", case.place.reaches)
            case.place.edit(lambda live: live["webhooks"][0].update(failurePolicy="Ignore"))
            self.soon("edits are undone", "Fail", lambda: case.place.live()["webhooks"][0]["failurePolicy"])
            self.soon(
                "Events",
                "1 1",
                lambda: f"{len(case.place.events('whole', 'CertificatesWritten'))} {len(case.place.events('default', 'Healed'))}",
            )
            self.soon("no request failed but such as are to be made again", "0, 0, []", lambda: self.failures(controller, server))
        self.plane.delete(f"{POLICIES}/whole")
        done = case.cleanup()
        self.row("cleanup", "0; webhook configuration whole: deleted; lease plimsoll-controller: deleted",
                 lambda: "; ".join([str(done.returncode), *done.stdout.splitlines()]))

    def failures(self, controller, server):
        """Of the controller, of the server, and those that the API server knows, but conflicts and what it was not ready for yet."""
        bad = [event for event in self.plane.audit_events() if event["stage"] == "ResponseComplete"
               and event["user"]["username"].startswith("system:serviceaccount:whole:") and event["responseStatus"]["code"] >= 400]
        told, again = [], {"plimsoll-controller": 0, "plimsoll-serve": 0}
        for event in bad:
            account, code = event["user"]["username"].rpartition(":")[2], event["responseStatus"]["code"]
            if code in (409, 429):
                again[account] += 1
            else:
                told.append((account, event["verb"], event["objectRef"]["resource"], code))
        counted = {"plimsoll-controller": controller.metric("cluster_request_failures_total"),
                   "plimsoll-serve": server.metric("plimsoll_cluster_request_failures_total")}
        return ", ".join(f"{counted[account] - again[account]:.0f}" for account in counted) + f", {told}"


class CleanupCase(Scene):
    number = 2

    def __init__(self, plane, objects, missing, index):
        super().__init__(plane)
        self.objects, self.missing, self.index = objects, missing, index
        self.name = f"cleanup without {missing[4]} {missing[3]}"

    def play(self):
        case = Case(self.plane, self.objects, f"cleanup{self.index}", 80 + self.index, self.missing)
        done = case.cleanup()
        what = "lease" if self.missing[3] == "leases" else "webhook configuration"
        self.row("exit code, and a line", f"1 True {'True' if what == 'lease' else 'False'}", lambda: f"{done.returncode} "
                 f"{what in done.stderr and '403 Forbidden' in done.stderr} {'webhook configuration' in done.stdout}")
        case.give_back()
        told(lambda: case.cleanup().returncode == 0, 5)
        self.row("the right is back", 0, lambda: case.cleanup().returncode)


def scenes_of(plane, objects):
    """(those that may be played together, those that may not)."""
    kinds = {"plimsoll-serve": ServeCase, "plimsoll-pull-secrets": ServeCase, "plimsoll-cleanup": CleanupCase}
    together, statuses = [Whole(plane, objects)], []
    for index, missing in enumerate(rights(objects)):
        if missing[1] in kinds:
            together.append(kinds[missing[1]](plane, objects, missing, index))
        elif missing[3].startswith("hygiene"):
            statuses.append(StatusCase(plane, objects, missing, index))
        else:
            together.append(HouseCase(plane, objects, missing, index))
    return together, statuses


def played(scenes):
    for scene in scenes:
        try:
            scene.run()
        except Exception:  # it is a row of its own, too
            traceback.print_exc()


def main():
    began = time.monotonic()
    plane = control_plane_or_end()
    with plane:
        install_crds(plane)
        for name, spec in (("asking", POLICY), ("selecting", SELECTING)):
            plane.create(POLICIES, {"apiVersion": API, "kind": "HygienePolicy", "metadata": {"name": name}, "spec": spec})
        objects = documents(plane, "rbac.yaml")
        together, statuses = scenes_of(plane, objects)
        played(together[:1])
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            ended = [pool.submit(played, statuses), *(pool.submit(played, [scene]) for scene in together[1:])]
        for one in ended:
            one.result()
    scenes = sorted((*together, *statuses), key=lambda scene: scene.number)
    rows = [(f"{number}.{row[0].split('.')[1]}", *row[1:]) for number, scene in enumerate(scenes, 1) for row in scene.rows()]
    code = check_rows("the rights of manifests/rbac.yaml", rows)
    print(f"{time.monotonic() - began:.1f} s")
    return code


if __name__ == "__main__":
    sys.exit(main())
