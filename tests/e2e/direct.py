"""Requests to one serving pod alone, past Service and API server: from the node, or from the network of another pod."""
import base64
import json
import re
import subprocess

from harness import review
from stage import OWN

HOST = f"plimsoll.{OWN}.svc"
PORT = 10250


class Caller:
    """`pid`: a process in the pod whose network is used; without it the node's."""

    def __init__(self, stage, pid=None):
        self.stage, self.within = stage, ["nsenter", "-n", "-t", str(pid)] if pid else []
        self.authority = stage.directory / "caller-ca.crt"

    def trust(self):
        """Believes the authority that signs for plimsoll now."""
        secret = self.stage.node.get(f"/api/v1/namespaces/{OWN}/secrets/plimsoll-tls")
        self.authority.write_bytes(base64.b64decode(secret["data"]["ca.crt"]))

    def curl(self, address, *arguments, given=None, timeout=60):
        """(status of HTTP, body); the status is 0 where no answer came."""
        command = [*self.within, "curl", "-s", "-m", str(timeout), "-w", "\n%{http_code}", "--cacert", str(self.authority),
                   "--resolve", f"{HOST}:{PORT}:{address}", *arguments]
        done = subprocess.run(command, input=given, capture_output=True, timeout=timeout + 10, check=False)
        text, _, code = done.stdout.decode(errors="replace").rpartition("\n")
        return int(code or 0), text

    def post(self, pod, body, *arguments, query="?timeout=10s", timeout=60):
        return self.curl(pod["status"]["podIP"], "-H", "Content-Type: application/json", "-H", "Expect:", "--data-binary", "@-", *arguments,
                         f"https://{HOST}:{PORT}/validate{query}", given=body, timeout=timeout)

    def get(self, pod, path, *arguments):
        return self.curl(pod["status"]["podIP"], *arguments, f"https://{HOST}:{PORT}{path}")

    def ask(self, pod, thing, name_space="shop", **request):
        """The response to a review of its creation."""
        code, text = self.post(pod, json.dumps(review(thing, namespace=name_space, **request)).encode())
        if code != 200:
            raise AssertionError(f"HTTP {code}: {text[:300]}")
        return json.loads(text)["response"]

    def verdict(self, pod, thing, name_space="shop"):
        """"allow", "allow, 2 warnings", or "deny image-tag, resources"."""
        return verdict_of(self.ask(pod, thing, name_space))


def verdict_of(response):
    warnings = len(response.get("warnings") or ())
    if response["allowed"]:
        return f"allow, {warnings} warning{'s' if warnings > 1 else ''}" if warnings else "allow"
    rules = re.findall(r"\bdeny ([a-z-]+):", response["status"]["message"])
    status = response["status"]
    return "deny " + ", ".join(dict.fromkeys(rules)) if rules else f"deny {status['code']}: {status['message'][:200]}"
