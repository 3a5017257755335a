#!/usr/bin/env python3
"""plimsoll asks the API server for a certificate: with the one that is allowed it judges, with any other the call fails as failurePolicy says."""
import contextlib
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from admission_objects import DEPLOYMENT, POLICY, make, make_bad
from admission_stage import JUDGED, OWN, SERVICE_ADDRESS, Stage, denied_by
from authorities import Authority
from control_plane import control_plane_or_end
from harness import PROGRAM, Server, check_rows, wait_until

NAME = "kube-apiserver"
LOOKER = "looker"  # may look at what verify looks at, and create nothing
USERS = {LOOKER: ("token-of-looker", [])}
RIGHTS = [{"apiGroups": ["admissionregistration.k8s.io"], "resources": ["validatingwebhookconfigurations"], "verbs": ["get"]},
          {"apiGroups": [""], "resources": ["services"], "verbs": ["get"]}]
# What the API server shows to each server, by its name -> how the server and the API server put it.
REFUSED = {
    "other-name": ("bad certificate", 'name "kubelet" is not allowed'),
    "other-authority": ("unknown certificate authority", "not trusted: unable to get local issuer certificate"),
    "nothing": ("certificate required", "no certificate"),
}


class Callers(Stage):
    """Servers that ask for a certificate, and an API server that has another one for each of them."""

    def __enter__(self):
        try:
            self.folder = Path(self.ends.enter_context(tempfile.TemporaryDirectory()))
            self.root, self.other = Authority(self.folder, "root"), Authority(self.folder, "other")
            for name in ("right", "service", *REFUSED):
                self.servers[name] = self.start(name)
            self.plane = self.ends.enter_context(control_plane_or_end(USERS, flags=["--admission-control-config-file", self.admission_file()]))
            self.configure_callers()
        except BaseException:
            self.ends.close()
            raise
        return self

    def start(self, name):
        asked = {"--client-ca": self.root.certificate, "--client-name": NAME, "--drain-timeout": "1s"}
        if name == "service":
            certificate, key = self.root.issue("plimsoll", purpose="serverAuth", names=f"DNS:plimsoll.{OWN}.svc")
            asked.update({"--listen": f"{SERVICE_ADDRESS}:0", "--cert": certificate, "--key": key})
        return self.ends.enter_context(Server(*(part for pair in asked.items() for part in pair), policy=POLICY))

    def admission_file(self):
        """As the documentation of Kubernetes has it: a kubeconfig whose users are hosts with their ports."""
        right = self.root.issue(NAME)
        shown = {"right": right, "service": right, "other-name": self.root.issue("kubelet"), "other-authority": self.other.issue(NAME)}
        hosts = {name: f"127.0.0.1:{self.servers[name].port}" for name in shown}
        hosts["service"] = f"plimsoll.{OWN}.svc:{self.servers['service'].port}"
        users = [{"name": hosts[name], "user": {"client-certificate": str(pair[0]), "client-key": str(pair[1])}}
                 for name, pair in shown.items()]
        kubeconfig, configuration = self.folder / "webhooks.kubeconfig", self.folder / "admission.json"
        kubeconfig.write_text(json.dumps({"apiVersion": "v1", "kind": "Config", "users": users}))
        configuration.write_text(json.dumps({
            "apiVersion": "apiserver.config.k8s.io/v1", "kind": "AdmissionConfiguration", "plugins": [
                {"name": "ValidatingAdmissionWebhook", "configuration": {
                    "apiVersion": "apiserver.config.k8s.io/v1", "kind": "WebhookAdmissionConfiguration",
                    "kubeConfigFile": str(kubeconfig)}}]}))
        return configuration

    def configure_callers(self):
        for name in REFUSED:
            for word in ("Fail", "Ignore"):
                self.configure(f"{name}-{word.lower()}", self.servers[name], failure_policy=word)
                self.namespace(f"{name}-{word.lower()}", f"{name}-{word.lower()}")
        port = self.servers["service"].port
        self.namespace(OWN)
        self.plane.create(f"/api/v1/namespaces/{OWN}/services", {
            "metadata": {"name": "plimsoll"}, "spec": {"clusterIP": SERVICE_ADDRESS, "ports": [{"port": port}]}})
        self.configure("service", self.servers["service"], {"namespace": OWN, "name": "plimsoll", "path": "/validate", "port": port},
                       self.root.certificate)
        self.plane.patch("/api/v1/namespaces/default", {"metadata": {"labels": {JUDGED: "service"}}})
        self.configure("right", self.servers["right"])
        for name in ("service", "right"):
            self.wait_in_force(name)
            self.namespace(name, name)
        for name in REFUSED:  # until the last configuration is known, too
            wait_until(lambda name=name: self.post(make_bad(DEPLOYMENT, "try"), f"{name}-fail", dry_run=True).code == 500)
            before = self.refusals(name)
            wait_until(lambda name=name, before=before: self.post(make(DEPLOYMENT, "try"), f"{name}-ignore", dry_run=True).code == 201
                       and self.refusals(name) > before)

    def refusals(self, name):
        return self.servers[name].metric("plimsoll_tls_handshake_errors_total")

    def create(self, namespace, bad=True):
        """What the API server says, and whether it is stored."""
        name = "bad" if bad else "good"
        for _ in range(8):
            answer = self.post((make_bad if bad else make)(DEPLOYMENT, name), namespace)
            # Now and then the API server's client closes while it still writes, and says that in the alert's place.
            if answer.code < 300 or "use of closed network connection" not in answer.message:
                break
        stored = "stored" if self.exists(DEPLOYMENT, namespace, name) else "not stored"
        opened = ", failed open" if self.failed_open(audit_id=answer.audit_id) else ""
        if answer.code < 300:
            return f"admitted, {stored}{opened}"
        rules = denied_by(answer.message)
        alert = re.search(r"failed calling webhook .*remote error: tls: (.*)", answer.message)
        return f"{answer.code} {', '.join(rules) if rules else alert.group(1) if alert else answer.message}, {stored}{opened}"

    def told(self, name):
        """Why the server refused, each reason once; what it judged."""
        lines = [line for line in self.servers[name].log_lines() if line.get("event") == "client refused"]
        return f"{sorted({line['why'] for line in lines})}, {self.servers[name].metric('plimsoll_reviews_total'):.0f} reviews"

    def verify(self, kubeconfig):
        done = subprocess.run([PROGRAM, "verify", "--kubeconfig", kubeconfig, "--webhook-configuration", "plimsoll-service"],
                              capture_output=True, text=True, timeout=60)
        return done.returncode, (done.stdout + done.stderr).splitlines()


