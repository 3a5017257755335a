#!/usr/bin/env python3
"""Lists of a real API server: pages that are too long for one answer, and kinds that are gone."""
import pathlib
import re
import sys
import time

from api_proxy import ApiProxy
from control_plane import ADMIN, control_plane_or_end
from controller_stage import Place
from controller_status import install_crds
from following import exception, exceptions_of, follower, policy, put_policy, seconds_until, trouble, verdict
from harness import check_rows

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "bench"))
from cluster_idle import create_many  # noqa: E402

ANNOTATED, ANNOTATION = 260, 250_000  # bytes; an object has 256 KiB of annotations at most
LONG, LENGTH = 60, 1_200_000  # bytes; etcd takes 1.5 MiB
WITHIN = 240  # s, on a busy machine; it is told how long it took
MOST_MEMORY = {"server": 64, "controller": 128}  # MiB; the limit that the chart gives the controller


def large_exceptions():
    made = [exception(f"annotated-{number:03}", match={"names": ["nothing"]}) for number in range(ANNOTATED)]
    for one in made:
        one["metadata"]["annotations"] = {"text": "x" * ANNOTATION}
    return made + [exception(f"long-{number:03}", x="x" * LENGTH) for number in range(LONG)]


def memory(pid, most):
    peak = int(re.search(r"VmHWM:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1)) / 1024
    print(f"   {peak:.0f} MiB at most", flush=True)
    return f"under {most} MiB" if peak < most else f"{peak:.0f} MiB"


def page_rows(plane, server, controller):
    last = f"{exceptions_of('large')}/zz-last"

    def listed():
        taken = seconds_until(lambda: server.metric("plimsoll_cluster_synced") == 1 and verdict(server, name_space="other") == "deny 403"
                              and verdict(server, name_space="large").startswith("allow"), WITHIN)
        print(f"   after {taken:.1f} s", flush=True)
        return f"{taken < WITHIN}, {verdict(server, name_space='other')}, {verdict(server, name_space='large').partition(' ')[0]}"
    return [
        ("everything is listed; a policy counts, and the last exception", "True, deny 403, allow", listed),
        ("nothing is wrong", "[]", lambda: trouble(server)[1]),
        ("the controller has read it, too", "True", lambda: seconds_until(
            lambda: plane.get(last).get("status", {}).get("conditions", [{}])[0].get("status") == "True", WITHIN) < WITHIN),
        ("memory of the server", f"under {MOST_MEMORY['server']} MiB", lambda: memory(server.process.pid, MOST_MEMORY["server"])),
        ("memory of the controller", f"under {MOST_MEMORY['controller']} MiB",
         lambda: memory(controller.process.pid, MOST_MEMORY["controller"]))]


def long_pages(plane):
    for name in ("large", "other"):
        plane.namespace(name)
    put_policy(plane, "large", match={"namespaces": ["large", "other"]}, namespaceExceptions={"rules": ["image-tag"], "longest": "90d"})
    create_many(plane, exceptions_of("large"), large_exceptions())
    plane.create(exceptions_of("large"), exception("zz-last"))
    place = Place(plane, "lists", 41, secret={})
    with place.controller("--policies", "cluster") as controller, follower(plane.kubeconfig, "--drain-timeout", "1s") as server:
        return check_rows("long pages", [(number, *row) for number, row in enumerate(page_rows(plane, server, controller), 1)], workers=1)


def gone_rows(plane, proxy, server):
    def denied(wanted):
        return f"{wanted} {seconds_until(lambda: verdict(server) == wanted, WITHIN) < WITHIN}"

    def removed():
        with proxy.unreachable():
            done = plane.kubectl("delete", "crd", "hygienepolicies.plimsoll.dev", "hygieneexceptions.plimsoll.dev", timeout=WITHIN)
            kept = verdict(server)
        return f"exit {done.returncode}, {kept}; {denied('allow + warning')}"

    def back():
        install_crds(plane)
        plane.create("/apis/plimsoll.dev/v1alpha1/hygienepolicies", policy("again", match={"namespaces": ["shop"]}))
        return denied("deny 403")
    return [
        ("a policy is in force", "deny 403 True", lambda: denied("deny 403")),
        ("its kind is removed while the API server cannot be reached", "exit 0, deny 403; allow + warning True", removed),
        ("/readyz says why", "True", lambda: any("is its CustomResourceDefinition installed?" in line for line in trouble(server)[1])),
        ("its kind is installed again", "deny 403 True", back)]


def kinds_that_are_gone(plane):
    put_policy(plane, "shop", match={"namespaces": ["shop"]})
    with ApiProxy(plane) as proxy, follower(proxy.kubeconfig("client", ADMIN), "--drain-timeout", "1s") as server:
        rows = [(number, *row) for number, row in enumerate(gone_rows(plane, proxy, server), 101)]
        return check_rows("kinds that are gone", rows, workers=1)


def main():
    began = time.monotonic()
    plane = control_plane_or_end()
    with plane:
        install_crds(plane)
        plane.namespace("shop")
        code = max(long_pages(plane), kinds_that_are_gone(plane))
    print(f"{time.monotonic() - began:.1f} s")
    return code


if __name__ == "__main__":
    sys.exit(main())
