"""plimsoll in the test cluster: its image, Helm, and what rows of every group need."""
import contextlib
import http.client
import json
import os
import pathlib
import re
import subprocess
import threading
import time

import small_images
from control_plane import ADMIN, Status
from node import Node, is_running

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "charts" / "plimsoll"
OWN = "plimsoll-system"
CONFIGURATION = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/plimsoll"
RULES = {"image-tag": "enforce", "liveness-probe": "enforce", "readiness-probe": "enforce", "resources": "enforce", "image-environment": "warn",
         "run-as-root": "warn", "replicas": "audit"}
APP = "localhost/team/app:1.0.0"
NEWER = "localhost/team/app:1.1.0"
PROBE = {"httpGet": {"path": "/", "port": 8080}}


def container(image=APP, probes=True, resources=True, **more):
    made = {"name": "app", "image": image, "imagePullPolicy": "IfNotPresent", "env": [{"name": "PORT", "value": "8080"}],
            "ports": [{"containerPort": 8080}]}
    if probes:
        made["readinessProbe"] = {**PROBE, "periodSeconds": 1}
        made["livenessProbe"] = {**PROBE, "initialDelaySeconds": 30}
    if resources:
        made["resources"] = {"requests": {"cpu": "1m", "memory": "4Mi"}, "limits": {"memory": "32Mi"}}
    return {**made, **more}


def pod_spec(*containers, **more):
    return {"terminationGracePeriodSeconds": 1, "securityContext": {"runAsNonRoot": True}, "containers": list(containers) or [container()], **more}


def template(name, *containers, **more):
    return {"metadata": {"labels": {"app": name}}, "spec": pod_spec(*containers, **more)}


def deployment(name, *containers, replicas=1, **more):
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "labels": {"app": name}},
            "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template(name, *containers, **more)}}


def values(mode="enforce", rules=None, **more):
    """Values as `helm -f -` takes them: rules that look at the object alone, since this cluster is cut off from registries."""
    spec = {"exclude": [{"namespaces": ["kube-*"]}], "rules": {rule: {"action": action} for rule, action in (rules or RULES).items()}}
    return {"mode": mode, "policies": {"documents": {"tested": spec}}, **more}


BAD = {"image": "localhost/team/app:latest", "probes": False, "resources": False}


def bad_container():
    return container(**BAD)


def verdict_of(code, said):
    """Of what kubectl printed: "admitted", "admitted, 2 warnings", or "refused: image-tag, liveness-probe"."""
    warnings = len(re.findall(r"^Warning: ", said, re.M))
    if code == 0:
        return f"admitted, {warnings} warning{'s' if warnings > 1 else ''}" if warnings else "admitted"
    rules = re.findall(r"\bdeny ([a-z-]+(?:, [a-z-]+)*):", said)
    return "refused: " + ", ".join(dict.fromkeys(rules)) if rules else f"error: {said.strip()[-400:]}"


