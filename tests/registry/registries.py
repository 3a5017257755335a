"""Real registries on 127.0.0.1: Debian's docker-registry with TLS, and a small client to fill them.

    with Registry(mode="token") as registry:      # "none", "basic", "token"
        registry.push(layout, "light")            # as registry.reference("light")
        registry.stop(); registry.start()         # on the same port
        mark = registry.mark(); ...; registry.requests(mark)   # [("GET", "/v2/...", 200), ...]
"""

import base64
import http.client
import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from pathlib import Path

from certificates import NAMES, Authority
from layout import INDEX_TYPES
from token_server import SERVICE, TokenServer

sys.path.append(str(Path(__file__).resolve().parents[1] / "support"))
from ports import free_port  # noqa: E402

PROGRAM = "/usr/bin/docker-registry"
READER, PUSHER = ("reader", "s3cret:with colon"), ("pusher", "push-it")
USERS = dict((READER, PUSHER))
MODES = ("none", "basic", "token")


def need(program, package):
    """Installs a Debian package where the program is missing."""
    if shutil.which(program) is None:
        for command in (["apt-get", "update", "-q"], ["apt-get", "install", "-y", "-q", "--no-install-recommends", package]):
            subprocess.run(command, check=True, capture_output=True)


def repository(name):
    """The repository of an image in the registries: light -> images/light."""
    return "images/" + name.replace("_", "-")


class Client:
    """One connection to a registry; answers Basic and Bearer challenges."""

    def __init__(self, host, context=None, credentials=None):
        self.host, self.context, self.credentials = host, context, credentials
        self.authorization = {}  # scope -> header
        self.connection = self._connect(host)

    def _connect(self, host):
        if self.context is None:
            return http.client.HTTPConnection(host, timeout=30)
        return http.client.HTTPSConnection(host, timeout=30, context=self.context)

    def close(self):
        self.connection.close()

    def request(self, method, path, body=None, headers=None):
        """(status, headers in lower case, body)."""
        name = re.match(r"/v2/(.+?)/(?:manifests|blobs|referrers|tags)/", path)
        scope = name.group(1) if name else ""
        answer = self._once(method, path, body, headers, scope)
        if answer[0] == 401 and self._answer_challenge(answer[1].get("www-authenticate", ""), scope, method):
            answer = self._once(method, path, body, headers, scope)
        return answer

    def _once(self, method, path, body, headers, scope):
        given = dict(headers or {})
        if scope in self.authorization:
            given["Authorization"] = self.authorization[scope]
        self.connection.request(method, path, body=body, headers=given)
        answer = self.connection.getresponse()
        return answer.status, {key.lower(): value for key, value in answer.getheaders()}, answer.read()

    def basic(self):
        return "Basic " + base64.b64encode(":".join(self.credentials).encode()).decode()

    def _answer_challenge(self, challenge, scope, method):
        if challenge.lower().startswith("basic") and self.credentials:
            self.authorization[scope] = self.basic()
            return True
        fields = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        if "realm" not in fields or not challenge.lower().startswith("bearer"):
            return False
        realm = urllib.parse.urlsplit(fields["realm"])
        actions = "pull" if method in ("GET", "HEAD") else "pull,push"
        query = urllib.parse.urlencode({"service": fields.get("service", ""), "scope": f"repository:{scope}:{actions}"})
        connection = self._connect(realm.netloc)
        connection.request("GET", f"{realm.path}?{query}", headers={"Authorization": self.basic()} if self.credentials else {})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        if answer.status == 200:
            self.authorization[scope] = "Bearer " + json.loads(body)["token"]
        return answer.status == 200

    def upload(self, name, digest, data):
        if self.request("HEAD", f"/v2/{name}/blobs/{digest}")[0] == 200:
            return
        status, headers, body = self.request("POST", f"/v2/{name}/blobs/uploads/", headers={"Content-Length": "0"})
        if status != 202:
            raise RuntimeError(f"upload to {name}: {status} {body[:300]!r}")
        place = urllib.parse.urlsplit(headers["location"])
        target = f"{place.path}?{place.query}{'&' if place.query else ''}digest={urllib.parse.quote(digest)}"
        status, _, body = self.request("PUT", target, data, {"Content-Type": "application/octet-stream"})
        if status != 201:
            raise RuntimeError(f"upload of {digest} to {name}: {status} {body[:300]!r}")

    def put_manifest(self, name, reference, data, media_type):
        """(status, body): the caller may want it to be refused."""
        status, _, body = self.request("PUT", f"/v2/{name}/manifests/{reference}", data, {"Content-Type": media_type})
        return status, body


def push(client, layout, descriptor, name, reference):
    """A manifest with its blobs, an index with its children first."""
    children = layout.children(descriptor)
    for child in children:
        push(client, layout, child, name, child["digest"])
    for blob in [] if children or descriptor["mediaType"] in INDEX_TYPES else layout.blobs_of(descriptor):
        client.upload(name, blob["digest"], layout.bytes(blob["digest"]))
    status, body = client.put_manifest(name, reference, layout.bytes(descriptor["digest"]), descriptor["mediaType"])
    if status != 201:
        raise RuntimeError(f"manifest of {name}:{reference}: {status} {body[:300]!r}")


