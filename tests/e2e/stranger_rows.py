"""The second part of group 10: a pod that calls the webhook directly, what it learns, and what it cannot break."""
import concurrent.futures
import json
import pathlib
import random
import re
import shutil
import threading

import weight_rows
from direct import Caller, verdict_of
from harness import review
from sandbox import CGROUPS
from stage import OWN, bad_container, container, deployment, pod_spec, values

REGISTRY = "10.250.0.1:5001"
PRIVATE = f"{REGISTRY}/team/private:1.0.0"
MARKER = "zanzibar"  # in everything that policies say and findings do not
MARKED = {"match": {"names": [f"{MARKER}-*"]}, "exclude": [{"namespaces": [f"{MARKER}-space"]}],
          "rules": {"image-registry": {"action": "enforce", "allow": [f"{MARKER}.example/*"]}},
          "exceptions": [{"rules": ["image-registry"], "match": {"names": [f"{MARKER}-old"]}, "owner": f"{MARKER}-owner",
                          "reason": f"{MARKER}-reason", "expires": "2099-01-31"}]}
SIZED = {"match": {"images": [f"{REGISTRY}/*"]}, "rules": {"image-size": {"action": "enforce", "maximum": "1Ki"}}}
CONTAINERS = (b'{"name":"a","image":"b"},', b'{"kind":"Pod","spec":{"containers":[%s{"name":"a","image":"b"}]}}')
SHAPES = {**weight_rows.SHAPES, "containers": CONTAINERS}
LIMIT = 256 << 20