class Stage:
    """One node, for all groups. `release`: the archive of the image, as `make image` makes it."""

    def __init__(self, directory, release):
        self.directory, self.archive = pathlib.Path(directory), pathlib.Path(release).resolve()
        self.helm4, self.helm3 = (pathlib.Path(os.environ[name]) for name in ("HELM", "HELM3"))
        pause = small_images.archive(directory, "localhost/pause:1")
        self.archives = [small_images.archive(directory, name) for name in (APP, NEWER, "localhost/team/app:latest")]
        self.release = self.as_docker_archive(release, "localhost/plimsoll:0.1.0")
        self.node, self.chart = Node(pause), CHART

    def as_docker_archive(self, archive, name):
        made = self.directory / f"{pathlib.Path(archive).name}.docker.tar"
        subprocess.run(["skopeo", "copy", "-q", f"oci-archive:{archive}", f"docker-archive:{made}:{name}"], check=True, capture_output=True)
        return made

    def __enter__(self):
        self.node.__enter__()
        for archive in (*self.archives, self.release):
            self.node.load(archive)
        return self

    def __exit__(self, *_):
        self.node.__exit__()

    # Helm.

    def helm(self, *arguments, three=False, timeout=200):
        environment = {**os.environ, "KUBECONFIG": str(self.node.kubeconfig), "HOME": str(self.directory)}
        return subprocess.run([self.helm3 if three else self.helm4, *map(str, arguments)], capture_output=True, text=True, env=environment,
                              timeout=timeout)

    def install(self, given=None, *flags, three=False, verb="install", release="plimsoll"):
        """`helm install --wait`, or upgrade, with values; returns its output; AssertionError says why it failed."""
        path = self.directory / "values.json"
        path.write_text(json.dumps(values() if given is None else given))
        flags = ("-f", path, *flags)
        done = self.helm(verb, release, CHART, "-n", OWN, *(["--create-namespace"] if verb == "install" else []), "--wait", "--timeout", "150s",
                         "--set", "image.registry=localhost", *flags, three=three)
        if done.returncode != 0:
            raise AssertionError(f"helm {verb}: {done.stderr.strip()[-1500:]}\n{self.what_runs()}")
        return done.stdout

    def upgrade(self, given=None, *flags, **options):
        return self.install(given, *flags, verb="upgrade", **options)

    def uninstall(self, *flags, three=False):
        done = self.helm("uninstall", "plimsoll", "-n", OWN, "--wait", "--timeout", "180s", *flags, three=three)
        if done.returncode != 0:
            raise AssertionError(f"helm uninstall: {done.stderr.strip()[-1500:]}\n{self.what_runs()}")
        return done.stdout

    @contextlib.contextmanager
    def installed(self, given=None, *flags, three=False):
        self.install(given, *flags, three=three)
        try:
            yield
        finally:
            self.helm("uninstall", "plimsoll", "-n", OWN, "--wait", three=three)
            self.forget()

    def clear(self):
        """After a group that may have failed half-way: no release, and nothing in the namespace of the tests."""
        self.helm("uninstall", "plimsoll", "-n", OWN, "--no-hooks", "--ignore-not-found")
        self.node.kubectl("delete", "validatingwebhookconfiguration", "plimsoll", "--ignore-not-found")
        self.forget()
        self.node.kubectl("delete", "deploy,sts,ds,job,cronjob,rc,rs,pod,podtemplate,networkpolicy", "--all", "-n", "shop", "--wait=false", timeout=120)

    def forget(self):
        """What an uninstall leaves on purpose, and pods that are ending, so that the next group begins with nothing."""
        self.node.kubectl("delete", "pods", "--all", "-n", OWN, "--force", "--grace-period=0", timeout=60)
        self.node.kubectl("delete", "crd", "hygienepolicies.plimsoll.dev", "hygieneexceptions.plimsoll.dev", "--ignore-not-found", timeout=90)
        self.node.kubectl("delete", "namespace", OWN, "--ignore-not-found", timeout=180)

    def what_runs(self):
        """For messages of what went wrong."""
        pods = self.node.kubectl("get", "pods,events", "-n", OWN).stdout
        logs = self.node.kubectl("logs", "-n", OWN, "-l", "app.kubernetes.io/name=plimsoll", "--tail=5", "--prefix").stdout
        return f"{pods[-3000:]}\n{logs[-3000:]}"

    # Objects.

    def namespace(self, name):
        """There, and not one that is ending since another group has deleted it."""
        def stays():
            with contextlib.suppress(Status):  # it ended between two requests
                return "deletionTimestamp" not in self.node.namespace(name)["metadata"]
        self.node.wait_until(stays, 120, f"namespace {name} stays")
        self.node.wait_until(lambda: self.exists(f"/api/v1/namespaces/{name}/serviceaccounts/default"), 20, "the namespace has its account")

    def exists(self, path):
        try:
            return self.node.get(path)
        except Status as status:
            if status.code == 404:
                return None
            raise

    def apply(self, thing, name_space="shop", *flags):
        """As a person does; returns (exit code, what kubectl printed)."""
        done = self.node.kubectl("apply", "-n", name_space, "-f", "-", *flags, given=json.dumps(thing))
        return done.returncode, done.stdout + done.stderr

    def verdict(self, thing, name_space="shop", *flags):
        """"admitted", "admitted, 2 warnings", or "refused: image-tag, liveness-probe"."""
        return verdict_of(*self.apply(thing, name_space, *flags))

    def comes_to(self, expected, thing, name_space="shop", seconds=30):
        """The verdict of dry runs, once it is as expected: a replica that is ending answers what its connections still bring."""
        until = time.monotonic() + seconds
        while True:
            seen = self.verdict(thing, name_space, "--dry-run=server")
            if seen == expected or time.monotonic() > until:
                return seen
            time.sleep(0.5)

    def rolled_out(self, name, name_space="shop", seconds=60):
        done = self.node.kubectl("rollout", "status", f"deployment/{name}", "-n", name_space, f"--timeout={seconds}s", timeout=seconds + 30)
        return "rolled out" if done.returncode == 0 else done.stdout[-200:] + done.stderr[-200:]

    def decisions(self, name, verb="create", name_space="shop", seconds=10):
        """plimsoll's audit annotations of the newest such event: {key: value}."""
        prefix = "workloads.plimsoll.dev/"
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for event in reversed(self.node.audit_events()):
                about = event.get("objectRef", {})
                if about.get("name") == name and about.get("namespace") == name_space and event["verb"] == verb:
                    found = event.get("annotations", {})
                    return {key.rpartition("/")[2]: value for key, value in found.items() if key.startswith(prefix) or f".{prefix}" in key}
            time.sleep(0.2)
        return {}

    def running(self, component="serve"):
        return [pod for pod in self.node.pods(OWN, f"app.kubernetes.io/component={component}") if is_running(pod)]

    def metric(self, name, component="serve", having=""):
        """The sum over replicas, of lines whose name and labels begin so, and that have this in them."""
        total = 0.0
        for pod in self.running(component):
            text = self.fetch(pod, "/metrics")
            total += sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
                         if line.startswith(f"plimsoll_{name}") and having in line)
        return total

    @staticmethod
    def fetch(pod, path, port=8080):
        done = subprocess.run(["curl", "-s", "-m", "5", f"http://{pod['status']['podIP']}:{port}{path}"], capture_output=True, text=True)
        return done.stdout

    def logs(self, component="serve"):
        done = self.node.kubectl("logs", "-n", OWN, "-l", f"app.kubernetes.io/component={component}", "--tail=-1")
        lines = []
        for line in done.stdout.splitlines():
            with contextlib.suppress(ValueError):
                lines.append(json.loads(line))
        return lines


