"""Runs the program of an image as a container runtime would: its files alone, read-only, as a user without rights."""

import os
import subprocess
import sys
from pathlib import Path

IN_NAMESPACE = "PLIMSOLL_IMAGE_TEST_IN_NAMESPACE"
USER = 65532
MOUNT = """
mount --bind "$0" "$0"
while [ "$1" != -- ]; do
  mount --bind "$1" "$0$2"
  mount -o remount,bind,ro "$0$2"
  shift 2
done
shift
mount -o remount,bind,ro "$0"
cd /
exec setpriv --no-new-privs chroot ${CONFINED_AS:+--userspec=$CONFINED_AS:$CONFINED_AS --groups=} "$0" "$@"
"""


def enter_namespace():
    """Without root: starts this test again where it is root of a namespace of its own, with a network of its own."""
    if os.geteuid() != 0 and IN_NAMESPACE not in os.environ:
        os.environ[IN_NAMESPACE] = "1"
        again = 'ip link set lo up 2> /dev/null; exec "$@"'
        os.execvp("unshare", ["unshare", "--user", "--map-root-user", "--mount", "--net", "sh", "-c", again, "sh",
                              sys.executable, *sys.argv])


class Confined:
    """`root` is the unpacked image; places where something is mounted are made in it first, as runtimes do."""

    def __init__(self, root):
        self.root, self.mounts = Path(root), []
        self.user = 0 if IN_NAMESPACE in os.environ else USER

    def mount(self, source, place):
        """A file or a directory, read-only; the first one of a place counts no more when there is another."""
        target = Path(str(self.root) + place)
        target.parent.mkdir(parents=True, exist_ok=True)
        if Path(source).is_dir():
            target.mkdir(exist_ok=True)
        elif not target.exists():
            target.touch()
        self.mounts = [pair for pair in self.mounts if pair[1] != place] + [(str(source), place)]

    def command(self, *arguments):
        mounts = [part for pair in self.mounts for part in pair]
        return ["unshare", "--mount", "--propagation", "private", "sh", "-ec", MOUNT, str(self.root), *mounts, "--", *map(str, arguments)]

    def environment(self):
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "CONFINED_AS": str(self.user or "")}

    def run(self, *arguments, timeout=60, given=b""):
        return subprocess.run(self.command(*arguments), env=self.environment(), input=given, capture_output=True, timeout=timeout)

    def start(self, *arguments, log):
        return subprocess.Popen(self.command(*arguments), env=self.environment(), stdout=log, stderr=log)
