"""Every object of a cluster by name, to see what an uninstall leaves."""
import time

PASSING = ("events", "events.events.k8s.io", "componentstatuses", "podmetrics.metrics.k8s.io", "nodemetrics.metrics.k8s.io")
LINE = (r'{range .items[*]}{.kind} {.metadata.namespace}/{.metadata.name}'
        r'{" "}{.metadata.labels.app\.kubernetes\.io/instance}{"\n"}{end}')


class Leftovers:
    """What is there that was not there at the beginning."""

    def __init__(self, node):
        self.node, self.before = node, set()
        while not self.is_settled():
            time.sleep(3)

    def is_settled(self):
        """A cluster that has just started makes accounts and its node's Lease for some seconds."""
        seen, last = set(self.objects()), self.before
        self.before = seen
        return seen == last and any(name.startswith("Lease kube-node-lease/") for name in seen)

    def objects(self):
        """{"Kind namespace/name": value of its label app.kubernetes.io/instance}, of all resources that can be listed, but Events."""
        listed = self.node.kubectl("api-resources", "--verbs=list", "-o", "name").stdout.split()
        kinds = ",".join(kind for kind in listed if kind not in PASSING)
        done = self.node.kubectl("get", kinds, "-A", "-o", f"jsonpath={LINE}", timeout=120)
        found = {}
        for line in done.stdout.splitlines():
            kind, name, *label = line.split()
            found[f"{kind} {name.lstrip('/')}"] = label[0] if label else ""
        if not found:
            raise AssertionError(f"nothing can be listed: {done.stderr[-500:]}")
        return found

    def new(self):
        return {name: label for name, label in self.objects().items() if name not in self.before}

    def come_to(self, expected, seconds=120):
        """The names of what is new, once they are as expected: pods take some time to end."""
        until = time.monotonic() + seconds
        while (seen := sorted(self.new())) != sorted(expected) and time.monotonic() < until:
            time.sleep(1)
        return ", ".join(seen) or "nothing"