def verify_with_rights(stage):
    """It shows no certificate, and asks by the API server, whose certificate is the right one."""
    code, lines = stage.verify(stage.plane.kubeconfig)
    return f"{code}; " + "; ".join(re.sub(r"(denied): .*", r"\1", line) for line in lines)


def verify_without_rights(stage):
    rights = "/apis/rbac.authorization.k8s.io/v1"
    stage.plane.create(f"{rights}/clusterroles", {"metadata": {"name": LOOKER}, "rules": RIGHTS})
    stage.plane.create(f"{rights}/clusterrolebindings", {
        "metadata": {"name": LOOKER}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": LOOKER},
        "subjects": [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": LOOKER}]})
    kubeconfig = stage.plane.write_kubeconfig(LOOKER, USERS[LOOKER][0])
    code, lines = "", []

    def looked():
        nonlocal code, lines
        code, lines = stage.verify(kubeconfig)
        return not any("validatingwebhookconfigurations" in line for line in lines)
    wait_until(looked)
    return f"{code}; " + "; ".join(re.sub(r"(403 Forbidden): .*cannot create.*", r"\1", line) for line in lines)


def rows(stage):
    judged, asks = "403 image-tag, liveness-probe, not stored", "service plimsoll/plimsoll: it asks for a client certificate, and we have none"
    faulty, faultless = "a Deployment with latest, without probes and limits", "a Deployment without fault"
    unknown = "not checked, no dry run was possible: 403 Forbidden"
    yield 1, "the certificate that is allowed: a bad Deployment", judged, lambda: stage.create("right")
    yield 1, "the certificate that is allowed: a good one", "admitted, stored", lambda: stage.create("right", bad=False)
    yield 2, "the same, through a Service: a bad Deployment", judged, lambda: stage.create("service")
    yield 2, "the same, through a Service: a good one", "admitted, stored", lambda: stage.create("service", bad=False)
    for name, (alert, _) in REFUSED.items():
        yield 3, f"{name}, failurePolicy Fail: a good Deployment", f"500 {alert}, not stored", lambda name=name: stage.create(
            f"{name}-fail", bad=False)
        yield 4, f"{name}, failurePolicy Ignore: a bad Deployment", "admitted, stored, failed open", lambda name=name: stage.create(
            f"{name}-ignore")
    for name, (_, why) in REFUSED.items():
        yield 5, f"{name}: what plimsoll says and judges", f"{[why]}, 0 reviews", lambda name=name: stage.told(name)
    yield (6, "verify, who may create Deployments", f"0; entry workloads.plimsoll.dev: has a caBundle; {asks}; {faulty}: denied; "
           f"{faultless}: the API server admits it; plimsoll_reviews_total tells whether plimsoll was asked; "
           "plimsoll verify: it can be reached", lambda: verify_with_rights(stage))
    yield (6, "verify, who may not", f"0; entry workloads.plimsoll.dev: has a caBundle; {asks}; {faulty}: {unknown}; {faultless}: {unknown}; "
           "plimsoll verify: it can be reached", lambda: verify_without_rights(stage))


def main():
    with contextlib.ExitStack() as ends:
        stage = ends.enter_context(Callers())
        return check_rows("client certificates of a real API server", list(rows(stage)), workers=4)


if __name__ == "__main__":
    sys.exit(main())