def bomb(shape, budget=weight_rows.BUDGET):
    """As many units as the budget, and the largest body, allow."""
    unit, around = SHAPES[shape]
    count = min((budget - 65536) // weight_rows.cost(unit), ((32 << 20) - 4096) // len(unit))
    head, tail = json.dumps(review("HERE")).encode().split(b'"HERE"')
    return head + around % (unit * count) + tail


class Watched:
    """The largest working set of each serving container while the `with` block runs."""

    def __init__(self, node):
        self.node, self.ended = node, threading.Event()
        self.containers = node.container_ids(OWN, "app.kubernetes.io/component=serve")
        self.most = dict.fromkeys(self.containers, 0)
        self.thread = threading.Thread(target=self._look, daemon=True)

    def _look(self):
        while not self.ended.wait(0.1):
            for container_id in self.containers:
                try:
                    self.most[container_id] = max(self.most[container_id], self.node.working_set_bytes(container_id))
                except (OSError, RuntimeError):  # it has ended: counted as a restart
                    return

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join(10)


class Stranger:
    def __init__(self, stage):
        self.stage, self.node, self.caller = stage, stage.node, None

    def installed(self):
        """With a registry that wants a password, a pull secret for it in `shop`, and a pod of a stranger."""
        node, registry = self.node, self.node.registry("basic")
        for name in ("stranger", OWN):
            self.stage.namespace(name)
        node.push_image(self.stage.archives[0], PRIVATE)
        for name_space in ("shop", "stranger"):
            if not self.stage.exists(f"/api/v1/namespaces/{name_space}/secrets/pull"):
                node.pull_secret(name_space, "pull", REGISTRY)
        node.create(f"/api/v1/namespaces/{OWN}/configmaps", {
            "metadata": {"name": "authorities"}, "data": {"ca.crt": pathlib.Path(registry.authority.ca).read_text()}})
        given = values("enforce", registries={
            "pullSecretNamespaces": ["shop"], "authoritiesConfigMap": "authorities",
            "config": {"registries": [{"host": REGISTRY, "private": True, "ca": "/etc/plimsoll/authorities/ca.crt"}]}})
        given["policies"]["documents"] |= {f"{MARKER}-policy": MARKED, "sized": SIZED}
        self.stage.install(given)
        self.settle()
        return f"{len(self.stage.running())} serve, {len(self.stage.running('controller'))} controllers"

    def settle(self):
        """The pod from whose network everything here is asked."""
        node = self.node
        node.kubectl("delete", "pod", "curious", "-n", "stranger", "--ignore-not-found", "--grace-period=0", "--force")
        thing = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "curious", "labels": {"app": "curious"}}, "spec": pod_spec()}
        if (said := self.stage.verdict(thing, "stranger")) != "admitted":
            raise AssertionError(said)
        node.wait_until(lambda: node.pods("stranger", "app=curious", running=True), 60, "the stranger's pod runs")
        self.caller = Caller(self.stage, node.process_of(node.container_ids("stranger", "app=curious")[0]))
        self.caller.trust()

    def pod(self):
        return self.stage.running()[0]

    def restarts(self):
        return sum(status["restartCount"] for pod in self.node.pods(OWN, "app.kubernetes.io/component=serve")
                   for status in pod["status"]["containerStatuses"])

    # What it learns.

    def reviews(self):
        """Reviews of many sorts that it writes itself; the answers as text."""
        bad = deployment("mine", bad_container())
        things = [("shop", bad), ("kube-system", bad), (OWN, deployment("mine")), ("nowhere", bad),
                  ("stranger", deployment("mine", container("localhost/team/app")))]
        return [self.caller.ask(self.pod(), thing, name_space, user="system:admin") for name_space, thing in things]

    def verdicts(self):
        answers = self.reviews()
        said = "says" if MARKER in json.dumps(answers) else "never says"
        return f"{verdict_of(answers[0])}; {said} what no finding is about"

    def private_image(self):
        """The size of an image that `shop` may read: told to a pod of `shop`, not to one of `stranger`, which may not, even afterwards."""
        def asked(name_space, secrets):
            thing = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": name_space},
                     "spec": {"containers": [container(PRIVATE)], "imagePullSecrets": [{"name": name} for name in secrets]}}
            return self.caller.ask(self.pod(), thing, name_space)
        read = asked("shop", ["pull"])
        size = re.search(r"\d+(\.\d+)? [KM]i?B?\b", read["status"]["message"]).group()
        others = [asked("stranger", []), asked("stranger", ["pull"]), asked("stranger", ["../../shop/secrets/pull"])]
        print(f"       {size}", flush=True)
        return f"shop: {verdict_of(read)}; stranger: {', '.join(self.told_of(other, size) for other in others)}"

    @staticmethod
    def told_of(response, size):
        text = json.dumps(response)
        return "its size" if size in text else "unauthorized" if "asks for credentials" in text or "unauthorized" in text else text

    def no_secrets(self):
        """Nothing of a token, a key, a password in any answer, on any port."""
        texts = [json.dumps(self.reviews())]
        texts += [self.caller.get(self.pod(), path)[1] for path in ("/", "/validate")]
        texts += [self.health(path)[1] for path in ("/livez", "/readyz", "/metrics")]
        found = [word for word in ("PRIVATE KEY", "eyJ", "s3cret", "password", MARKER) if any(word in text for text in texts)]
        return ", ".join(found) or "none"

    def health(self, path):
        return self.caller.curl(self.pod()["status"]["podIP"], f"http://{self.pod()['status']['podIP']}:8080{path}")

    def paths(self):
        web = [self.caller.get(self.pod(), path)[0] for path in ("/", "/metrics", "/readyz", "/validate/", "/.git/config", "/validate")]
        return f"{web}; health {[self.health(path)[0] for path in ('/', '/validate', '/debug/pprof/', '/readyz')]}"

    def metrics(self):
        """Names of the objects, namespaces, images and users that were in reviews just now."""
        thing = deployment("secretive-name", container("registry.secretive.example/secretive-image:1"))
        self.caller.ask(self.pod(), thing, "secretive-space", user="secretive-user")
        text = self.health("/metrics")[1]
        found = [word for word in ("secretive", "shop", "stranger", "localhost/team", "system:", "tested", MARKER) if word in text]
        return f"{'figures' if 'plimsoll_reviews_total' in text else 'none'}; names: {', '.join(found) or 'none'}"

    # What it cannot break.

    def garbage(self):
        """No body, noise, half a review, brackets, another type, another method, a long head; beyond the limit without and with a uid."""
        pod, whole = self.pod(), json.dumps(review(deployment("mine"))).encode()
        sent = [(b"",), (random.Random(1).randbytes(100_000),), (whole[:-40],), (b"[" * 100_000,),
                (whole, "-H", "Content-Type: text/plain"), (whole, "-X", "PUT"), (whole, "-H", f"X: {'x' * 70_000}"),
                (b"x" * (33 << 20),), (whole[:-1] + b" " * (33 << 20) + b"}",)]
        seen = [self.caller.post(pod, *one) for one in sent]
        codes = [code for code, _ in seen]
        limit = json.loads(seen[-1][1])["response"]["status"]["code"] if codes[-1] == 200 else None
        return f"{codes}, the last a verdict {limit}; then {self.caller.verdict(pod, deployment('mine'))}"

    def bombs(self, shape):
        """One that just keeps the budget and one of 32 MiB, to each replica alone, then eight at once."""
        sent = [(pod, body) for body in (bomb(shape), bomb(shape, 1 << 40)) for pod in self.stage.running()]

        def post(pod, body):
            return self.caller.post(pod, body, query="?timeout=30s", timeout=90)[0]
        with Watched(self.node) as watched, concurrent.futures.ThreadPoolExecutor(8) as pool:
            alone = [post(*one) for one in sent]
            at_once = list(pool.map(post, *zip(*sent, *sent)))
        most, other = max(watched.most.values()), [code for code in at_once if code not in (200, 503)]
        sizes = " and ".join(str(len(body) >> 20) for _, body in sent[::2])
        print(f"       {shape}: {sizes} MiB, {at_once.count(200)} of 8 judged, working set at most {most >> 20} MiB", flush=True)
        return (f"{alone}, {other or 'judged or shed'}; {'below 256 MiB' if 0 < most < LIMIT else f'{most >> 20} MiB'}; "
                f"restarts {self.restarts()}")

    def alive(self):
        most = max(self.node.resident_bytes(one)[1] for one in self.node.container_ids(OWN, "app.kubernetes.io/component=serve"))
        print(f"       resident at most {most >> 20} MiB", flush=True)
        return self.stage.verdict(deployment("afterwards", bad_container()), "shop", "--dry-run=server")

    def limits(self):
        """The kernel holds the container to the limit that was asked for."""
        held = set()
        for one in self.node.container_ids(OWN, "app.kubernetes.io/component=serve"):
            for line in pathlib.Path(f"/proc/{self.node.process_of(one)}/cgroup").read_text().splitlines():
                _, controllers, path = line.split(":", 2)
                files = [CGROUPS / "memory" / path[1:] / "memory.limit_in_bytes"] if "memory" in controllers.split(",") else []
                files += [CGROUPS / path[1:] / "memory.max"] if controllers == "" else []
                held |= {int(file.read_text()) >> 20 for file in files if file.exists()}
        return f"{', '.join(map(str, held))} MiB"

    def confined(self, component):
        """As the kernel sees the process."""
        seen = set()
        for one in self.node.container_ids(OWN, f"app.kubernetes.io/component={component}"):
            place = pathlib.Path(f"/proc/{self.node.process_of(one)}")
            status = dict(line.split(":\t", 1) for line in (place / "status").read_text().splitlines() if ":\t" in line)
            mounts = [line.split() for line in (place / "mountinfo").read_text().splitlines()]
            root = next(line[5].split(",")[0] for line in mounts if line[4] == "/")
            writable = [line[4] for line in mounts if line[5].split(",")[0] == "rw" and not line[4].startswith(("/proc", "/sys", "/dev"))
                        and self.may_write((place / "root" / line[4].lstrip("/")).stat())]
            uid, gid = ("/".join(dict.fromkeys(status[key].split())) for key in ("Uid", "Gid"))
            seen.add(f"uid {uid}, gid {gid}, root {root}, "
                     f"writable {writable}, capabilities {int(status['CapEff'], 16) | int(status['CapBnd'], 16)}, "
                     f"no new privileges {status['NoNewPrivs']}, seccomp {status['Seccomp']}")
        return " | ".join(seen)

    @staticmethod
    def may_write(file):
        """User and group 65532."""
        own, group = file.st_uid == 65532, file.st_gid == 65532
        return bool(file.st_mode & (0o002 | (0o200 if own else 0) | (0o020 if group else 0)))

    def gone(self):
        """With the release go its rights in other namespaces."""
        before = self.bindings()
        self.stage.uninstall()
        after = self.bindings()
        self.node.kubectl("delete", "namespace", "stranger", "--timeout=90s", timeout=120)
        self.node.kubectl("delete", "secret", "pull", "-n", "shop")
        self.node.registries.pop(REGISTRY).close()
        shutil.rmtree(self.node.directory / "certs.d" / REGISTRY)
        return f"{before} before, {after} after"

    def bindings(self):
        return len(self.node.get("/apis/rbac.authorization.k8s.io/v1/namespaces/shop/rolebindings")["items"])

    def rows(self):
        confined = "uid 65532, gid 65532, root ro, writable [], capabilities 0, no new privileges 1, seccomp 2"
        held = "[200, 200, 200, 200], judged or shed; below 256 MiB; restarts 0"
        return [
            ("10.11", "a stranger's reviews of its own",
             "deny image-tag, liveness-probe, readiness-probe, resources; never says what no finding is about", self.verdicts),
            ("10.12", "an image of a registry that wants a password",
             "shop: deny image-size; stranger: unauthorized, unauthorized, unauthorized", self.private_image),
            ("10.13", "tokens, keys, passwords and policies in what it gets", "none", self.no_secrets),
            ("10.14", "other paths of both ports", "[404, 404, 404, 404, 404, 405]; health [404, 404, 404, 200]", self.paths),
            ("10.15", "/metrics", "figures; names: none", self.metrics),
            ("10.16", "garbage", "[400, 400, 400, 400, 415, 405, 431, 413, 200], the last a verdict 413; then allow", self.garbage),
            ("10.17", "the memory limit of a serving container", "256 MiB", self.limits),
            *((f"10.{18 + number}", f"a bomb of {shape}, within the budget and of 32 MiB, to each replica, then eight at once", held,
               lambda shape=shape: self.bombs(shape)) for number, shape in enumerate(SHAPES)),
            ("10.25", "a review by kubectl afterwards", "refused: image-tag, liveness-probe, readiness-probe, resources", self.alive),
            ("10.26", "a serving process, as the kernel sees it", confined, lambda: self.confined("serve")),
            ("10.27", "a controller, likewise", confined, lambda: self.confined("controller")),
            ("10.28", "role bindings in shop, and helm uninstall", "1 before, 0 after", self.gone),
        ]
