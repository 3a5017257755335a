"""What the image is tried with: a registry with TLS that holds it, a name server, and the files of /etc/plimsoll."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "registry"), str(HERE.parent / "integration")]
import harness  # noqa: E402
import registries  # noqa: E402
from certificates import Authority  # noqa: E402
from confined import Confined  # noqa: E402
from layout import OCI_INDEX  # noqa: E402
from name_server import ADDRESS, NameServer  # noqa: E402

NAME = "registry.test"
PUSH = HERE.parents[1] / "scripts/image/push.sh"
OWN_MANIFEST = HERE.parents[1] / "manifests/base/server-deployment.yaml"
SMALL_LIMIT = """
apiVersion: plimsoll.dev/v1alpha1
kind: HygienePolicy
metadata: {name: tiny}
spec:
  rules:
    image-size: {action: enforce, maximum: 1Mi, onUnknown: {access: deny, outage: deny}}
"""


class Stage:
    def __init__(self, image, directory):
        self.image, self.directory = image, Path(directory)
        self.version = image.config["config"]["Labels"]["org.opencontainers.image.version"]
        self.platform = "linux/" + image.config["architecture"]
        self.registry = registries.Registry(authority=Authority(self.directory))
        self.names = NameServer(NAME)
        self.host = f"{NAME}:{self.registry.port}"
        self.reference = f"{self.host}/plimsoll:{self.version}"
        self.files = self.directory / "files"
        self.files.mkdir()
        self.box = Confined(image.root)
        self._write_files()

    def _write_files(self):
        (self.directory / "resolv.conf").write_text(f"nameserver {ADDRESS}\noptions timeout:2 attempts:1\n")
        shutil.copy(self.registry.authority.ca, self.files / "ca.pem")
        certificate, key = harness.make_certificate(self.files)
        key.chmod(0o644)
        strictest = (HERE / "strictest.yaml").read_text().replace("linux/amd64", self.platform)
        (self.files / "strictest.yaml").write_text(strictest)
        (self.files / "tiny.yaml").write_text(SMALL_LIMIT)
        self.write_registries("registries.yaml", ca="/etc/plimsoll/ca.pem")
        self.write_registries("system.yaml")
        self.write_manifest("own.yaml", f"{self.reference}@{self.image.digest}")
        self.box.mount(self.files, "/etc/plimsoll")
        self.box.mount(self.directory / "resolv.conf", "/etc/resolv.conf")

    def write_registries(self, name, **more):
        entry = {"host": self.host, "private": True, **more}
        (self.files / name).write_text(json.dumps(
            {"apiVersion": "plimsoll.dev/v1alpha1", "kind": "RegistryConfig",
             "spec": {"platforms": [self.platform], "registries": [entry]}}))

    def write_manifest(self, name, reference):
        """The Deployment that is shipped, with this image."""
        text, count = re.subn(r'image: "?plimsoll:[^"\s]*"?', f'image: "{reference}"', OWN_MANIFEST.read_text())
        assert count == 1, f"{OWN_MANIFEST} names the image {count} times"
        (self.files / name).write_text(text)

    def write_report(self, packages):
        """The number of packages, as the bill of materials has it. It says nothing of vulnerabilities."""
        item = {"digest": self.image.digest, "status": "scanned", "counts": {}, "packages": packages,
                "scannedAt": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "scanner": {"name": "bill of materials", "version": "1"}}
        (self.files / "reports").mkdir(exist_ok=True)
        (self.files / "reports/own.json").write_text(json.dumps(
            {"apiVersion": "plimsoll.dev/v1alpha1", "kind": "ImageVerdicts", "items": [item]}))

    def push(self):
        """By scripts/image/push.sh, as people do; returns the digest that the registry then has."""
        place = f"{self.registry.host}/plimsoll:{self.version}"
        done = subprocess.run([PUSH, place, self.image.archive.resolve()], capture_output=True, text=True,
                              env={**os.environ, "CERT_DIR": str(self.registry.authority.cert_dir)})
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        return json.loads(self.registry.skopeo(f"docker://{place}"))["Digest"]

    def referrers(self):
        """[(subject, bytes)] of what refers to the image, by the tag that stands for the referrers API."""
        client, found = self.registry.client(), []
        tag = self.image.digest.replace(":", "-")
        index = client.request("GET", f"/v2/plimsoll/manifests/{tag}", headers={"Accept": OCI_INDEX})[2]
        for entry in json.loads(index)["manifests"]:
            answer = client.request("GET", f"/v2/plimsoll/manifests/{entry['digest']}", headers={"Accept": entry["mediaType"]})
            manifest = json.loads(answer[2])
            blob = client.request("GET", f"/v2/plimsoll/blobs/{manifest['layers'][0]['digest']}")[2]
            found.append((manifest["subject"]["digest"], blob))
        client.close()
        return found

    def check(self, manifest, *more, policy="strictest.yaml", known="registries.yaml"):
        """(exit code, the report) of `plimsoll check` inside the image."""
        done = self.box.run("/usr/bin/plimsoll", "check", "--output", "json", "--images", "--registries", f"/etc/plimsoll/{known}",
                            "--policy", f"/etc/plimsoll/{policy}", *more, f"/etc/plimsoll/{manifest}")
        try:
            return done.returncode, json.loads(done.stdout)
        except ValueError:
            raise AssertionError(f"exit {done.returncode}: {done.stderr.decode()}") from None

    def close(self):
        self.names.close()
        self.registry.close()
