"""A real API server that has plimsoll's definitions; policies and exceptions to try there."""
import re
import subprocess

from control_plane import Status
from crd_values import API
from harness import PROGRAM, wait_until

POLICIES = f"/apis/{API}/hygienepolicies"
EXCEPTIONS = f"/apis/{API}/namespaces/default/hygieneexceptions"
NAMES = ("hygienepolicies.plimsoll.dev", "hygieneexceptions.plimsoll.dev")
TAG = {"image-tag": {"action": "warn"}}
REASON = {"owner": "team-a", "reason": "split planned", "expires": "2027-01-31"}
EXCEPTED = {"rules": ["image-tag"], "match": {"names": ["legacy"]}, **REASON}


def plimsoll(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, check=True).stdout


def exception(name, **spec):
    return {"apiVersion": API, "kind": "HygieneException", "metadata": {"name": name, "namespace": "default"},
            "spec": {"rules": ["image-tag"], **REASON, **spec}}


def joined(text):
    return " ".join(text.split())


class Stage:
    """An API server that has the definitions, as `kubectl apply` brings them there."""

    def __init__(self, plane):
        self.plane = plane
        self.definitions = plimsoll("policy", "crds")
        self.applied = self.kubectl("apply", "-f", "-", given=self.definitions)
        plane.await_kinds(*NAMES)
        wait_until(lambda: plane.kubectl("explain", "hyx.spec").returncode == 0 and plane.kubectl("explain", "hyp.spec").returncode == 0)

    def kubectl(self, *arguments, **options):
        done = self.plane.kubectl(*arguments, **options)
        if done.returncode != 0:
            raise AssertionError(f"kubectl {arguments}: {done.stderr}")
        return done.stdout

    def refusal(self, method, path, body):
        """What the API server has against it; "" where it is taken."""
        try:
            self.plane.request(method, path, body)
            return ""
        except Status as status:
            if status.code != 422:
                raise
            return status.body["message"]

    def trouble(self, body):
        """What the API server has against an object, or changes of it; "" where it takes the spec as it is."""
        try:
            made = self.plane.create((POLICIES if body["kind"] == "HygienePolicy" else EXCEPTIONS) + "?dryRun=All", body)
        except Status as status:
            if status.code != 422:
                raise
            return status.body["message"]
        return "" if made["spec"] == body["spec"] else f"made to {made['spec']}"

    def stored(self, body, path=POLICIES):
        """As the API server gives it back."""
        self.plane.create(path, body)
        return self.plane.get(f"{path}/{body['metadata']['name']}")
