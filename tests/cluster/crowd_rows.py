#!/usr/bin/env python3
"""A thousand policies and twenty thousand namespaces: followed, judged by, and small."""
import sys
import time
from pathlib import Path

from control_plane import control_plane_or_end
from controller_status import install_crds
from following import POLICIES, change, follower, put_policy, seconds_until, verdict
from harness import check_rows

sys.path.append(str(Path(__file__).resolve().parents[1] / "bench"))
from cluster_idle import create_many, policy  # noqa: E402

MANY_POLICIES, MANY_NAMESPACES = 1_000, 20_000


def main():
    began = time.monotonic()
    plane = control_plane_or_end()
    with plane:
        install_crds(plane)
        create_many(plane, "/api/v1/namespaces", [
            {"metadata": {"name": f"crowd-{number}", "labels": {"tier": "gold" if number % 2 else "silver"}}} for number in range(MANY_NAMESPACES)])
        create_many(plane, POLICIES, [policy(f"crowd-{number}", namespaces=[f"nowhere-{number}"]) for number in range(MANY_POLICIES)])
        put_policy(plane, "gold", match={"namespaceSelector": {"matchLabels": {"tier": "gold"}}})
        print(f"made after {time.monotonic() - began:.1f} s", flush=True)
        with follower(plane.kubeconfig, "--drain-timeout", "1s") as server:
            synced = seconds_until(lambda: server.metric("plimsoll_cluster_synced") == 1 and "from the cluster" in server.get("/readyz")[1], 120)
            first, last = MANY_NAMESPACES - 2, MANY_NAMESPACES - 1
            rows = [
                ("everything is listed", "True", lambda: synced < 120),
                ("namespaces known", "all of them", lambda: "all of them" if server.metric("plimsoll_cluster_namespaces") >= MANY_NAMESPACES else
                 server.metric("plimsoll_cluster_namespaces")),
                ("a silver one, a gold one", "allow, deny 403",
                 lambda: f"{verdict(server, name_space=f'crowd-{first}')}, {verdict(server, name_space=f'crowd-{last}')}"),
                ("a change among them", "in force", lambda: (lambda taken: print(f"   after {taken:.2f} s") or "in force" if taken < 60 else taken)(change(plane, server))),
                ("memory", "under 64 MiB", lambda: "under 64 MiB" if server.peak_memory() < 64 else f"{server.peak_memory():.0f} MiB")]
            code = check_rows("a crowded cluster", [(number, *row) for number, row in enumerate(rows, 1)], workers=1)
    print(f"{time.monotonic() - began:.1f} s")
    return code


if __name__ == "__main__":
    sys.exit(main())
