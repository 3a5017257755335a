"""Two controllers: one leads, never both; the other goes on when it is killed, told to end, frozen, or cut off."""
import contextlib
import signal
import threading
import time

import proxy_actions as actions
from api_proxy import ApiProxy
from control_plane import ADMIN
from controller_stage import LEASE, Place, Scene, told

MOST = 60  # seconds until another one leads, on a busy machine; what it took is printed


class Watcher(threading.Thread):
    """Asks both for their metrics in a tight loop, and counts the moments in which both say that they lead."""

    def __init__(self, one, other):
        super().__init__(daemon=True)
        self.one, self.other, self.ended = one, other, threading.Event()
        self.samples = self.both = self.none = 0

    def run(self):
        while not self.ended.is_set():
            first, second, again = leads(self.one), leads(self.other), leads(self.one)
            self.samples += 1
            self.both += first and second and again  # led before and after the other said so
            self.none += not first and not second
            time.sleep(0.003)  # the API server needs a processor, too

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join(30)


def leads(controller):
    try:
        return controller.metric("controller_leads", timeout=0.3) == 1
    except (OSError, ValueError):
        return False  # it is frozen, or gone
    except Exception:
        return False


class Pair(Scene):
    """Two of them, each with a user and a kubeconfig of its own; `leader` and `other` are told apart when one leads."""

    def start(self, ends, number, proxied=None, name="election", lease=LEASE):
        self.place = Place(self.plane, name, number, secret={})
        self.users = {}
        for user in (f"{name}-a", f"{name}-b"):
            kubeconfig = proxied.kubeconfig(user, self.plane.users[user][0]) if proxied else None
            controller = ends.enter_context(
                self.place.controller("--identity", user, user=None if proxied else user, kubeconfig=kubeconfig, lease=lease)
            )
            self.users[controller] = user
        self.tell_apart()
        told(lambda: self.place.consistent() == "consistent")

    def tell_apart(self):
        told(lambda: any(map(leads, self.users)))
        self.leader = next(one for one in self.users if leads(one))
        self.other = next(one for one in self.users if one is not self.leader)

    def seconds_until_other_leads(self, most=MOST):
        began = time.monotonic()
        return time.monotonic() - began if told(lambda: leads(self.other), most, 0.02) else 999

    def fields(self):
        return "{failurePolicy} {timeoutSeconds}".format(**self.place.live()["webhooks"][0])

    def edit(self, **fields):
        self.place.edit(lambda live: live["webhooks"][0].update(fields))


class Killed(Pair):
    name, number = "leader killed", 11

    def play(self):
        with contextlib.ExitStack() as ends:
            self.start(ends, 40, name="killed")
            self.row("one leads, the other says so", "leading, another one leads", lambda: ", ".join(
                one.get("/readyz").splitlines()[0] for one in (self.leader, self.other)))
            with Watcher(self.leader, self.other) as watcher:
                time.sleep(5)
            self.row(
                "never both lead, and nearly always one does", "0 True", lambda: f"{watcher.both} {watcher.none < watcher.samples / 20}"
            )
            self.leader.process.send_signal(signal.SIGKILL)
            seconds = self.seconds_until_other_leads()
            self.row("SIGKILL: the other leads when the lease has ended, not at once", True, lambda: 1 < seconds < MOST)
            self.edit(failurePolicy="Ignore")
            self.soon("and keeps house", "Fail 10", self.fields)
            self.row("the Lease counts", "killed 1", lambda: "killed {leaseTransitions}".format(**self.plane.get(
                "/apis/coordination.k8s.io/v1/namespaces/killed/leases/plimsoll-controller")["spec"]))
            print(f"   after SIGKILL {seconds:.2f} s without a leader; {watcher.samples} samples of two, {watcher.none} without a leader")


class Ended(Pair):
    name, number = "leader told to end", 12

    def play(self):
        with contextlib.ExitStack() as ends:
            self.start(ends, 41, name="ended", lease="300s")
            with Watcher(self.leader, self.other) as watcher:
                self.leader.process.send_signal(signal.SIGTERM)
                seconds = self.seconds_until_other_leads()
            self.row("SIGTERM: the other leads, long before the lease of 300 s ends", True, lambda: seconds < MOST)
            self.row("never both", 0, lambda: watcher.both)
            self.row("exit code", 0, lambda: self.leader.process.wait(10))
            print(f"   after SIGTERM {seconds:.2f} s without a leader")


