"""`plimsoll cleanup`: twice, beside a running controller, without rights, without an API server; and outages of the API server and etcd."""
import re
import subprocess
import time

import proxy_actions as actions
from api_proxy import ApiProxy
from control_plane import Status, free_port
from controller_stage import Place, Scene, told
from harness import PROGRAM


class Cleanup(Scene):
    name, number = "cleanup", 17

    def play(self):
        self.place = Place(self.plane, "cleanup", 50, secret={})
        with self.place.controller(user="cleanup-a") as controller, self.place.serving():
            self.soon("pods at first", "allowed, denied", self.place.reaches)
            nobody = self.plane.write_kubeconfig("nobody", self.plane.users["nobody"][0])
            self.row("verify asks as the API server would",
                     "0; entry workloads.plimsoll.dev: has a caBundle; a Deployment with latest, without probes and limits: denied; "
                     "a Deployment without fault: admitted; plimsoll verify: it answers", self.verify)
            self.row("verify without rights", "1; 403 Forbidden", lambda: self.verify(nobody))
            self.row("without rights: exit code, what it may not do", "1; cannot delete webhook configuration, cannot delete lease",
                     lambda: self.without_rights(self.cleanup(nobody)))
            self.row("and all is there", "True True", self.there)
            since = len(self.plane.audit_events())
            self.row(
                "while a controller runs", "0; webhook configuration cleanup: deleted; lease plimsoll-controller: deleted", self.cleanup
            )
            told(lambda: False, 4)
            self.row("the controller does not make it again", "[]", lambda: self.place.writes("cleanup-a", since))
            self.row("verify afterwards", "1; 404 NotFound", self.verify)
            self.soon("it says so", True, lambda: "does not exist: nothing is checked" in controller.get("/readyz"))
            self.row("and goes on", True, controller.alive)
            self.row("nothing is judged", "allowed, allowed", self.place.reaches)
        told(lambda: False, 0.5)
        self.row(
            "the controller's Lease once more",
            "0; webhook configuration cleanup: not there; lease plimsoll-controller: deleted",
            self.cleanup,
        )
        self.row("twice", "0; webhook configuration cleanup: not there; lease plimsoll-controller: not there", self.cleanup)
        self.row("Secret and Service stay", True, lambda: bool(self.place.secret()["tls.key"]))
        away = self.plane.write_kubeconfig("away", "x", server=f"https://127.0.0.1:{free_port()}")
        self.row("no API server: exit code, lines, at once", "1 2 True", lambda: self.timed(away, 5))
        missing = self.plane.directory / "no-such-file"
        self.row("no kubeconfig", "78 1 True", lambda: self.timed(missing, 5))
        with ApiProxy(self.plane) as proxy, proxy.rule(actions.hang()):
            self.row("an API server that never answers: it ends", "1 2 True", lambda: self.timed(proxy.kubeconfig("cleanup", "x"), 65))

    def run_it(self, kubeconfig=None):
        return subprocess.run([PROGRAM, "cleanup", "--kubeconfig", kubeconfig or self.plane.kubeconfig, "--namespace", "cleanup",
                               "--webhook-configuration", "cleanup"], capture_output=True, text=True, timeout=100)

    def verify(self, kubeconfig=None):
        """The exit code and its lines; of a denial only that it is one, of an error only its code."""
        done = subprocess.run([PROGRAM, "verify", "--kubeconfig", kubeconfig or self.plane.kubeconfig, "--webhook-configuration", "cleanup"],
                              capture_output=True, text=True, timeout=60)
        error = re.search(r": (\d+ [A-Za-z]+):", done.stderr)
        lines = [error.group(1)] if error else [re.sub(r"(denied): .*", r"\1", line) for line in (done.stdout + done.stderr).splitlines()]
        return "; ".join([str(done.returncode), *lines])

    def cleanup(self, kubeconfig=None):
        done = self.run_it(kubeconfig)
        return "; ".join([str(done.returncode), *(done.stdout + done.stderr).splitlines()])

    def timed(self, kubeconfig, seconds):
        began = time.monotonic()
        done = self.run_it(kubeconfig)
        return f"{done.returncode} {len(done.stderr.splitlines())} {time.monotonic() - began < seconds}"

    @staticmethod
    def without_rights(said):
        code, *lines = said.split("; ")
        return f"{code}; " + ", ".join(f"cannot delete {what}" for what, line in zip(("webhook configuration", "lease"), lines)
                                       if what in line and "403 Forbidden" in line and '"nobody" cannot delete' in line)

    def there(self):
        def exists(path):
            try:
                return bool(self.plane.get(path))
            except Status:
                return False
        return " ".join(
            map(str, map(exists, (self.place.path, "/apis/coordination.k8s.io/v1/namespaces/cleanup/leases/plimsoll-controller")))
        )


class Outages(Scene):
    """Nobody else may be at work on the API server."""

    name, number = "outages", 18

    def play(self):
        self.place = Place(self.plane, "outages", 51, secret={})
        with self.place.controller(user="outages-a") as self.controller, self.place.serving():
            self.soon("pods at first", "allowed, denied", self.place.reaches)
            began = len(self.controller.lines())
            self.plane.stop_api(kill=True)
            self.during("API server killed", began)
            self.plane.start_api()
            self.after("API server back")
            began = len(self.controller.lines())
            self.plane.stop_etcd()
            self.during("etcd stopped", began)
            self.plane.start_etcd()
            self.after("etcd back")
            self.row("the certificates are the first ones", 1, lambda: int(self.controller.metric("certificate_renewals_total")))

    def during(self, what, began):
        self.soon(f"{what}: it no longer leads", 0, lambda: int(self.controller.metric("controller_leads")))
        told(lambda: False, 5)
        self.row(
            f"{what}: it goes on, /readyz answers", "True True", lambda: f"{self.controller.alive()} {bool(self.controller.get('/readyz'))}"
        )
        lines = self.controller.lines()[began:]
        self.row(f"{what}: at most ten lines in the log, one says what is away", "True True",
                 lambda: f"{len(lines) <= 10} {any(line['event'] == 'API server' for line in lines)}")

    def after(self, what):
        self.soon(f"{what}: it leads", 1, lambda: int(self.controller.metric("controller_leads")))
        told(lambda: bool(self.plane.get(self.place.path)))
        self.place.edit(lambda live: live["webhooks"][0].update(failurePolicy="Ignore"))
        self.soon(f"{what}: edits are undone", "Fail", lambda: self.place.live()["webhooks"][0]["failurePolicy"], 40)
        self.soon(f"{what}: pods", "allowed, denied", self.place.reaches)
        self.soon(f"{what}: /readyz is quiet", False, lambda: "house:" in self.controller.get("/readyz"), 40)