class Registry:
    """`realm` and `public` are for mode "token": another realm than the token server's own, and the prefix of
    repositories that everybody may pull. `more`: further lines of the registry's configuration."""

    def __init__(self, mode="none", tls=True, realm=None, public=None, authority=None, more="",
                 address="127.0.0.1", port=None):
        if mode not in MODES:
            raise ValueError(mode)
        need("docker-registry", "docker-registry")
        self.temporary = tempfile.TemporaryDirectory(prefix="registry-")
        self.directory = Path(self.temporary.name)
        self.authority = authority or Authority(self.directory)
        self.mode, self.tls, self.more, self.process = mode, tls, more, None
        self.address, self.port = address, port or free_port()
        self.host = f"{address}:{self.port}"
        self.tokens = None
        if mode == "token":
            self.tokens = TokenServer(self.authority, self.directory, USERS, pushers=(PUSHER[0],), public=public)
        self.realm = realm or (self.tokens.realm if self.tokens else None)
        if tls:
            self.certificate, self.key = self.authority.issue(f"registry-{self.port}", (*NAMES, f"IP:{address}"))
        self._configure()
        self.start()

    def _configure(self):
        tls = f"  tls: {{certificate: {self.certificate}, key: {self.key}}}\n" if self.tls else ""
        auth = ""
        if self.mode == "basic":
            need("htpasswd", "apache2-utils")
            lines = [subprocess.run(["htpasswd", "-nbBC", "4", *user], check=True, capture_output=True).stdout.strip()
                     for user in (READER, PUSHER)]
            (self.directory / "htpasswd").write_bytes(b"\n".join(lines) + b"\n")
            auth = f"auth: {{htpasswd: {{realm: the registry, path: {self.directory}/htpasswd}}}}\n"
        elif self.mode == "token":
            auth = (f'auth: {{token: {{realm: "{self.realm}", service: {SERVICE}, issuer: {SERVICE}, '
                    f"rootcertbundle: {self.tokens.bundle}}}}}\n")
        (self.directory / "config.yml").write_text(
            "version: 0.1\nlog: {level: error, accesslog: {disabled: false}}\n"
            f"storage:\n  filesystem: {{rootdirectory: {self.directory}/storage}}\n  delete: {{enabled: true}}\n"
            f"http:\n  addr: {self.host}\n  secret: for-tests\n{tls}{auth}"
            'validation: {manifests: {urls: {allow: [".*"]}}}\n' + self.more)

    def start(self):
        """Also after stop(), on the same port with the same images."""
        with open(self.directory / "log", "ab") as log:
            self.process = subprocess.Popen([PROGRAM, "serve", str(self.directory / "config.yml")], stdout=log, stderr=log)
        until = time.monotonic() + 20
        while time.monotonic() < until and self.process.poll() is None:
            try:
                socket.create_connection((self.address, self.port), timeout=1).close()
                return self
            except OSError:
                time.sleep(0.02)
        raise RuntimeError("the registry did not start: " + (self.directory / "log").read_text()[-2000:])

    def stop(self):
        """Ends the registry; images and the token server stay."""
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def close(self):
        self.stop()
        if self.tokens:
            self.tokens.stop()
        self.temporary.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def client(self, credentials=None):
        return Client(self.host, self.authority.client() if self.tls else None, credentials)

    def push(self, layout, name, tag="1", to=None):
        client = self.client(None if self.mode == "none" else PUSHER)
        try:
            push(client, layout, layout.names[name], to or repository(name), tag)
        finally:
            client.close()
        return self.reference(name, tag)

    def push_all(self, layout, names=None):
        for name in names or layout.names:
            self.push(layout, name)

    def reference(self, name, tag="1"):
        return f"{self.host}/{repository(name)}:{tag}"

    def credentials(self, user=READER):
        """The text of a Docker config.json; {} where none are needed."""
        if self.mode == "none":
            return '{"auths":{}}'
        return docker_config({self.host: user})

    def skopeo(self, *arguments, user=READER):
        """Runs `skopeo inspect` with what it needs to know of this registry; returns what it prints."""
        need("skopeo", "skopeo")
        access = [] if self.mode == "none" else ["--creds", ":".join(user)]
        trust = ["--cert-dir", str(self.authority.cert_dir)] if self.tls else ["--tls-verify=false"]
        options = [one for one in arguments if one.startswith("--override")]
        others = [one for one in arguments if not one.startswith("--override")]
        done = subprocess.run(["skopeo", *options, "inspect", *trust, *access, *others], capture_output=True, timeout=60)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.decode()[-500:])
        return done.stdout

    def mark(self):
        """Where the log of requests is now."""
        return len(self._lines())

    def requests(self, since=0):
        """[(method, path with query, status)] in order of their ends; waits until the log is quiet."""
        return self._lines()[since:]

    def _lines(self):
        log, before = self.directory / "log", -1
        while before != log.stat().st_size:
            before = log.stat().st_size
            time.sleep(0.05)
        found = re.findall(r'^\S+ - \S+ \[[^]]*\] "([A-Z]+) (\S+) [^"]*" (\d{3}) ', log.read_text(errors="replace"), re.M)
        return [(method, path, int(status)) for method, path, status in found]


def docker_config(users):
    """config.json for {host: (user, password)}."""
    return json.dumps({"auths": {host: {"auth": base64.b64encode(":".join(pair).encode()).decode()}
                                 for host, pair in users.items()}})


def start_all():
    """One registry of each mode, started beside each other."""
    made = {}
    threads = [threading.Thread(target=lambda mode=mode: made.update({mode: Registry(mode)})) for mode in MODES]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(made) != len(MODES):
        for registry in made.values():
            registry.close()
        raise RuntimeError("a registry did not start")
    return made
