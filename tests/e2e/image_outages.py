"""Nobody is asked without need; and a registry that is stopped, hangs, and comes back."""
import contextlib
import os
import signal
import time

from stage import OWN, Load

EXCESS = "refused: image-layers, image-size"
DEADLINE = 10  # seconds that the API server waits: webhook.timeoutSeconds of the chart


class Outages:
    def __init__(self, images):
        self.images, self.stage, self.node = images, images.stage, images.stage.node

    # Who is asked.

    def updates(self):
        """By servers that know no image yet. Images are on the node: it pulls nothing either."""
        mark, name = self.images.open.mark(), "deployment/light"
        before = self.stage.metric("registry_requests_total")
        said = {self.images.does(*arguments) for arguments in (
            ("label", name, "team=a"), ("annotate", name, "note=b"), ("scale", name, "--replicas=2"), ("set", "env", name, "COLOUR=blue"),
            ("rollout", "restart", name))}
        rolled = self.stage.rolled_out("light", seconds=90)
        asked = len(self.images.open.requests(mark)), self.stage.metric("registry_requests_total") - before
        return f"{', '.join(sorted(said))}; {rolled}; {asked[0]} requests, {asked[1]:.0f} counted"

    def creation(self):
        """Of the same image, so that what was counted before was not for want of asking."""
        mark = self.images.open.mark()
        said = self.images.judged("light", name="light-too")
        paths = [path for _, path, status in self.images.open.requests(mark) if status == 200]
        return f"{said}; {'asked' if any('/team/light/' in path for path in paths) else paths}"

    def known_to_all(self, label):
        """Each server has looked it up: the API server takes any of them."""
        path = f"/team/{label}/"

        def everywhere():
            return all(path in self.node.pod_logs(OWN, pod["metadata"]["name"]) for pod in self.stage.running())
        with Load(self.stage, "shop", self.images.deployment(label), clients=6, pause=0.1) as load:
            self.node.wait_until(everywhere, 60, f"all servers have looked up {label}")
        return set(load.answers)

    # A registry that is away.

    def stopped(self):
        seen = self.known_to_all("fat"), self.known_to_all("light")
        self.images.open.stop()
        return f"known before: fat {', '.join(seen[0])}, light {', '.join(seen[1])}"

    def known(self):
        return f"{self.images.judged('fat')}; light {self.images.judged('light', name='light-too')}"

    def replaced(self):
        before = {pod["metadata"]["uid"] for pod in self.images.wait_for("light", 2)}
        self.images.kubectl("delete", "pod", "-l", "app=light", "--wait=false")

        def new():
            return len({pod["metadata"]["uid"] for pod in self.images.pods("light")} - before) == 2
        self.node.wait_until(new, 90, "two new ones run")
        return "2 new ones"

    def counted(self):
        """The metric tells why images were not known."""
        return "counted" if self.stage.metric("unknown_images_total", having='reason="connect"') else "not counted"

    def back(self, label):
        began = time.monotonic()
        self.images.open.start()
        self.node.wait_until(lambda: self.images.judged(label) == "admitted", 180, f"{label} is known")
        self.node.wait_until(lambda: self.images.judged(label, name_space="vault") == "admitted", 180, f"{label} is known in vault")
        print(f"registry back: asked again after {time.monotonic() - began:.1f} s", flush=True)
        return "asked again: admitted"

    # A registry that hangs.

    @contextlib.contextmanager
    def hanging(self):
        pid = self.images.open.process.pid
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def hung(self):
        """Whether a verdict of ours comes, which it does not after the API server's deadline, and when."""
        said, took = [], []
        with self.hanging():
            for label, name_space in (("next", "shop"), ("last", "vault")):
                began = time.monotonic()
                said.append(self.images.judged(label, name_space=name_space))
                took.append(time.monotonic() - began)
            known = self.known()
        print(f"registry hangs: answered after {took[0]:.1f} s and {took[1]:.1f} s; the API server waits {DEADLINE} s", flush=True)
        return f"{'; vault '.join(said)}; fat {known}"

    def woken(self):
        self.node.wait_until(lambda: self.images.judged("last") == "admitted", 180, "it is known")
        return "asked again: admitted"

    def rows(self):
        known = f"{EXCESS}; light admitted"
        return [
            ("updates that leave the image as it is, judged by servers that know none",
             "admitted; rolled out; 0 requests, 0 counted", self.updates),
            ("a creation then", "admitted; asked", self.creation),
            ("the registry is stopped", "known before: fat denied, light admitted", self.stopped),
            ("stopped: images that are known", known, self.known),
            ("stopped: an image that is not known", "admitted, 1 warning: connect", lambda: self.images.judged("later")),
            ("stopped: the same where a policy says onUnknown outage deny", "refused: image-exists: connect",
             lambda: self.images.judged("later", name_space="vault")),
            ("stopped: pods of what was admitted are deleted", "2 new ones", self.replaced),
            ("stopped: metrics, by reason connect", "counted", self.counted),
            ("started again", "asked again: admitted", lambda: self.back("later")),
            ("it hangs: images that are not known are judged before the API server's deadline, others as before",
             f"admitted, 1 warning: timeout; vault refused: image-exists: timeout; fat {known}", self.hung),
            ("it goes on", "asked again: admitted", self.woken)]
