"""Scenes on one API server, each in a place of its own: namespace, Secret, Service, webhook configuration; controller, server, kubelet."""
import base64
import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import threading
import time

from control_plane import Status, openssl
from harness import PROGRAM, Server, wait_until
from webhooks import CHANGES_WHAT_IS_JUDGED, RULES, namespace_selector

CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
JUDGED = "judged-by"
KEYS = ("ca.crt", "ca.key", "next-ca-since", "next-ca.crt", "next-ca.key", "tls.crt", "tls.key")
LEASE = "3s"  # the shortest that the controller takes


class Process:
    """A program of ours with its log and its health port; ended with the `with` block."""

    def __init__(self, *command):
        self.directory = tempfile.TemporaryDirectory(prefix="plimsoll-controller-")
        self.log_path = pathlib.Path(self.directory.name, "log")
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen([PROGRAM, *map(str, command)], stdout=log, stderr=subprocess.STDOUT)
        self.health_port = None
        wait_until(self._health, 30)

    def _health(self):
        found = [line for line in self.lines() if line.get("event") == "controlling"]
        if found:
            self.health_port = int(found[0]["health"].rsplit(":", 1)[1])
        elif self.process.poll() is not None:
            raise RuntimeError("the controller did not start: " + self.log_path.read_text())
        return found

    def lines(self):
        made = []
        for line in self.log_path.read_text().splitlines():
            with contextlib.suppress(ValueError):
                made.append(json.loads(line))
        return made

    def said(self, event, part=""):
        """The lines of an event that hold the part."""
        return [line for line in self.lines() if line["event"] == event and part in json.dumps(line)]

    def get(self, path, timeout=10):
        connection = http.client.HTTPConnection("127.0.0.1", self.health_port, timeout=timeout)
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def metric(self, name, timeout=10):
        found = re.search(rf"(?m)^plimsoll_{name} (\S+)$", self.get("/metrics", timeout))
        return float(found.group(1)) if found else None

    def leads(self):
        return self.metric("controller_leads") == 1

    def alive(self):
        return self.process.poll() is None

    def stop(self, number=signal.SIGTERM):
        if self.alive():
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(number)
        try:
            return self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return "killed"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        self.directory.cleanup()


class Kubelet(threading.Thread):
    """Copies a Secret into a directory as a kubelet does: late, and all files at once by a symlink."""

    def __init__(self, place, delay=0.5):
        super().__init__(daemon=True)
        self.place, self.delay, self.ended = place, delay, threading.Event()
        self.directory = tempfile.TemporaryDirectory(prefix="plimsoll-kubelet-")
        self.root = pathlib.Path(self.directory.name)
        self.certificate, self.key = self.root / "tls.crt", self.root / "tls.key"
        self.swaps = 0
        self.seen = None

    def run(self):
        while not self.ended.wait(0.25):
            with contextlib.suppress(OSError, Status, http.client.HTTPException):
                data = {key: text for key, text in self.place.secret().items() if key in ("tls.crt", "tls.key")}
                if data and data != self.seen:
                    if self.seen is not None:
                        self.ended.wait(self.delay)
                    self._swap(data)
                    self.seen = data

    def _swap(self, data):
        self.swaps += 1
        fresh = self.root / f"..{self.swaps}"
        fresh.mkdir()
        for name, text in data.items():
            (fresh / name).write_text(text)
        link = self.root / "..data_tmp"
        link.symlink_to(fresh.name)
        os.rename(link, self.root / "..data")
        for name in data:
            if not (self.root / name).is_symlink():
                (self.root / name).symlink_to(f"..data/{name}")

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join(10)
        self.directory.cleanup()


