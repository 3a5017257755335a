"""A webhook configuration that is edited, left alone, deleted, made again, and fought over."""
import base64
import threading
import time

from control_plane import Status
from controller_stage import Place, Scene, told

OTHER = "others.plimsoll.dev"


def two_entries(place):
    return [place.entry(), place.entry(OTHER, failurePolicy="Ignore", timeoutSeconds=5)]


def first(**fields):
    return lambda live: live["webhooks"][0].update(fields)


def client(**fields):
    return lambda live: live["webhooks"][0]["clientConfig"].update(fields)


def extra(live):
    live["webhooks"].append({**live["webhooks"][0], "name": "more.plimsoll.dev"})


def rules(live):
    live["webhooks"][0]["rules"] = live["webhooks"][0]["rules"][:1]


def scope(live):
    live["webhooks"][1]["rules"][0]["scope"] = "Cluster"


def service(**fields):
    return lambda live: live["webhooks"][0]["clientConfig"]["service"].update(fields)


NOTHING = {"matchLabels": {"no": "such"}}
ENTRY, SECOND = "webhooks[workloads.plimsoll.dev].", f"webhooks[{OTHER}]."
EDITS = [  # what is done, what the log and the Event name
    (first(failurePolicy="Ignore"), ENTRY + "failurePolicy"),
    (rules, ENTRY + "rules"),
    (scope, SECOND + "rules"),
    (first(matchConditions=[{"name": "never", "expression": "false"}]), ENTRY + "matchConditions"),
    (first(matchConditions=[]), ENTRY + "matchConditions"),
    (first(namespaceSelector=NOTHING), ENTRY + "namespaceSelector"),
    (first(objectSelector=NOTHING), ENTRY + "objectSelector"),
    (first(timeoutSeconds=1), ENTRY + "timeoutSeconds"),
    (first(matchPolicy="Exact"), ENTRY + "matchPolicy"),
    (first(sideEffects="NoneOnDryRun"), ENTRY + "sideEffects"),
    (first(admissionReviewVersions=["v1beta1", "v1"]), ENTRY + "admissionReviewVersions"),
    (service(path="/elsewhere"), ENTRY + "clientConfig"),
    (service(name="another"), ENTRY + "clientConfig"),
    (service(port=443), ENTRY + "clientConfig"),
    (lambda live: live["webhooks"][0].update(clientConfig={"url": "https://127.0.0.1:1/x"}), ENTRY + "clientConfig"),
    (extra, "webhooks"),
    (lambda live: live["webhooks"].pop(), "webhooks"),
    (lambda live: live["webhooks"].reverse(), SECOND + "failurePolicy"),
    (first(name="renamed.plimsoll.dev"), "webhooks[renamed.plimsoll.dev].name"),
    (lambda live: live.update(webhooks=[]), "webhooks"),
]
BUNDLES = [("taken away", client(caBundle="")), ("no certificate", client(caBundle=base64.b64encode(b"nonsense").decode()))]


class Edited(Scene):
    name, number = "configuration edited", 6

    def play(self):
        place = Place(self.plane, "edited", 20, secret={}, webhooks=two_entries)
        with place.controller(user="edited-a") as controller, place.serving():
            self.soon("pods at first", "allowed, denied", place.reaches)
            whole = place.live()["webhooks"]
            for index, (change, names) in enumerate(EDITS, 1):
                place.edit(change)
                self.soon(f"edit {index} is undone", True, lambda: place.live()["webhooks"] == whole)
                self.soon(
                    f"edit {index}: the log names it",
                    f"{names} was not as installed; it is again {index}",
                    lambda: f"{controller.said('webhook configuration healed')[-1]['note']} "
                    f"{len(controller.said('webhook configuration healed'))}",
                )
            self.soon("the metric counts", len(EDITS), lambda: int(controller.metric("webhook_configuration_heals_total")))
            notes = {f"{names} was not as installed; it is again" for _, names in EDITS}
            self.soon("Events in namespace default, each note once", sorted(notes),
                      lambda: sorted(event["note"] for event in place.events("default", "Healed")))
            for what, change in BUNDLES:
                try:
                    place.edit(change)
                except Status as status:  # newer API servers take no such caBundle
                    self.row(f"caBundle: {what}", 422, lambda status=status: status.code)
                    continue
                self.soon(f"caBundle {what}: it is back", True, lambda: place.live()["webhooks"] == whole)
            self.row("a caBundle is written as such, and not counted as healed", len(EDITS),
                     lambda: int(controller.metric("webhook_configuration_heals_total")))
            self.soon("pods afterwards", "allowed, denied", place.reaches)
            self.soon("no trouble is left", "1 False",
                      lambda: f"{controller.metric('webhook_configuration_ok'):.0f} {'house:' in controller.get('/readyz')}")
            since = len(self.plane.audit_events())
            place.edit(lambda live: live["metadata"].update(labels={"team": "a"}, annotations={"note": "mine"}))
            told(lambda: False, 2)
            self.row("labels and annotations are nobody's business", "[]", lambda: place.writes("edited-a", since))


