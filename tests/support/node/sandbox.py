"""Runs a test program in network, mount and process namespaces of its own: nothing of it reaches the machine, or outlives it."""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

INSIDE = "PLIMSOLL_SANDBOX"
PREFIX = "plimsoll-e2e-"
NODE_ADDRESS = "10.250.0.1"
CGROUPS = pathlib.Path("/sys/fs/cgroup")
# What parts of a node write at fixed places: each gets a file system of its own there.
PRIVATE = ("/run", "/var/lib/cni", "/var/lib/kubelet", "/var/log")


class Unavailable(Exception):
    """This machine cannot have a node; the text says what is missing."""


def run(*command, check=True):
    return subprocess.run([str(part) for part in command], check=check, capture_output=True, text=True)


def missing():
    """Why there can be no sandbox here; "" where there can."""
    if os.geteuid() != 0:
        return "it needs root"
    for program in ("ip", "iptables", "nsenter", "unshare", "mount"):
        if shutil.which(program) is None:
            return f"there is no program {program}"
    probe = subprocess.run(["unshare", "--net", "--mount", "--pid", "--fork", "--propagation", "private", "mount", "-t", "tmpfs", "none", "/mnt"],
                           capture_output=True, text=True)
    return f"namespaces cannot be made here: {probe.stderr.strip()[-200:]}" if probe.returncode else ""


def remove_cgroups(name):
    for directory in CGROUPS.glob(f"*/{name}"):
        for path in sorted((path for path in directory.rglob("*") if path.is_dir()), reverse=True):
            path.rmdir()
        directory.rmdir()
    if (CGROUPS / name).is_dir():
        for path in sorted((path for path in (CGROUPS / name).rglob("*") if path.is_dir()), reverse=True):
            path.rmdir()
        (CGROUPS / name).rmdir()


def remove(name):
    """What a sandbox has outside of itself; its mounts have gone with it."""
    run("ip", "netns", "delete", name, check=False)
    remove_cgroups(name)
    shutil.rmtree(pathlib.Path(tempfile.gettempdir(), name), ignore_errors=True)


def remove_leftovers():
    """What is left of test programs that were killed."""
    for path in pathlib.Path("/run/netns").glob(f"{PREFIX}*"):
        pid = path.name.removeprefix(PREFIX)
        if not pathlib.Path("/proc", pid).exists():
            remove(path.name)


def make_network(name):
    """A network with a node's address, a default route that leads nowhere, and no way out."""
    run("ip", "netns", "add", name)
    inside = ("nsenter", f"--net=/run/netns/{name}")
    for command in ("ip link set lo up", "ip link add node type bridge", "ip link add node-a type veth peer name node-b",
                    "ip link set node-a master node", f"ip address add {NODE_ADDRESS}/32 dev node", "ip link set node up",
                    "ip link set node-a up", "ip link set node-b up", "ip route add default dev node",
                    "sysctl -qw net.ipv4.ip_forward=1"):
        run(*inside, *command.split())


def enter():
    """The first line of a test program's main(): returns inside of the sandbox, and ends the process outside of it."""
    if os.environ.get(INSIDE):
        prepare_inside()
        return
    why_not = missing()
    if why_not:
        raise Unavailable(why_not)
    remove_leftovers()
    name = f"{PREFIX}{os.getpid()}"
    make_network(name)
    # The shell is the first process: it waits for everything that has lost its parent.
    command = ["nsenter", f"--net=/run/netns/{name}", "unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child",
               "--mount-proc", "sh", "-c", '"$@" & wait $!', "sh", sys.executable, *sys.argv]
    scratch = pathlib.Path(tempfile.gettempdir(), name)
    scratch.mkdir()
    child = subprocess.Popen(command, env={**os.environ, INSIDE: name, "TMPDIR": str(scratch)})
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: child.kill())
    code = child.wait()
    remove(name)
    sys.exit(code if code >= 0 else 128 - code)


def prepare_inside():
    run("mount", "--make-rshared", "/")
    for place in PRIVATE:
        pathlib.Path(place).mkdir(parents=True, exist_ok=True)
        run("mount", "-t", "tmpfs", "none", place)
    pathlib.Path("/run/netns").mkdir()


def own_cgroup():
    """The name of a cgroup of our own in every hierarchy, as kubelet's cgroupRoot wants it."""
    name = os.environ[INSIDE]
    unified = (CGROUPS / "cgroup.controllers").exists()
    for hierarchy in [CGROUPS] if unified else [path for path in CGROUPS.iterdir() if path.is_dir()]:
        (hierarchy / name).mkdir(exist_ok=True)
    return f"/{name}"
