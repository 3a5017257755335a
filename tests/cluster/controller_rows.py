#!/usr/bin/env python3
"""What the controller does on a real API server: certificates, webhook configuration, status, one leader, crashes, outages, cleanup."""
import concurrent.futures
import sys
import time
import traceback

import controller_cleanup
import controller_configuration
import controller_crashes
import controller_election
import controller_install
import controller_status
from control_plane import control_plane_or_end
from harness import check_rows

TOGETHER = [
    controller_cleanup.Cleanup,
    controller_crashes.Crashes,
    controller_install.SecretDamaged,
    controller_install.FirstInstall,
    controller_install.SecretMissing,
    controller_install.Existing,
    controller_install.CertManager,
    controller_configuration.Edited,
    controller_configuration.Unmanaged,
    controller_configuration.Deleted,
    controller_configuration.Fight,
    controller_configuration.SlowFight,
    controller_status.Statuses,
    *controller_election.SCENES,
]
ALONE = [controller_cleanup.Outages]  # they stop the API server
USERS = (
    "first-a",
    "missing-a",
    "existing-a",
    "certmanager-a",
    "edited-a",
    "unmanaged-a",
    "deleted-a",
    "fight0-a",
    "fight1-a",
    "status-a",
    "cleanup-a",
    "outages-a",
    *controller_crashes.USERS,
    *(f"{name}-{one}" for name in ("killed", "ended", "frozen", "heldup", "cutoff") for one in "ab"),
)


def main():
    began = time.monotonic()
    plane = control_plane_or_end({name: (f"token-of-{name}", ["system:masters"]) for name in USERS} | {"nobody": ("token-of-nobody", [])})
    only = sys.argv[1:]  # names of scenes, while one works on them
    with plane:
        scenes = [[made(plane) for made in some if not only or made.__name__ in only] for some in (TOGETHER, ALONE)]
        print(f"ready after {time.monotonic() - began:.1f} s", flush=True)
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            for played in [pool.submit(scene.run) for scene in scenes[0]]:
                told(played.result)
        for scene in scenes[1]:
            told(scene.run)
    rows = sorted(
        (row for some in scenes for scene in some for row in scene.rows()), key=lambda row: [int(part) for part in row[0].split(".")]
    )
    code = check_rows("the controller on a real API server", rows)
    print(f"{time.monotonic() - began:.1f} s")
    return code


def told(play):
    """What goes wrong in a scene is a row of its own, too."""
    try:
        play()
    except Exception:
        traceback.print_exc()


if __name__ == "__main__":
    sys.exit(main())
