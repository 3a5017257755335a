"""A real etcd and a real kube-apiserver on 127.0.0.1, started in seconds, stopped cleanly; kubectl and plain requests for both."""
import base64
import http.client
import json
import os
import pathlib
import signal
import ssl
import subprocess
import sys
import tempfile
import time

import programs

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from ports import free_port  # noqa: E402

ADMIN = "admin-token"
SERVICE_RANGE = "127.20.0.0/16"  # a ClusterIP is an address of this machine: a Service reaches what listens there
AUDIT_POLICY = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"], "rules": [
    {"level": "None", "users": ["system:apiserver"]}, {"level": "None", "nonResourceURLs": ["/*"]}, {"level": "Metadata"}]}


def openssl(*arguments, given=None):
    done = subprocess.run(["openssl", *map(str, arguments)], input=given, capture_output=True)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {arguments[0]}: {done.stderr.decode()}")
    return done.stdout


class Status(Exception):
    """An answer of the API server that is not 2xx; `code` and the Status object."""

    def __init__(self, code, body):
        self.code, self.body = code, body
        message = body.get("message", "") if isinstance(body, dict) else str(body)[:300]
        super().__init__(f"{code}: {message}")


class Authority:
    """Signs the certificates of the API server and of its clients."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.key, self.certificate = self.directory / "ca.key", self.directory / "ca.crt"
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", self.key)
        openssl("req", "-x509", "-new", "-key", self.key, "-days", 2, "-subj", "/CN=test authority", "-out", self.certificate)

    def issue(self, name, subject, names=""):
        """Returns (certificate, key); `names` as in "DNS:localhost,IP:127.0.0.1" for a server."""
        key, request, certificate = (self.directory / f"{name}.{end}" for end in ("key", "csr", "crt"))
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
        openssl("req", "-new", "-key", key, "-subj", subject, "-out", request)
        extensions = self.directory / f"{name}.ext"
        extensions.write_text(f"subjectAltName={names}\n" if names else "extendedKeyUsage=clientAuth\n")
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial", "-days", 2,
                "-extfile", extensions, "-out", certificate)
        return certificate, key


class ControlPlane:
    """`users`: name -> (token, groups). Everything ends with the `with` block."""

    served_names = "DNS:localhost,DNS:kubernetes.default.svc,IP:127.0.0.1,IP:127.20.0.1"
    # Without nodes there is nobody who could mount a service account's token.
    surroundings = ("--bind-address", "127.0.0.1", "--authorization-mode", "RBAC", "--service-cluster-ip-range", SERVICE_RANGE,
                    "--disable-admission-plugins", "ServiceAccount", "--endpoint-reconciler-type", "none")

    def __init__(self, users=None, flags=()):
        self.programs = {name: programs.find(name) for name in programs.PROGRAMS}
        self.scratch = tempfile.TemporaryDirectory(prefix="plimsoll-cluster-", ignore_cleanup_errors=True)
        self.directory = pathlib.Path(self.scratch.name)
        self.users = {"admin": (ADMIN, ["system:masters"]), **(users or {})}
        self.flags = list(flags)
        self.authority = Authority(self.directory)
        self.audit_log = self.directory / "audit.log"
        self.etcd_port, self.peer_port, self.port = free_port(), free_port(), free_port()
        self.etcd = self.api = None
        self._prepare()

    # Files that the API server wants.
    def _prepare(self):
        self.serving = self.authority.issue("apiserver", "/CN=kube-apiserver", self.served_names)
        openssl("genrsa", "-out", self.directory / "sa.key", 2048)
        lines = [f'{token},{name},{name},"{",".join(groups)}"' for name, (token, groups) in self.users.items()]
        (self.directory / "tokens.csv").write_text("\n".join(lines) + "\n")
        (self.directory / "audit.json").write_text(json.dumps(AUDIT_POLICY))
        self.kubeconfig = self.write_kubeconfig("admin", ADMIN)

    def write_kubeconfig(self, name, token=None, certificate=None, server=None):
        """A kubeconfig file for a token, or for a (certificate, key) pair."""
        path = self.directory / f"{name}.kubeconfig"
        user = {"token": token} if token else {"client-certificate": str(certificate[0]), "client-key": str(certificate[1])}
        path.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": server or f"https://127.0.0.1:{self.port}",
                                                      "certificate-authority": str(self.authority.certificate)}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": name}}],
            "users": [{"name": name, "user": user}]}))
        return path

    def start_etcd(self):
        client, peer = f"http://127.0.0.1:{self.etcd_port}", f"http://127.0.0.1:{self.peer_port}"
        self.etcd = self._run("etcd", "--data-dir", self.directory / "etcd", "--unsafe-no-fsync", "--log-level", "error",
                              "--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", peer,
                              "--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}")

    def start_api(self, wait=True):
        certificate, key = self.serving
        self.api = self._run(
            "kube-apiserver", "--etcd-servers", f"http://127.0.0.1:{self.etcd_port}", *self.surroundings,
            "--secure-port", self.port, "--tls-cert-file", certificate, "--tls-private-key-file", key,
            "--client-ca-file", self.authority.certificate, "--token-auth-file", self.directory / "tokens.csv",
            "--service-account-issuer", "https://kubernetes.default.svc",
            "--service-account-signing-key-file", self.directory / "sa.key", "--service-account-key-file", self.directory / "sa.key",
            "--audit-policy-file", self.directory / "audit.json", "--audit-log-path", self.audit_log,
            "--shutdown-delay-duration", "0s", *self.flags)
        if wait:
            self.wait_ready()

    def _run(self, program, *flags):
        log = open(self.directory / f"{program}.log", "ab")
        with log:
            return subprocess.Popen([self.programs[program], *map(str, flags)], stdout=log, stderr=subprocess.STDOUT,
                                    start_new_session=True, cwd=self.directory)

    def wait_ready(self, seconds=60):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.api.poll() is not None:
                break
            try:
                self.request("GET", "/readyz", timeout=2)
                self.get("/api/v1/namespaces/default")
                return
            except (OSError, Status, http.client.HTTPException):
                time.sleep(0.1)
        raise RuntimeError("the API server did not start: " + (self.directory / "kube-apiserver.log").read_text()[-2000:])

    @staticmethod
    def _end(process, seconds=30):
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGCONT)
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def stop_api(self, kill=False):
        if kill:
            self.api.kill()
        self._end(self.api)

    def stop_etcd(self):
        self._end(self.etcd)

    def __enter__(self):
        try:
            self.start_etcd()
            self.start_api()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.api is not None and self.api.poll() is None:
            self.api.send_signal(signal.SIGCONT)
            self.api.kill()  # nothing of it is kept
            self.api.wait()
        if self.etcd is not None and self.etcd.poll() is None:
            self.etcd.send_signal(signal.SIGCONT)
            self.etcd.kill()
            self.etcd.wait()
        self.scratch.cleanup()

    def connection(self, timeout=70):
        context = ssl.create_default_context(cafile=str(self.authority.certificate))
        return http.client.HTTPSConnection("127.0.0.1", self.port, context=context, timeout=timeout)

    def request(self, method, path, body=None, token=ADMIN, content_type="application/json", timeout=70, headers=None):
        """Returns the answer's JSON (or text); Status for whatever is not 2xx."""
        connection = self.connection(timeout)
        try:
            given = {"Authorization": f"Bearer {token}", "Content-Type": content_type, **(headers or {})}
            text = body if body is None or isinstance(body, (str, bytes)) else json.dumps(body)
            connection.request(method, path, text, given)
            answer = connection.getresponse()
            data = answer.read()
        finally:
            connection.close()
        try:
            value = json.loads(data)
        except ValueError:
            value = data.decode(errors="replace")
        if not 200 <= answer.status < 300:
            raise Status(answer.status, value)
        return value

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def create(self, path, body, **options):
        return self.request("POST", path, body, **options)

    def patch(self, path, body, content_type="application/merge-patch+json", **options):
        return self.request("PATCH", path, body, content_type=content_type, **options)

    def delete(self, path, **options):
        return self.request("DELETE", path, **options)

    def namespace(self, name, **labels):
        try:
            return self.create("/api/v1/namespaces", {"metadata": {"name": name, "labels": labels}})
        except Status as status:
            if status.code != 409:
                raise
            return self.get(f"/api/v1/namespaces/{name}")

    def kubectl(self, *arguments, given=None, kubeconfig=None, timeout=60):
        """Returns the finished process, with stdout and stderr as text."""
        return subprocess.run([self.programs["kubectl"], "--kubeconfig", kubeconfig or self.kubeconfig, *map(str, arguments)],
                              input=given, capture_output=True, text=True, timeout=timeout, env={**os.environ, "HOME": self.scratch.name})

    def await_kinds(self, *names, seconds=60):
        """Until the API server serves these definitions; `kubectl wait` gives up on one that has no conditions yet."""
        until = time.monotonic() + seconds
        for name in names:
            while not self._is_served(name):
                if time.monotonic() > until:
                    raise AssertionError(f"{name} is not served after {seconds} s")
                time.sleep(0.1)

    def _is_served(self, name):
        found = self.get(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}").get("status", {}).get("conditions") or []
        return any(one["type"] == "Established" and one["status"] == "True" for one in found)

    def audit_events(self):
        """Those that are written whole: the API server is writing the next one meanwhile."""
        whole = self.audit_log.read_text().rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines() if line.startswith("{")]

    def ca_bundle(self, certificate):
        return base64.b64encode(pathlib.Path(certificate).read_bytes()).decode()


def control_plane_or_end(*arguments, **options):
    """A ControlPlane that has not been started. Where there can be none the test program ends: skipped, or failed."""
    try:
        return ControlPlane(*arguments, **options)
    except programs.Unavailable as missing:
        programs.end_without(missing)
