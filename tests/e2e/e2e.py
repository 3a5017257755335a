"""`make e2e`: plimsoll in a real Kubernetes, installed by Helm; prints a table with what was seen, row by row.

    e2e.py ARCHIVE [GROUP...]     the image as `make image` makes it; groups by number, all without"""
import importlib
import os
import subprocess
import sys
import tempfile
import time

import helm
import sandbox
from harness import check_rows
from stage import ROOT, Stage

GROUPS = {  # number -> (module, title)
    1: ("install_rows", "from nothing to the first judged object"),
    2: ("kind_rows", "every kind, and what people and controllers do with it"),
    3: ("admitted_rows", "what was admitted before goes on"),
    4: ("load_rows", "no call is lost while plimsoll is replaced"),
    5: ("dead_rows", "all replicas dead, failurePolicy Fail"),
    6: ("outage_rows", "the API server and etcd away, slow, or out of reach"),
    7: ("image_rows", "rules about images, of a registry in the cluster"),
    8: ("policy_object_rows", "policies and exceptions; a controller that dies"),
    9: ("uninstall_rows", "uninstall, reinstall, upgrade"),
    10: ("rights_rows", "rights, and what a stranger learns"),
    11: ("readme_rows", "a newcomer, by the README"),
}


def without_cluster(missing):
    """What needs no containers: the chart, rendered and asked of a real API server."""
    print(f"SKIPPED, no cluster of containers here: {missing}\nskipped: groups {', '.join(map(str, GROUPS))}", flush=True)
    os.environ.setdefault("PLIMSOLL", str(ROOT / "build" / "image" / "plimsoll"))
    programs = sorted((ROOT / "tests" / "chart").glob("*_rows.py"))
    codes = {path.stem: subprocess.run([sys.executable, path], check=False).returncode for path in programs}
    failed = [name for name, code in codes.items() if code not in (0, 77)]
    print(f"\nmake e2e: without a cluster {len(codes) - len(failed)} of {len(codes)} tables of the chart passed" + (f", failed: {failed}" if failed else ""))
    return 1 if failed else 0


def main():
    try:
        for variable in helm.PACKAGES:
            os.environ[variable] = str(helm.find(variable))
        sandbox.enter()
    except sandbox.Unavailable as missing:
        return without_cluster(missing)
    archive, *wanted = sys.argv[1:]
    # The last one pulls the image; then the kubelet gives it to no pod by the name that it was loaded by.
    numbers = sorted(map(int, wanted)) or list(GROUPS)
    began, codes = time.monotonic(), {}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory, Stage(directory, archive) as stage:
        print(f"a real Kubernetes is ready after {time.monotonic() - began:.1f} s", flush=True)
        stage.namespace("shop")
        for number in numbers:
            module, title = GROUPS[number]
            since = time.monotonic()
            try:
                rows = importlib.import_module(module).rows(stage)
                codes[number] = check_rows(f"group {number}: {title}", rows, workers=1)
            finally:
                stage.clear()
            print(f"{time.monotonic() - since:.1f} s", flush=True)
    failed = [number for number, code in codes.items() if code]
    print(f"\nmake e2e: {len(codes) - len(failed)} of {len(codes)} groups passed" + (f", failed: {failed}" if failed else "")
          + f", {time.monotonic() - began:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
