#!/usr/bin/env python3
"""What reviews hold: objects as they should be, as they should not, and both bomb shapes."""

import json
import os
import subprocess
import sys
import threading
import time

from harness import Server, UID, check_rows, container, deployment, pod, review, summary

LATEST = container("nginx")
MEMORY_LIMIT = 256  # MiB, of the pod
SECRET = "hunter2-very-secret"
POLICY = """
apiVersion: plimsoll.dev/v1alpha1
kind: HygienePolicy
metadata: {name: strict}
spec:
  rules:
    image-reference: {action: enforce}
    image-tag: {action: enforce}
    liveness-probe: {action: enforce}
    secret-env: {action: enforce}
"""


class Rows:
    def __init__(self, server, lenient, audit):
        self.server, self.lenient, self.audit = server, lenient, audit

    def verdict(self, made, server=None):
        return summary((server or self.server).ask(made))

    def text(self, body, server=None):
        """A body as text, as it stands; the HTTP status, or the verdict."""
        status, _, answer = (server or self.server).post(body)
        return summary(json.loads(answer)["response"]) if status == 200 else f"HTTP {status}"

    def with_object(self, text):
        """A review of a pod whose object is this text."""
        return json.dumps(review(pod())).replace(json.dumps(pod()), text, 1).encode()

    def image(self, image):
        response = self.server.ask(review(pod(container(image))))
        rules = {cause["reason"] for cause in response.get("status", {}).get("details", {}).get("causes", [])}
        return ", ".join(sorted(rules)) or "allow"

    def message(self, made):
        return self.server.ask(made)["status"]["message"]

    def many_findings(self):
        response = self.server.ask(review(pod(*[container("nginx", name=f"c{number}") for number in range(300)])))
        status = response["status"]
        fine = (len(status["message"].encode()) <= 4096 and len(status["details"]["causes"]) <= 32
                and "more findings" in status["message"] and len(response.get("warnings", [])) <= 10)
        return "within the limits" if fine else f"{len(status['message'])} {len(status['details']['causes'])}"

    def repeated(self):
        made = review(deployment(LATEST))
        return "the same" if self.server.ask(made) == self.server.ask(made) else "different"

    def large_lane(self):
        """Updates of 8 MB in a loop, and ordinary reviews beside them."""
        big = deployment(container(env=[{"name": "BIG", "value": "<" * 4_000_000}]))
        body = json.dumps(review(big, "UPDATE", big)).encode()
        stop, failures, large = threading.Event(), [], [0]

        def load():
            while not stop.is_set():
                status = self.server.post(body)[0]
                large[0] += status in (200, 503)
                if status not in (200, 503):
                    failures.append(status)

        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()
        slowest = 0.0
        for _ in range(60):
            began = time.monotonic()
            if self.server.post(json.dumps(review(deployment())).encode(), query="?timeout=5s")[0] != 200:
                failures.append("ordinary")
            slowest = max(slowest, time.monotonic() - began)
        stop.set()
        for thread in threads:
            thread.join()
        return "answered before the deadline" if not failures and slowest < 4 and large[0] else f"{failures} {slowest} {large}"

    def bomb(self, shape):
        """32 MiB of one shape; the answer, and what the process had in memory at most."""
        head = json.dumps(review(pod(), uid=UID)).encode()
        start, end = head.split(json.dumps(pod()).encode())
        unit = {"tiny": b"1,", "objects": b"{},", "containers": b'{"name":"c","image":"registry.example/nginx:1.2.3","livenessProbe":{"httpGet":{"port":80}}},',
                "env": b'{"name":"A","value":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"},'}[shape]
        fill = unit * (((32 << 20) - 4096) // len(unit))
        inner = {"tiny": b'{"kind":"Pod","x":[%s1]}', "objects": b'{"kind":"Pod","spec":{"containers":[%s{}]}}',
                 "containers": b'{"kind":"Pod","spec":{"containers":[%s{}]}}',
                 "env": b'{"kind":"Pod","spec":{"containers":[{"image":"a:1","env":[%s{}]}]}}'}[shape] % fill
        status, _, answer = self.server.post(start + inner + end)
        if status != 200:
            return f"HTTP {status}"
        response = json.loads(answer)["response"]
        why = "budget" if "memory" in response["status"]["message"] else "count"
        return f"{summary(response)}, {why}"

    def peak(self):
        peak = self.server.peak_memory()
        print(f"peak memory: {peak:.0f} MiB of {MEMORY_LIMIT}")
        return "below the pod's limit" if peak < MEMORY_LIMIT else f"{peak:.0f} MiB"

    def curl(self):
        """The way of the documentation: curl with the certificate."""
        done = subprocess.run(
            ["curl", "-sS", "--fail", "--cacert", str(self.server.certificate), "-H", "Content-Type: application/json",
             "--data-binary", "@-", f"https://127.0.0.1:{self.server.port}/validate?timeout=10s"],
            input=json.dumps(review(deployment(LATEST))).encode(), capture_output=True, check=True)
        return summary(json.loads(done.stdout)["response"])

    def unsaid(self):
        """Nothing of a request in the metrics, no secret anywhere."""
        name = "a-name-that-nobody-else-has"
        made = review(deployment(container("nginx", env=[{"name": "DB_PASSWORD", "value": SECRET}]), name=name),
                      user="somebody-special")
        answer = json.dumps(self.server.ask(made))
        time.sleep(0.3)
        metrics, log = self.server.get("/metrics")[1], self.server.log_path.read_text()
        said = [text for text in (name, "somebody-special", SECRET, "shop") if text in metrics]
        said += [f"{SECRET} in the {where}" for where, text in (("log", log), ("answer", answer)) if SECRET in text]
        return "nothing" if not said and name in log else str(said)


def rows_of(r):
    update = lambda new, old, **more: r.verdict(review(new, "UPDATE", old, **more))
    deleting = {"deletionTimestamp": "2026-11-23T00:00:00Z"}
    annotated = pod(LATEST, annotations={"kubernetes.io/config.mirror": "x"}, spec={"nodeName": "node1"})
    owned = pod(LATEST, ownerReferences=[{"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "kube-proxy", "uid": "1", "controller": True}])
    controller = "system:serviceaccount:kube-system:replicaset-controller"
    ephemeral = pod(spec={"ephemeralContainers": [container("busybox", name="debug", probe=False)]})
    rows = [
        (42, "an object 900 levels deep", "allow", lambda: r.text(r.with_object('{"kind":"Pod","x":' + "[" * 900 + "]" * 900 + "}"))),
        (42, "an object 10,000 levels deep", "deny 413", lambda: r.text(r.with_object('{"kind":"Pod","x":' + "[" * 10000 + "]" * 10000 + "}"))),
        (42, "the same with --on-limit allow", "allow + warning", lambda: r.text(r.with_object('{"kind":"Pod","x":' + "[" * 10000 + "]" * 10000 + "}"), r.lenient)),
        (42, "the same in audit mode", "allow + warning", lambda: r.text(r.with_object('{"kind":"Pod","x":' + "[" * 10000 + "]" * 10000 + "}"), r.audit)),
        (43, "1,025 containers", "deny 413", lambda: r.verdict(review(pod(*[container()] * 1025)))),
        (43, "an array of 1,000,000 elements that nobody reads", "allow", lambda: r.text(r.with_object('{"kind":"Pod","x":[' + "1," * 999_999 + "1]}"))),
        (43, "100,000 variables", "deny 413", lambda: r.verdict(review(pod(container(env=[{"name": "A"}] * 100_000))))),
        (44, "repeated keys in the object: the last one wins", "deny 403", lambda: r.text(r.with_object('{"kind":"Pod","spec":{"containers":[{"image":"a:1"}],"containers":[{"image":"a"}]}}'))),
        (44, "two uids", "HTTP 400", lambda: r.text(json.dumps(review(pod())).replace('"uid"', '"uid": "x", "uid"', 1).encode())),
        (44, "two requests", "HTTP 400", lambda: r.text(json.dumps(review(pod())).replace('"request"', '"request": {}, "request"', 1).encode())),
        (45, "keys in other case", "allow", lambda: r.text(r.with_object('{"kind":"Pod","Spec":{"Containers":[{"Image":"a"}]}}'))),
        (46, "bytes that are not UTF-8", "HTTP 400", lambda: r.text(r.with_object('{"kind":"Pod","x":"@@"}').replace(b"@@", b"\xff\xfe"))),
        (46, "an overlong form", "HTTP 400", lambda: r.text(r.with_object('{"kind":"Pod","x":"@@"}').replace(b"@@", b"\xc0\xaf"))),
        (46, "a lone surrogate", "HTTP 400", lambda: r.text(r.with_object(r'{"kind":"Pod","x":"\ud800"}'))),
        (47, "control and bidi characters in a name and an image", True, lambda: "\u202e" not in r.message(review(pod(container("a\u0007\u202eb", name="x\u202e\n"))))),
        (48, "1e400", "deny 400", lambda: r.text(r.with_object('{"kind":"Pod","x":1e400}'))),
        (48, "2^64", "deny 400", lambda: r.text(r.with_object('{"kind":"Pod","x":18446744073709551616}'))),
        (48, "-0 and 2.0 where whole numbers belong", "allow", lambda: r.text(r.with_object('{"kind":"Pod","spec":{"containers":[{"image":"a:1","livenessProbe":{"exec":{},"periodSeconds":2.0,"initialDelaySeconds":-0}}]}}'))),
        (48, "2.5 where a whole number belongs", "deny 400", lambda: r.text(r.with_object('{"kind":"Pod","spec":{"containers":[{"image":"a:1","livenessProbe":{"exec":{},"periodSeconds":2.5}}]}}'))),
        (49, "no object on CREATE", "deny 400", lambda: r.verdict(review(None, kind="Pod"))),
        (49, "no object on UPDATE", "deny 400", lambda: r.verdict(review(None, "UPDATE", pod(), kind="Pod"))),
        (49, "the same with --malformed allow", "allow + warning", lambda: r.verdict(review(None, kind="Pod"), r.lenient)),
        (49, "the same in audit mode", "allow + warning", lambda: r.verdict(review(None, kind="Pod"), r.audit)),
        (50, "an object of another kind", "deny 400", lambda: r.verdict(review(deployment(), kind="Pod"))),
        (51, "UPDATE without an old object", "deny 403", lambda: update(pod(LATEST), None)),
        (51, "UPDATE with an old object that is a number: said, and all findings are new", True, lambda: "before could not be read" in str(r.server.ask(review(pod(LATEST), "UPDATE", 5))["warnings"])),
        (52, "no spec", "allow", lambda: r.verdict(review({"apiVersion": "v1", "kind": "Pod"}))),
        (52, "no containers", "allow", lambda: r.verdict(review({"apiVersion": "v1", "kind": "Pod", "spec": {}}))),
        (52, "containers of the wrong type", "deny 400", lambda: r.verdict(review({"apiVersion": "v1", "kind": "Pod", "spec": {"containers": "x"}}))),
        (53, "DELETE", "allow", lambda: r.verdict(review(None, "DELETE", pod(LATEST)))),
        (53, "CONNECT", "allow", lambda: r.verdict(review({"kind": "PodExecOptions", "apiVersion": "v1"}, "CONNECT", kind="PodExecOptions", subResource="exec"))),
        (54, "an unknown operation", "allow", lambda: r.verdict(review(pod(LATEST), "OTHER"))),
        (55, "a kind that is not known", "allow + warning", lambda: r.verdict(review({"apiVersion": "example.com/v1", "kind": "Widget"}))),
        (55, "a core Service is not a Knative Service", "allow + warning", lambda: r.verdict(review({"apiVersion": "v1", "kind": "Service", "spec": {"template": {"spec": {"containers": [LATEST]}}}}))),
        (57, "an image volume without a reference, in a template", "allow", lambda: r.verdict(review(pod(spec={"volumes": [{"name": "v", "image": {"reference": ""}}]})))),
        (57, "an image volume with a mutable tag", "deny 403", lambda: r.verdict(review(pod(spec={"volumes": [{"name": "v", "image": {"reference": "a/b:latest"}}]})))),
        (58, "an ephemeral container without a tag", "deny 403", lambda: update(ephemeral, pod(), subResource="ephemeralcontainers")),
        (59, "a sidecar without probes", "allow", lambda: r.verdict(review(pod(spec={"initContainers": [container(name="s", probe=False, restartPolicy="Always")]})))),
        (60, "a probe that is null", "deny 403", lambda: r.verdict(review(pod(container(probe=False, livenessProbe=None))))),
        (60, "a probe that is empty", "deny 403", lambda: r.verdict(review(pod(container(probe=False, livenessProbe={}))))),
        (61, "the annotation of a mirror pod, from an ordinary user", "deny 403", lambda: r.verdict(review(annotated))),
        (62, "a forged owner", "deny 403", lambda: r.verdict(review(owned))),
        (62, "what a controller creates was judged before", "allow + warning", lambda: r.verdict(review(pod(LATEST), user=controller))),
        (63, "the last finaliser of a bad object goes", "allow + warning", lambda: update(pod(LATEST, finalizers=[], **deleting), pod(LATEST, finalizers=["a/b"], **deleting))),
        (64, "the image changes while the object is being deleted", "deny 403", lambda: update(pod(LATEST, **deleting), pod(**deleting))),
        (65, "dry run", "deny 403", lambda: r.verdict(review(pod(LATEST), dryRun=True))),
        (66, "generateName, no name", "deny 403", lambda: r.verdict(review({"apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "web-"}, "spec": {"containers": [LATEST]}}, name=""))),
        (67, "the same uid again", "the same", r.repeated),
        (68, "300 containers with findings", "within the limits", r.many_findings),
        (117, "the review of an object that storage refused, once more without managedFields", "deny 403", lambda: r.verdict(review(pod(LATEST, managedFields=[{"manager": "x"}])))),
        ("", "curl with the server's certificate", "deny 403", r.curl),
        ("", "metrics, log and answers: what they must not tell", "nothing", r.unsaid),
    ]
    for subresource in ("scale", "status", "eviction", "binding", "resize"):
        rows.append((53, f"the subresource {subresource}", "deny 403" if subresource == "resize" else "allow", lambda s=subresource: update({"kind": "Scale", "apiVersion": "autoscaling/v1"} if s == "scale" else pod(LATEST), None, kind="Pod", subResource=s)))
    reference = [
        ("", "allow"), (" nginx:1 ", "image-reference"), ("nginx:1\n", "image-reference"), ("Not A Ref@@!", "image-reference"),
        ("a" * 5120 + ":1", "image-reference"), ("example.com/App:1", "image-reference"), ("a:latest@sha256:" + "0" * 64, "allow"),
        ("a@sha256:abc", "image-reference"), ("example.com:5000/app", "image-tag"), ("localhost:5000", "allow"), ("[::1]:5000/app:1", "allow"),
        ("docker.io/ubuntu", "image-tag"), ("ubuntu:22.04", "allow"), ("nginx:", "image-reference"),
    ]
    for image, expected in reference:
        shown = image if len(image) < 40 else image[:20] + "..."
        rows.append((56, f"the image {shown!r}", expected, lambda image=image: r.image(image)))
    return [(number, what, str(expected), see) for number, what, expected, see in rows]


def main():
    with Server(policy=POLICY) as server, Server("--malformed", "allow", "--on-limit", "allow", policy=POLICY) as lenient, \
            Server(mode="audit", policy=POLICY) as audit:
        rows = Rows(server, lenient, audit)
        code = check_rows("Objects", rows_of(rows), workers=8)
        heavy = [
            (17, "a bomb of tiny values, 32 MiB", "deny 413, budget", lambda: rows.bomb("tiny")),
            (17, "a bomb of empty objects", "deny 413, budget", lambda: rows.bomb("objects")),
            (43, "a bomb shaped like containers", "deny 413, count", lambda: rows.bomb("containers")),
            (43, "a bomb of variables", "deny 413, count", lambda: rows.bomb("env")),
            (116, "updates of 8 MB in a loop, ordinary reviews beside them", "answered before the deadline", rows.large_lane),
        ]
        if os.environ.get("PLIMSOLL_SANITIZED") == "1":
            print("not measured in this build, because a sanitizer multiplies it: memory after all of it")
        else:
            heavy.append(("", "memory after all of it", "below the pod's limit", rows.peak))
        code |= check_rows("Weight", heavy, workers=1)
        if server.metric("plimsoll_internal_failures_total") or server.metric("plimsoll_body_budget_used_bytes"):
            print("internal failures, or budget that was not given back")
            code = 1
    return code


if __name__ == "__main__":
    sys.exit(main())