class Place:
    """What an installation brings, under names of its own; `number` gives the Service its address."""

    def __init__(self, plane, name, number, secret=None, **entry):
        self.plane, self.name, self.address = plane, name, f"127.20.1.{number}"
        self.secret_path = f"/api/v1/namespaces/{name}/secrets/plimsoll-tls"
        self.path = f"{CONFIGURATIONS}/{name}"
        self.shop = f"{name}-shop"
        plane.namespace(name)
        plane.namespace(self.shop, **{JUDGED: name})
        if secret is not None:
            self.make_secret(secret)
        plane.create(f"/api/v1/namespaces/{name}/services", {
            "metadata": {"name": "plimsoll"}, "spec": {"clusterIP": self.address, "ports": [{"port": 8443}]}})
        self.wanted = self.configuration(**entry)
        self.file = plane.directory / f"{name}.json"
        self.file.write_text(json.dumps(self.wanted))
        self.install()

    def make_secret(self, data):
        self.plane.create(f"/api/v1/namespaces/{self.name}/secrets", {
            "metadata": {"name": "plimsoll-tls"}, "type": "Opaque", "stringData": data})

    def entry(self, name="workloads.plimsoll.dev", **more):
        client = {"service": {"namespace": self.name, "name": "plimsoll", "path": "/validate", "port": 8443}}
        return {"name": name, "clientConfig": client, "rules": RULES, "failurePolicy": "Fail", "sideEffects": "None", "timeoutSeconds": 10,
                "admissionReviewVersions": ["v1"], "matchConditions": [CHANGES_WHAT_IS_JUDGED],
                "namespaceSelector": namespace_selector(self.name, {JUDGED: self.name}), **more}

    def configuration(self, webhooks=None, **entry):
        return {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
                "metadata": {"name": self.name}, "webhooks": webhooks(self) if webhooks else [self.entry(**entry)]}

    def install(self):
        return self.plane.create(CONFIGURATIONS, self.wanted)

    def controller(self, *flags, user=None, kubeconfig=None, lease=LEASE):
        """`user`: one of the plane's."""
        if user:
            kubeconfig = self.plane.write_kubeconfig(user, self.plane.users[user][0])
        return Process(
            "controller",
            "--kubeconfig",
            kubeconfig or self.plane.kubeconfig,
            "--namespace",
            self.name,
            "--webhook-file",
            self.file,
            "--webhook-configuration",
            self.name,
            "--health-listen",
            "127.0.0.1:0",
            "--lease-duration",
            lease,
            *(() if "--policies" in flags else ("--policies", "files")),
            *flags,
        )

    @contextlib.contextmanager
    def serving(self, *flags, delay=0.5):
        """A kubelet, and a server at the Service's address with what the kubelet brings."""
        with Kubelet(self, delay) as kubelet:
            with Server(
                "--listen",
                f"{self.address}:8443",
                "--cert",
                kubelet.certificate,
                "--key",
                kubelet.key,
                "--certificate-wait",
                "30s",
                "--drain-timeout",
                "1s",
                *flags,
            ) as server:
                yield server, kubelet

    def secret(self):
        data = self.plane.get(self.secret_path).get("data") or {}
        return {key: base64.b64decode(text).decode(errors="replace") for key, text in data.items()}

    def version(self, path=None):
        return self.plane.get(path or self.secret_path)["metadata"]["resourceVersion"]

    def live(self):
        return self.plane.get(self.path)

    def bundles(self):
        return [base64.b64decode(one["clientConfig"].get("caBundle", "")).decode(errors="replace") for one in self.live()["webhooks"]]

    def edit(self, change):
        """`change(configuration)` in place; again where somebody else was faster."""
        while True:
            live = self.live()
            change(live)
            try:
                return self.plane.request("PUT", self.path, live)
            except Status as status:
                if status.code != 409:
                    raise

    def consistent(self):
        """"consistent", or what is not: the certificate fits its key and is trusted by what every entry trusts."""
        secret, bundles = self.secret(), self.bundles()
        if not secret.get("tls.crt"):
            return "no certificate"
        if openssl("x509", "-noout", "-pubkey", given=secret["tls.crt"].encode()) != openssl(
            "pkey", "-pubout", given=secret["tls.key"].encode()
        ):
            return "the key is not the certificate's"
        if any(bundle != secret["ca.crt"] for bundle in bundles):
            return "a caBundle is not the Secret's ca.crt"
        return "consistent" if all(trusts(bundle, secret["tls.crt"]) for bundle in bundles) else "the certificate is not trusted"

    def pod(self, image="nginx:1.27.3"):
        """"allowed", "denied", or what the API server says to a dry-run pod."""
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [
            {"name": "web", "image": image, "livenessProbe": {"httpGet": {"path": "/", "port": 80}}}]}}
        try:
            self.plane.create(f"/api/v1/namespaces/{self.shop}/pods?dryRun=All", pod)
            return "allowed"
        except Status as status:
            message = str(status)
            return "denied" if "denied the request: " in message and status.code == 403 else message

    def reaches(self):
        """What two pods meet, a good one and a bad one."""
        return f"{self.pod()}, {self.pod('nginx:latest')}"

    def events(self, name_space, reason):
        found = self.plane.get(f"/apis/events.k8s.io/v1/namespaces/{name_space}/events")["items"]
        return [event for event in found if event["reason"] == reason and event["regarding"]["name"] in (self.name, "plimsoll-tls")]

    def writes(self, user, since=0, without=("leases", "events")):
        """What a user has written, from the audit log from its line number `since` on: "patch secrets 200"."""
        return [
            f"{event['verb']} {event['objectRef']['resource']} {event['responseStatus']['code']}"
            for event in self.plane.audit_events()[since:]
            if event["user"]["username"] == user
            and event["verb"] in ("create", "update", "patch", "delete")
            and event.get("objectRef", {}).get("resource") not in without
        ]