class GivenBack(Scene):
    """Told to end while it renews the Lease: the renewal comes in between, and nobody holds the Lease all the same."""

    name, number = "Lease given back", 20

    def play(self):
        place = Place(self.plane, "back", 46, secret={})
        path = "/apis/coordination.k8s.io/v1/namespaces/back/leases/plimsoll-controller"
        with ApiProxy(self.plane) as proxy, place.controller(kubeconfig=proxy.kubeconfig("back", ADMIN)) as controller:
            told(controller.leads)
            gives_back = {"method": "PATCH", "path": path, "when": lambda exchange: b'"holderIdentity":""' in exchange.body}
            with proxy.rule(actions.conflict(), nth=1, **gives_back) as rule:
                controller.process.send_signal(signal.SIGTERM)
                self.row("it ends as told", 0, lambda: controller.process.wait(20))
                self.row("a conflict was met", 1, lambda: rule.applied)
            self.row("nobody holds it", "", lambda: self.plane.get(path)["spec"].get("holderIdentity", ""))


class Frozen(Pair):
    name, number = "leader frozen", 13

    def play(self):
        with contextlib.ExitStack() as ends:
            self.start(ends, 42, name="frozen")
            old = self.users[self.leader]
            self.leader.process.send_signal(signal.SIGSTOP)
            seconds = self.seconds_until_other_leads()
            self.row("the other leads", True, lambda: seconds < MOST)
            self.edit(failurePolicy="Ignore")
            self.soon("and keeps house", "Fail 10", self.fields)
            told(lambda: False, 2)
            self.edit(timeoutSeconds=5)  # both see it, the frozen one when it wakes
            since = len(self.plane.audit_events())
            with Watcher(self.leader, self.other) as watcher:
                self.leader.process.send_signal(signal.SIGCONT)
                time.sleep(5)
            self.row("awake again it never leads beside the other", 0, lambda: watcher.both)
            self.row("nothing that it writes is taken, not even the Lease", "[]",
                     lambda: [one for one in self.place.writes(old, since, without=()) if not one.endswith(" 409")])
            self.row("it says that it no longer leads", True, lambda: bool(self.leader.said("no longer leading")))
            self.soon("the other has kept house", "Fail 10", self.fields)
            self.leader, self.other = self.other, self.leader
            self.leader.process.send_signal(signal.SIGTERM)
            self.row("and it leads again when its turn comes", True, lambda: self.seconds_until_other_leads() < MOST)


class HeldUp(Pair):
    """A write of the leader is held up on its way until another one leads: it must not undo what that one has done."""

    name, number = "a write held up", 14

    def play(self):
        with contextlib.ExitStack() as ends:
            proxy = ends.enter_context(ApiProxy(self.plane))
            self.start(ends, 43, proxy, "heldup")
            old, since = self.users[self.leader], len(self.plane.audit_events())
            released = threading.Event()
            with proxy.rule(
                actions.hold(released), method="PATCH", token=self.plane.users[old][0], path=".*/validatingwebhookconfigurations/.*"
            ) as rule:
                self.edit(failurePolicy="Ignore")
                told(lambda: rule.applied == 1)
                self.leader.process.send_signal(signal.SIGSTOP)
                seconds = self.seconds_until_other_leads()
                self.row("the other leads", True, lambda: seconds < MOST)
                self.soon("and has undone the edit", "Fail 10", self.fields)
                self.place.edit(lambda live: live["metadata"].update(annotations={"plimsoll.dev/unmanaged": "true"}))
                self.edit(timeoutSeconds=7)  # by hand, allowed now
                released.set()
                self.soon("the late write is refused", "['patch validatingwebhookconfigurations 409']",
                          lambda: [one for one in self.place.writes(old, since) if "webhook" in one])
                self.row("and has changed nothing", "Fail 7", self.fields)
                self.leader.process.send_signal(signal.SIGCONT)
            told(lambda: False, 3)
            self.row("one leads", 1, lambda: sum(map(leads, self.users)))


class CutOff(Pair):
    """The leader cannot reach the API server, the other can."""

    name, number = "leader cut off", 15

    def play(self):
        with contextlib.ExitStack() as ends:
            proxy = ends.enter_context(ApiProxy(self.plane))
            self.start(ends, 44, proxy, "cutoff")
            old = self.users[self.leader]
            with Watcher(self.leader, self.other) as watcher:
                with proxy.rule(actions.hang(), token=self.plane.users[old][0]):
                    seconds = self.seconds_until_other_leads()
                    told(lambda: False, 1)
                    self.row(
                        "the other leads, this one knows that it does not",
                        "True False",
                        lambda: f"{seconds < MOST} {leads(self.leader)}",
                    )
                time.sleep(4)
            self.row("never both, then either", "0 1", lambda: f"{watcher.both} {sum(map(leads, self.users))}")
            self.row("the log says it", True, lambda: bool(self.leader.said("no longer leading", "could not be renewed in time")))


SCENES = (Killed, Ended, GivenBack, Frozen, HeldUp, CutOff)
