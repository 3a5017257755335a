"""Calls counted on three sides: by the clients, by the API server, and by plimsoll, with replicas that end meanwhile."""
import contextlib
import http.client
import re
import threading
import time
import urllib.request

from control_plane import Status
from stage import OWN, Load, bad_container, deployment

CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
ENTRY = "workloads.plimsoll.dev"
CLOSED, OPEN = "shop", "market"  # namespaces with Fail and with Ignore
SERVE = "app.kubernetes.io/component=serve"
PERIOD = 0.4  # seconds: a replica that is told to end answers for 10
PAUSE = 0.03  # seconds between two calls of a client: two cores have to do the rest, too


def make_namespaces(stage):
    for name in (CLOSED, OPEN):
        stage.namespace(name)


def leave(stage):
    """Returns what a group ends with."""
    stage.uninstall()
    stage.forget()
    stage.node.kubectl("delete", "namespace", OPEN, "--wait=false")
    return f"{len(stage.node.get(CONFIGURATIONS)['items'])} webhook configurations"


def labels_of(line):
    return dict(re.findall(r'(\w+)="([^"]*)"', line))


def value_of(line):
    return float(line.rsplit(" ", 1)[1])


def api_server_counts(node):
    """What became of calls of plimsoll's entries for workloads, since the API server started."""
    counts = {"refused": 0, "not called": 0, "failed open": 0}
    for line in node.request("GET", "/metrics").splitlines():
        if not line.startswith("apiserver_admission_webhook_") or not labels_of(line).get("name", "").endswith(ENTRY):
            continue
        if line.startswith("apiserver_admission_webhook_fail_open_count"):
            counts["failed open"] += int(value_of(line))
        elif line.startswith("apiserver_admission_webhook_rejection_count"):
            counts["refused" if labels_of(line)["error_type"] == "no_error" else "not called"] += int(value_of(line))
    return counts


class ReplicaCounts:
    """Denials of dry runs that replicas have counted while the `with` block ran; each is read again and again, until it has gone."""

    def __init__(self, stage):
        self.stage, self.begun, self.last, self.before = stage, {}, {}, {}
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _read(self, is_first=False):
        with contextlib.suppress(OSError, Status, http.client.HTTPException):
            for pod in self.stage.node.pods(OWN, SERVE):
                self._read_pod(pod["metadata"]["uid"], pod["status"].get("podIP"), is_first)

    def _read_pod(self, uid, address, is_first):
        if not address:
            return
        try:
            with urllib.request.urlopen(f"http://{address}:8080/metrics", timeout=2) as answer:
                text = answer.read().decode()
        except (OSError, http.client.HTTPException):
            return
        count = sum(value_of(line) for line in text.splitlines() if line.startswith("plimsoll_reviews_total{")
                    and labels_of(line)["result"] == "deny" and labels_of(line)["dry_run"] == "true")
        if is_first:
            self.begun[uid] = count
        if count < self.last.get(uid, 0):  # a container that was started again begins at 0
            self.before[uid] = self.before.get(uid, 0) + self.last[uid]
        self.last[uid] = count

    def _run(self):
        while not self.ended.wait(PERIOD):
            self._read()

    def __enter__(self):
        self._read(is_first=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join(30)
        self._read()

    def total(self):
        return int(sum(self.last.values()) + sum(self.before.values()) - sum(self.begun.values()))


class Traffic:
    """Clients that go on creating what must be refused, in a namespace with Fail and in one with Ignore, while the `with` block runs."""

    def __init__(self, stage, fail=CLOSED, ignore=OPEN, clients=2, pause=PAUSE):
        self.stage, self.replicas = stage, ReplicaCounts(stage)
        self.loads = {policy: Load(stage, name, deployment("loaded", bad_container()), clients, pause)
                      for policy, name in (("Fail", fail), ("Ignore", ignore)) if name}

    def __enter__(self):
        self.api_before, self.began = api_server_counts(self.stage.node), time.monotonic()
        self.stack = contextlib.ExitStack()
        for one in (self.replicas, *self.loads.values()):
            self.stack.enter_context(one)
        return self

    def __exit__(self, *_):
        self.stack.close()
        self.seconds = time.monotonic() - self.began
        after = api_server_counts(self.stage.node)
        self.api = {key: after[key] - before for key, before in self.api_before.items()}

    def total(self):
        return sum(load.total() for load in self.loads.values())

    def missed(self, policy):
        """Calls without a verdict: (how many, seconds from the first to the last, what was seen instead)."""
        moments = [(when, kind) for when, kind in self.loads[policy].moments if kind != "denied"]
        span = max(when for when, _ in moments) - min(when for when, _ in moments) if moments else 0.0
        return len(moments), span, sorted({kind for _, kind in moments})

    def figures(self, what):
        calls = "; ".join(f"{policy}: {load.total():,} calls, {self.missed(policy)[0]} without a verdict"
                          for policy, load in self.loads.items())
        print(f"   {what}, {self.seconds:.0f} s: {calls}; refusals counted by clients {self.denied():,}, "
              f"by the API server {self.api['refused']:,}, by plimsoll {self.replicas.total():,}", flush=True)

    def denied(self):
        return sum(load.answers.get("denied", 0) for load in self.loads.values())

    def verdict(self, others=0):
        """"all refused by plimsoll, counted alike", or what was not so. `others`: refusals that somebody else got meanwhile."""
        wrong = {policy: self.missed(policy) for policy in self.loads if self.missed(policy)[0]}
        counts = {"clients": self.denied() + others, "API server": self.api["refused"], "plimsoll": self.replicas.total()}
        if wrong or self.api["not called"] or self.api["failed open"] or len(set(counts.values())) != 1 or not self.denied():
            return f"{wrong} {counts} {self.api}"
        return "all refused by plimsoll, counted alike"
