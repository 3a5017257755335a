"""A server that follows an API server, or a proxy before it: policies to change, and how long until a change is in force."""
import contextlib
import itertools
import time

from control_plane import Status
from harness import Server, container, deployment, review

API = "plimsoll.dev/v1alpha1"
POLICIES = "/apis/plimsoll.dev/v1alpha1/hygienepolicies"
LATEST = deployment(container(image="nginx:latest"))
_numbers = itertools.count(1)


def policy(name, rules=None, **spec):
    return {"apiVersion": API, "kind": "HygienePolicy", "metadata": {"name": name},
            "spec": {"rules": rules or {"image-tag": {"action": "enforce"}}, **spec}}


def exception(name, days=30, **spec):
    end = time.strftime("%Y-%m-%d", time.gmtime(time.time() + days * 86400))
    return {"apiVersion": API, "kind": "HygieneException", "metadata": {"name": name},
            "spec": {"rules": ["image-tag"], "owner": "team-a", "reason": "a test", "expires": end, **spec}}


def exceptions_of(name_space):
    return f"/apis/plimsoll.dev/v1alpha1/namespaces/{name_space}/hygieneexceptions"


def put_policy(plane, name, rules=None, **spec):
    """Creates the policy, or gives it this spec and no other."""
    made = policy(name, rules, **spec)
    try:
        there = plane.get(f"{POLICIES}/{name}")
    except Status as status:
        if status.code != 404:
            raise
        return plane.create(POLICIES, made)
    made["metadata"]["resourceVersion"] = there["metadata"]["resourceVersion"]
    return plane.request("PUT", f"{POLICIES}/{name}", made)


def remove(plane, path):
    with contextlib.suppress(Status):
        plane.delete(path)


def follower(kubeconfig, *flags, fallback=None):
    """`plimsoll serve --policies cluster`; without a fallback the built-in policy is."""
    return Server("--policies", "cluster", "--kubeconfig", kubeconfig, *flags, policy=fallback or "")


def verdict(server, thing=None, name_space="shop"):
    """"allow", "allow + warning" or "deny 403", and the rules."""
    asked = review(thing or LATEST)
    asked["request"]["namespace"] = name_space
    response = server.ask(asked)
    if response["allowed"]:
        return "allow + warning" if response.get("warnings") else "allow"
    return f"deny {response['status']['code']}"


def revision(server):
    """Of the policies that are in force, as /readyz names it."""
    return server.get("/readyz")[1].partition("revision ")[2].partition(" ")[0]


def seconds_until(holds, limit=60.0):
    """How long until it holds; infinity where it does not in time."""
    began = time.monotonic()
    while time.monotonic() < began + limit:
        if holds():
            return time.monotonic() - began
        time.sleep(0.01)
    return float("inf")


def change(plane, server, limit=60.0):
    """A new policy for a namespace of its own, and the seconds until it is in force."""
    number = next(_numbers)
    name_space = f"of-its-own-{number}"
    put_policy(plane, f"change-{number}", match={"namespaces": [name_space]})
    taken = seconds_until(lambda: verdict(server, name_space=name_space) == "deny 403", limit)
    remove(plane, f"{POLICIES}/change-{number}")
    return taken


def trouble(server):
    """What /readyz says about the cluster; it must be 200 all the same."""
    status, text = server.get("/readyz")
    return status, [line for line in text.splitlines() if line.startswith("cluster: ")]