def trusts(bundle, certificate):
    with tempfile.TemporaryDirectory() as directory:
        files = pathlib.Path(directory, "ca"), pathlib.Path(directory, "leaf")
        for path, text in zip(files, (bundle, certificate)):
            path.write_text(text)
        return subprocess.run(["openssl", "verify", "-CAfile", *map(str, files)], capture_output=True).returncode == 0


def serial(certificate):
    return openssl("x509", "-noout", "-serial", given=certificate.encode()).decode().strip()


def told(condition, seconds=40, every=0.1):
    """True as soon as it holds; False after so long."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with contextlib.suppress(Exception):  # what is asked for may not be there yet
            if condition():
                return True
        time.sleep(every)
    return False


class Scene:
    """What is done one after the other and seen; `play` is called once, in a thread of its own."""

    name = ""
    number = 0

    def __init__(self, plane):
        self.plane, self.found = plane, []

    def play(self):
        raise NotImplementedError

    def run(self):
        began = time.monotonic()
        try:
            self.play()
        except Exception as error:  # the others go on
            seen = f"{type(error).__name__}: {error}"
            self.row("the scene is played to its end", "yes", lambda: seen)
            raise
        finally:
            print(f"   {self.name}: {time.monotonic() - began:.1f} s", flush=True)

    def row(self, what, expected, see):
        try:
            seen = str(see())
        except Exception as error:
            seen = f"{type(error).__name__}: {error}"
        self.found.append((f"{self.name}: {what}", str(expected), seen))

    def soon(self, what, expected, see, seconds=40):
        """What is seen as soon as it is as expected, or at last."""
        def look():
            until = time.monotonic() + seconds
            while True:
                try:
                    seen = see()
                    if str(seen) == str(expected) or time.monotonic() > until:
                        return seen
                except Exception:  # what is asked for may not be there yet
                    if time.monotonic() > until:
                        raise
                time.sleep(0.1)
        self.row(what, expected, look)

    def rows(self):
        return [(f"{self.number}.{index}", what, expected, lambda seen=seen: seen)
                for index, (what, expected, seen) in enumerate(self.found, 1)]
