#!/usr/bin/env python3
"""Certificates that live for seconds are renewed again and again, the authority too, under load and a change of leader: no call fails."""
import collections
import contextlib
import signal
import sys
import time

from control_plane import control_plane_or_end
from controller_crashes import Calls
from controller_stage import Place, serial, told
from harness import check_rows

# Two thirds of a life are used before a renewal; a kubelet and the server's own look take their part of the last third.
TERMS = ("--authority-life", "60s", "--serving-life", "18s", "--backdate", "5s", "--trust-delay", "2s")
SECONDS = 110
CALLERS = 3
USERS = {f"rotation-{one}": (f"token-of-{one}", ["system:masters"]) for one in "ab"}


class Rotation:
    """Everything is over when it is made; the rows say what was seen."""

    def __init__(self, plane):
        self.place = Place(plane, "rotation", 1, secret={}, failurePolicy="Fail", timeoutSeconds=10)
        self.serials, self.authorities, self.served, self.faults = (collections.OrderedDict() for _ in range(4))
        with contextlib.ExitStack() as ends:
            self.controllers = [ends.enter_context(self.place.controller(*TERMS, user=user)) for user in USERS]
            self.server, self.kubelet = ends.enter_context(self.place.serving())
            self.process = self.server.process.pid
            if not told(lambda: self.place.reaches() == "allowed, denied", 20):
                raise AssertionError("it does not begin: " + self.place.reaches())
            callers = [ends.enter_context(Calls(self.place, 0.05)) for _ in range(CALLERS)]
            began, self.killed = time.monotonic(), None
            while time.monotonic() < began + SECONDS:
                self.look()
                if self.killed is None and time.monotonic() > began + SECONDS / 2:
                    self.kill_leader()
                time.sleep(0.2)
            for caller in callers:
                caller.ended.set()
                caller.join(60)
            self.calls, self.failed = sum(caller.count for caller in callers), [text for caller in callers for text in caller.failed]
            self.alive = self.server.alive()
            self.written = [line["why"] for controller in self.controllers for line in controller.said("certificates written")]
            self.renewals_after = sum(one.metric("certificate_renewals_total") for one in self.controllers if one.alive())
            self.timeline = sorted(
                [
                    (line["time"][11:19], "controller", line["event"], line.get("why", line.get("waiting", line.get("trouble", ""))))
                    for one in self.controllers
                    for line in one.lines()
                ]
                + [(line["time"][11:19], "server", line["event"], "") for line in self.server.log_lines() if "ertificate" in line["event"]]
            )
            self.troubled = [line.get("trouble") for one in self.controllers for line in one.said("house keeping")]

    def look(self):
        """What is stored, trusted and served now."""
        secret = self.place.secret()
        self.serials[serial(secret["tls.crt"])] = True
        self.authorities[secret["ca.key"]] = True
        with contextlib.suppress(OSError):
            self.served[serial((self.kubelet.root / "tls.crt").read_text())] = True

    def kill_leader(self):
        leader = next((one for one in self.controllers if one.leads()), None)
        if leader is not None:
            self.before_kill = len(self.serials)
            leader.process.send_signal(signal.SIGKILL)
            leader.process.wait()
            self.killed = time.monotonic()

    def rows(self):
        failed = collections.Counter(text.split(" ", 1)[1] for text in self.failed)
        return [
            (
                1,
                f"{self.calls} calls by {CALLERS} callers: how many failed",
                "0: []",
                lambda: f"{len(self.failed)}: {failed.most_common(3)} {self.failed[:1]}" if failed else "0: []",
            ),
            (2, "at least 1,000 calls were made", "True", lambda: self.calls >= 1000),
            (3, f"{len(self.serials) - 1} renewals of the serving certificate: at least 5", "True", lambda: len(self.serials) >= 6),
            (4, f"{len(self.authorities) - 1} renewals of the authority: at least 1", "True", lambda: len(self.authorities) >= 2),
            (
                5,
                "each authority was trusted before it signed",
                "True",
                lambda: sum("took over" in why and "every caBundle holds it" in why for why in self.written) == len(self.authorities) - 1,
            ),
            (
                6,
                "the leader was killed, the other one has renewed since",
                "True True",
                lambda: f"{self.killed is not None} " f"{self.renewals_after > 0 and len(self.serials) > self.before_kill}",
            ),
            (7, "the server is the same process", "True", lambda: self.alive and self.server.process.pid == self.process),
            (
                8,
                f"{len(self.served)} certificates reached the server: at most one is under way",
                "True",
                lambda: len(self.served) >= len(self.serials) - 1,
            ),
            (9, "no trouble was told", "[]", lambda: self.troubled),
            (
                10,
                "no certificate was renewed only when it had expired",
                "[]",
                lambda: [why for why in self.written if "it has expired" in why],
            ),
        ]


def main():
    began = time.monotonic()
    plane = control_plane_or_end(USERS)
    with plane:
        rotation = Rotation(plane)
    if rotation.failed:
        print(*rotation.timeline, sep="\n")
    code = check_rows("renewals under load", rotation.rows())
    print(f"{time.monotonic() - began:.1f} s")
    return code


if __name__ == "__main__":
    sys.exit(main())