class Unmanaged(Scene):
    name, number = "configuration unmanaged", 7

    def play(self):
        place = Place(self.plane, "unmanaged", 21, secret={})
        with place.controller(user="unmanaged-a") as controller:
            told(lambda: place.consistent() == "consistent")
            place.edit(
                lambda live: (live["metadata"].update(annotations={"plimsoll.dev/unmanaged": "true"}), first(failurePolicy="Ignore")(live))
            )
            self.soon("it is told in the log", 1, lambda: len(controller.said("webhook configuration is unmanaged")))
            place.edit(first(timeoutSeconds=3))
            told(lambda: False, 3)
            self.row("edits stay", "Ignore 3", lambda: "{failurePolicy} {timeoutSeconds}".format(**place.live()["webhooks"][0]))
            self.row("told once", 1, lambda: len(controller.said("webhook configuration is unmanaged")))
            self.soon("and by an Event", "Warning", lambda: place.events("default", "Unmanaged")[0]["type"])
            self.row("the metric says that it is not as it should be", 0, lambda: int(controller.metric("webhook_configuration_ok")))
            self.row("and so does /readyz", True, lambda: "unmanaged" in controller.get("/readyz"))
            place.edit(lambda live: live["metadata"].update(annotations={"plimsoll.dev/unmanaged": "false"}))
            self.soon("without the annotation it is kept again", "Fail 10",
                      lambda: "{failurePolicy} {timeoutSeconds}".format(**place.live()["webhooks"][0]))
            self.soon("the metric", 1, lambda: int(controller.metric("webhook_configuration_ok")))


class Deleted(Scene):
    name, number = "configuration deleted", 8

    def play(self):
        place = Place(self.plane, "deleted", 22, secret={})
        with place.controller(user="deleted-a") as controller, place.serving():
            self.soon("pods at first", "allowed, denied", place.reaches)
            since = len(self.plane.audit_events())
            self.plane.delete(place.path)
            self.soon("pods are no longer judged", "allowed, allowed", place.reaches)
            self.soon("the log", "webhook configuration deleted does not exist: nothing is checked; install it again to go on",
                      lambda: controller.said("house keeping")[0]["trouble"])
            self.row("/readyz", True, lambda: "house: webhook configuration deleted does not exist" in controller.get("/readyz"))
            self.row("the metric", 0, lambda: int(controller.metric("webhook_configuration_ok")))
            told(lambda: False, 7)  # it looks every 5 s
            self.row("it is not made again", "[]", lambda: place.writes("deleted-a", since))
            self.row("told once", 1, lambda: len(controller.said("house keeping")))
            place.install()
            self.soon("installed again, it is completed", "consistent", place.consistent)
            self.soon("pods", "allowed, denied", place.reaches)
            self.soon("the metric is 1, /readyz quiet", "1 False",
                      lambda: f"{controller.metric('webhook_configuration_ok'):.0f} {'house:' in controller.get('/readyz')}")


class Fight(Scene):
    """Somebody else keeps the object as well, and changes it back at once."""

    name, number = "a second writer, at once", 9
    place_name, service, pause = "fight0", 23, 0.0
    SECONDS = 12  # at least

    def play(self):
        place = Place(self.plane, self.place_name, self.service, secret={})
        with place.controller(user=f"{self.place_name}-a") as controller:
            told(lambda: place.consistent() == "consistent")
            since, ended, changed = len(self.plane.audit_events()), threading.Event(), []
            thread = threading.Thread(target=self.write, args=(place, ended, self.pause, changed))
            thread.start()
            began = time.monotonic()
            is_told = told(lambda: "does another controller keep" in controller.get("/readyz") + controller.log_path.read_text(), 60)
            time.sleep(max(0, self.SECONDS - (time.monotonic() - began)))
            seconds = time.monotonic() - began
            patches = [one for one in place.writes(f"{self.place_name}-a", since) if one.startswith("patch validating")]
            ended.set()
            thread.join()
            lines = len(controller.lines())
            print(
                f"   {self.name}: it wrote {len(changed)} times, the controller {len(patches)} in {seconds:.0f} s, {lines} lines",
                flush=True,
            )
            self.row("no hot loop: at most 3 writes a second", True, lambda: len(patches) <= 3 * seconds)
            self.row("it is told what is wrong", True, lambda: is_told)
            self.row("the log is short: at most 5 lines a second", True, lambda: lines <= 5 * seconds)
            self.soon("when it ends, all is as installed", "Fail 1", lambda: " ".join((
                place.live()["webhooks"][0]["failurePolicy"], f"{controller.metric('webhook_configuration_ok'):.0f}")))

    @staticmethod
    def write(place, ended, pause, changed):
        while not ended.wait(0.02):
            live = place.live()
            if live["webhooks"][0]["failurePolicy"] == "Ignore":
                continue
            if ended.wait(pause):
                return
            live = place.live()
            first(failurePolicy="Ignore")(live)
            try:
                place.plane.request("PUT", place.path, live)
                changed.append(time.monotonic())
            except Status as status:
                if status.code != 409:
                    raise


class SlowFight(Fight):
    """After a second."""

    name, number = "a second writer, after a second", 19
    place_name, service, pause = "fight1", 24, 1.0