HEADERS = {"Authorization": f"Bearer {ADMIN}", "Content-Type": "application/json"}


def message_of(body):
    with contextlib.suppress(ValueError, AttributeError):
        return json.loads(body).get("message", "")
    return body


class Load:
    """Dry-run creations from several clients, each on a connection that it keeps, until told to end: each answer is counted by what it was."""

    def __init__(self, stage, name_space, thing, clients=4, pause=0.0):
        self.stage, self.name_space, self.thing, self.pause = stage, name_space, thing, pause
        self.path = f"/apis/apps/v1/namespaces/{name_space}/deployments?dryRun=All"
        self.ended, self.answers, self.moments = threading.Event(), {}, []  # moments: (when, kind) of each answer
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self._run, args=(number,), daemon=True) for number in range(clients)]

    def _run(self, number):
        connection, count = self.stage.node.connection(), 0
        while not self.ended.is_set():
            count += 1
            kind = self._ask(connection, f"{self.thing['metadata']['name']}-{number}-{count}")
            with self.lock:
                self.answers[kind] = self.answers.get(kind, 0) + 1
                self.moments.append((time.monotonic(), kind))
            if self.pause:
                time.sleep(self.pause)
        connection.close()

    def _ask(self, connection, name):
        """A connection that failed is closed: the next request opens it again."""
        thing = {**self.thing, "metadata": {**self.thing["metadata"], "name": name}}
        try:
            connection.request("POST", self.path, json.dumps(thing), HEADERS)
            answer = connection.getresponse()
            body = answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            return type(error).__name__
        if 200 <= answer.status < 300:
            return "admitted"
        return "denied" if "denied the request" in body and "deny " in body else f"{answer.status}: {message_of(body)[:160]}"

    def total(self):
        with self.lock:
            return sum(self.answers.values())

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        for thread in self.threads:
            thread.join(30)
