"""A real `plimsoll serve`, reviews as an API server writes them, and tables of rows to check."""

import concurrent.futures
import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

PROGRAM = os.environ.get("PLIMSOLL", "build/release/plimsoll")
UID = "705ab4f5-6393-11e8-b7cc-42010a800002"
ENFORCING = """
apiVersion: plimsoll.dev/v1alpha1
kind: HygienePolicy
metadata: {name: strict}
spec:
  rules:
    image-reference: {action: enforce}
    image-tag: {action: enforce}
    liveness-probe: {action: enforce}
"""


def make_certificate(directory, name="tls", days=1, extra=()):
    """A P-256 certificate of openssl's making; returns (certificate, key)."""
    certificate, key = Path(directory, f"{name}.crt"), Path(directory, f"{name}.key")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-days", str(days), "-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         "-keyout", str(key), "-out", str(certificate), *extra],
        check=True, capture_output=True)
    return certificate, key


class Server:
    """`plimsoll serve` with a certificate and a policy of the test's own."""

    def __init__(self, *flags, policy=ENFORCING, mode="enforce"):
        self.directory = tempfile.TemporaryDirectory()
        root = Path(self.directory.name)
        self.certificate, self.key = make_certificate(root)
        self.policy = root / "policies"
        self.policy.mkdir()
        if policy:
            (self.policy / "policy.yaml").write_text(policy)
        self.log_path = root / "log"
        given = {"--cert": self.certificate, "--key": self.key, "--policy": self.policy, "--mode": mode,
                 "--listen": "127.0.0.1:0", "--health-listen": "127.0.0.1:0", "--shutdown-delay": "0s",
                 "--poll-interval": "200ms", **dict(zip(flags[::2], flags[1::2]))}
        if not policy:  # the built-in one
            del given["--policy"]
        command = [PROGRAM, "serve", *(str(part) for pair in given.items() for part in pair)]
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        self.port, self.health_port = self._ports()

    def _ports(self):
        until = time.monotonic() + 30
        while time.monotonic() < until:
            for line in self.log_lines():
                if line.get("event") == "listening":
                    return int(line["address"].rsplit(":", 1)[1]), int(line["health"].rsplit(":", 1)[1])
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise RuntimeError("the server did not start: " + self.log_path.read_text())

    def log_lines(self):
        lines = []
        for line in self.log_path.read_text().splitlines():
            try:
                lines.append(json.loads(line))
            except ValueError:
                pass
        return lines

    def context(self, **options):
        context = ssl.create_default_context(cafile=str(self.certificate))
        context.check_hostname = False
        for name, value in options.items():
            setattr(context, name, value)
        return context

    def connect(self, context=None, timeout=30):
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=timeout)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return (context or self.context()).wrap_socket(plain, server_hostname="localhost")

    def post(self, body, query="?timeout=10s", headers=None, method="POST", path="/validate"):
        """A request on a connection of its own; returns (status, headers, body)."""
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=self.context(), timeout=30)
        try:
            given = {"Content-Type": "application/json"} if headers is None else headers
            connection.request(method, path + query, body=body, headers=given)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def ask(self, review, **options):
        """Posts a review; returns its response."""
        status, _, body = self.post(json.dumps(review).encode(), **options)
        if status != 200:
            raise AssertionError(f"HTTP {status}: {body!r}")
        return json.loads(body)["response"]

    def get(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.health_port, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def metric(self, name):
        """The sum over all labels."""
        total = 0.0
        for line in self.get("/metrics")[1].splitlines():
            found = re.match(rf"{re.escape(name)}(\{{[^}}]*\}})? (\S+)$", line)
            total += float(found.group(2)) if found else 0.0
        return total

    def alive(self):
        return self.process.poll() is None

    def peak_memory(self):
        """MiB that were resident at most."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) / 1024

    def is_stopped(self):
        """Every thread of it, by SIGSTOP: until then one of them may still answer."""
        tasks = Path(f"/proc/{self.process.pid}/task").iterdir()
        return all((task / "stat").read_text().rpartition(")")[2].split()[0] == "T" for task in tasks)

    def signal(self, number=signal.SIGTERM):
        self.process.send_signal(number)

    def stop(self):
        if self.alive():
            self.signal()
        try:
            code = self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = "killed"
        self.ended_with = self.log_path.read_text(errors="replace")[-4000:] if code != 0 else ""
        self.directory.cleanup()
        return code

    def __enter__(self):
        return self

    def __exit__(self, *_):
        code = self.stop()
        if code != 0:
            print(f"--- the end of the log of a server that ended with {code}\n{self.ended_with}", file=sys.stderr)
            if sys.exc_info()[0] is None:
                raise AssertionError(f"the server ended with {code}")


def wait_until(holds, seconds=20):
    """Asks until it holds."""
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            raise AssertionError(f"not so within {seconds} s")
        time.sleep(0.05)


def container(image="nginx:1.27.3", name="web", probe=True, **more):
    made = {"name": name, "image": image}
    if probe:
        made["livenessProbe"] = {"httpGet": {"path": "/", "port": 80}}
    made.update(more)
    return made


def pod(*containers, spec=None, **metadata):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "shop", **metadata},
            "spec": {"containers": list(containers) or [container()], **(spec or {})}}


def deployment(*containers, **metadata):
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop", **metadata},
            "spec": {"replicas": 2, "template": {"spec": {"containers": list(containers) or [container()]}}}}


GROUPS = {"Pod": ("", "pods"), "Deployment": ("apps", "deployments"), "Job": ("batch", "jobs")}


def review(new, operation="CREATE", old=None, user="alice", uid=UID, kind=None, **request):
    described = new if isinstance(new, dict) else old if isinstance(old, dict) else pod()
    kind = kind or described.get("kind", "Pod")
    group, plural = GROUPS.get(kind, ("example.com", kind.lower() + "s"))
    identity = {"group": group, "version": "v1", "kind": kind}
    resource = {"group": group, "version": "v1", "resource": plural}
    return {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": {
        "uid": uid, "kind": identity, "resource": resource, "requestKind": identity, "requestResource": resource,
        "name": described.get("metadata", {}).get("name", ""), "namespace": "shop", "operation": operation,
        "userInfo": {"username": user, "groups": ["system:authenticated"]}, "object": new, "oldObject": old,
        "dryRun": False, "options": None, **request}}


def summary(response):
    """"allow", "allow + warning", "deny 403"."""
    if response["allowed"] is True:
        return "allow + warning" if response.get("warnings") else "allow"
    return f"deny {response['status']['code']}"


def read_answer(stream):
    """One HTTP answer from a socket; None where the connection ended before it."""
    data = b""
    while b"\r\n\r\n" not in data:
        try:
            piece = stream.recv(65536)
        except (ConnectionError, ssl.SSLError):
            piece = b""
        if not piece:
            return None
        data += piece
    head, body = data.split(b"\r\n\r\n", 1)
    lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines[1:])}
    length = int(headers.get("content-length", 0)) if not lines[0].startswith("HTTP/1.1 1") else 0
    while len(body) < length:
        body += stream.recv(65536)
    return int(lines[0].split()[1]), headers, body[:length], body[length:]


def is_closed(stream, within=5):
    """True if the peer ends the connection in time."""
    stream.settimeout(within)
    try:
        while True:
            if not stream.recv(65536):
                return True
    except (ConnectionError, ssl.SSLError):
        return True
    except (TimeoutError, socket.timeout):
        return False


def check_rows(title, rows, workers=24):
    """rows: (number, what is sent, expected, function giving what was seen). Prints a table; returns an
    exit code."""
    def see(row):
        try:
            return str(row[3]())
        except Exception as error:  # a row that fails must not hide the others
            traceback.print_exc()
            return f"{type(error).__name__}: {error}"

    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        seen = list(pool.map(see, rows))
    told = [
        (got == row[2], f"{row[0]:>4}  {row[1]}\n            {row[2]}" + ("" if got == row[2] else f"\n       seen {got}"))
        for row, got in zip(rows, seen)
    ]
    failed = [text for fine, text in told if not fine]
    print(f"\n{title}\n")
    for text in failed:  # first, and in the table: what shows only a part of a long output shows these
        print(f"FAIL {text}")
    if failed:
        print("\nall rows\n")
    for fine, text in told:
        print(f"{'ok  ' if fine else 'FAIL'} {text}")
    print(f"\n{title}: {len(rows) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0
