#!/usr/bin/env python3
"""A real API server takes what is rendered: strictly, without a warning, under Pod Security "restricted" and by its own rules."""
import copy
import json
import sys
import time

import chart  # noqa: F401  where the modules below are
import programs
from chart import OWN, at, strict_loader
from control_plane import ControlPlane
from harness import check_rows
from schema_rows import CUSTOM
from value_sets import SETS, rendered

LEVEL = {"pod-security.kubernetes.io/enforce": "restricted", "pod-security.kubernetes.io/warn": "restricted"}


class Server:
    def __init__(self, plane):
        self.plane = plane
        for space in (OWN, "shop", "bank"):
            plane.namespace(space, **(LEVEL if space == OWN else {}))

    def says(self, objects):
        """What kubectl says of a dry run of them, warnings counting as errors."""
        done = self.plane.kubectl("create", "--dry-run=server", "--validate=strict", "--warnings-as-errors", "-f", "-",
                                  given=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
        made = [line for line in done.stdout.splitlines() if line.endswith("created (server dry run)")]
        return f"{len(made)} of {len(objects)} taken, exit {done.returncode}", done.stderr.strip()

    def taken(self, name):
        objects = built_in(name)
        said, trouble = self.says(objects)
        return f"{said.replace(f'{len(objects)} of {len(objects)}', 'all')}" + (f": {trouble[:1500]}" if trouble else "")

    def refused(self, name, wanted, change):
        one = copy.deepcopy(rendered("default").one(name))
        change(one)
        trouble = self.says([one])[1]
        return wanted if wanted in trouble else f"taken, or refused for another reason: {trouble}"


def built_in(name):
    """Without the kinds of operators, which this server does not have."""
    return [one for one in rendered(name).objects if not one["apiVersion"].startswith(CUSTOM)]


def pod(one):
    return at(one, "spec template spec")


SERVER, HOOK, POLICY = "Deployment/plimsoll", "ValidatingWebhookConfiguration/plimsoll", "NetworkPolicy/plimsoll-serve"
FAULTS = [
    (SERVER, 'unknown field "tolerance"', lambda one: pod(one).update(tolerance=[])),
    (SERVER, 'would violate PodSecurity "restricted:latest": host namespaces (hostNetwork=true)',
     lambda one: pod(one).update(hostNetwork=True)),
    (SERVER, 'would violate PodSecurity "restricted:latest": seccompProfile',
     lambda one: pod(one)["securityContext"].pop("seccompProfile")),
    ("Pod/plimsoll-verify", 'violates PodSecurity "restricted:latest": unrestricted capabilities', lambda one: one["spec"]["containers"][0][
        "securityContext"].pop("capabilities")),
    (HOOK, "undeclared reference to 'objekt'", lambda one: one["webhooks"][0]["matchConditions"][0].update(expression="objekt.spec == 1")),
    (POLICY, "spec.egress[2].to[0].ipBlock.except[0]",
     lambda one: one["spec"]["egress"][2]["to"][0]["ipBlock"].update({"except": ["fd00::/8"]})),
    (SERVER, "selector` does not match template `labels`", lambda one: at(one, "spec selector matchLabels").update(a="b")),
]


def rows(server):
    for number, name in enumerate((name for name in SETS if name != "node network"), 1):
        yield number, f"value set {name}", "all taken, exit 0", lambda name=name: server.taken(name)
    wanted = 'Warning: would violate PodSecurity "restricted:latest": host namespaces (hostNetwork=true)'
    count = len(built_in("node network"))
    yield 50, "value set node network", f"{count} of {count} taken, exit 1: {wanted}", lambda: node_network(server)
    for number, (name, wanted, change) in enumerate(FAULTS, 60):
        yield (number, f"{name} with a planted fault", wanted,
               lambda name=name, wanted=wanted, change=change: server.refused(name, wanted, change))


def node_network(server):
    """Only "privileged" allows it; nothing else about these pods is looser."""
    said, trouble = server.says(built_in("node network"))
    return f"{said}: {trouble.splitlines()[0]}"


def main():
    began = time.monotonic()
    try:
        for variable in chart.HELMS:
            chart.helms.find(variable)
        strict_loader()
        with ControlPlane() as plane:
            code = check_rows("a real API server", list(rows(Server(plane))), workers=2)
    except programs.Unavailable as missing:
        programs.end_without(missing, "Helm or API server")
    print(f"{time.monotonic() - began:.1f} s")
    return code


if __name__ == "__main__":
    sys.exit(main())
