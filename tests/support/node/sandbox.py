"""Runs a test program in network, mount and process namespaces of its own: nothing of it reaches the machine, or outlives it.

    def main():
        sandbox.enter()             # the first line: what follows runs inside; plain sockets and programs just work
        with Node(...) as node: ...

The process that was started stays outside, waits, and removes what is left: also after SIGINT, SIGTERM, SIGHUP. If it is killed
itself, the kernel ends everything inside, and the next run removes the network namespace, the cgroups and the files.
"""
import contextlib
import ctypes
import fcntl
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import programs
from programs import Unavailable

INSIDE = "PLIMSOLL_SANDBOX"
PREFIX = "plimsoll-e2e-"
NODE_ADDRESS = "10.250.0.1"
CGROUPS = pathlib.Path("/sys/fs/cgroup")
NAMESPACES = pathlib.Path("/run/netns")
# What parts of a node write at fixed places: each gets a file system of its own there.
PRIVATE = ("/run", "/var/lib/cni", "/var/lib/kubelet", "/var/log")
NEEDED = {  # program -> Debian package
    "ip": "iproute2", "iptables": "iptables", "nsenter": "util-linux", "unshare": "util-linux", "mount": "mount", "openssl": "openssl",
    "containerd": "containerd", "ctr": "containerd", "containerd-shim-runc-v2": "containerd", "runc": "runc",
    "/usr/lib/cni/bridge": "containernetworking-plugins", "docker-registry": "docker-registry", "skopeo": "skopeo", "clang-19": "clang-19"}
PROBE = """mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work merged &&
ip link add probe0 type bridge && ip link add probe1 type veth peer name probe2 && iptables -t nat -A POSTROUTING -m comment --comment x -j MASQUERADE"""
PR_SET_PDEATHSIG = 1


def run(*command, check=True):
    return subprocess.run([str(part) for part in command], check=check, capture_output=True, text=True)


def missing():
    """Why there can be no sandbox here; "" where there can."""
    if os.geteuid() != 0:
        return "it needs root"
    absent = {program: package for program, package in NEEDED.items() if shutil.which(program) is None}
    if absent:
        return f"no {', '.join(absent)}: install the packages {' '.join(sorted(set(absent.values())))}"
    with tempfile.TemporaryDirectory(prefix="plimsoll-probe-") as directory:
        for name in ("lower", "upper", "work", "merged"):
            pathlib.Path(directory, name).mkdir()
        probe = subprocess.run(["unshare", "--net", "--mount", "--pid", "--fork", "--propagation", "private", "sh", "-c", PROBE],
                               cwd=directory, capture_output=True, text=True)
    return f"namespaces, overlay mounts, or bridges cannot be made here: {' '.join(probe.stderr.split())[-200:]}" if probe.returncode else ""


# What a sandbox is seen by from outside.

def scratch_directory(name):
    return pathlib.Path(tempfile.gettempdir(), name)


def cgroups_of(name):
    return [path for path in (CGROUPS / name, *CGROUPS.glob(f"*/{name}")) if path.is_dir()]


def below(directory):
    """The directory and those below it, the deepest first."""
    with contextlib.suppress(OSError):
        for path in directory.iterdir():
            if path.is_dir() and not path.is_symlink():
                yield from below(path)
    yield directory


def read(path):
    with contextlib.suppress(OSError):
        return path.read_bytes().decode(errors="replace")
    return ""


def processes_of(name):
    """Those in its network namespace or its cgroups, and those that got its name by their environment."""
    found = {int(pid) for top in cgroups_of(name) for group in below(top) for pid in read(group / "cgroup.procs").split()}
    with contextlib.suppress(OSError):
        network = f"net:[{(NAMESPACES / name).stat().st_ino}]"
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if os.readlink(process / "ns/net") == network:
                    found.add(int(process.name))
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        if f"{INSIDE}={name}" in read(process / "environ").split("\0"):
            found.add(int(process.name))
    return sorted(found - {os.getpid()})


def leftovers(name):
    """What there still is of a sandbox, one line each; [] is what it should be after it."""
    found = [f"process {pid} {read(pathlib.Path('/proc', str(pid), 'cmdline')).replace(chr(0), ' ')[:80]}" for pid in processes_of(name)]
    mounts = {line for table in pathlib.Path("/proc").glob("[0-9]*/mountinfo") for line in read(table).splitlines()
              if f"/{name}/" in line or f"/{name} " in line}
    found += [f"mount {line.split()[4]}" for line in mounts]
    found += [f"cgroup {path}" for path in cgroups_of(name)]
    found += [f"directory {scratch_directory(name)}"] if scratch_directory(name).exists() else []
    return found + ([f"network namespace {name}"] if (NAMESPACES / name).exists() else [])


# Making and removing it.

def remove(name, seconds=20):
    """What a sandbox has outside of itself; the namespace is the last, since the next run knows of a sandbox by it."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        left = processes_of(name)
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for group in (group for top in cgroups_of(name) for group in below(top)):
            with contextlib.suppress(OSError):  # busy until its last process has gone
                group.rmdir()
        if not left and not cgroups_of(name):
            break
        time.sleep(0.05)
    shutil.rmtree(scratch_directory(name), ignore_errors=True)
    run("ip", "netns", "delete", name, check=False)


@contextlib.contextmanager
def locked(path):
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def remove_leftovers():
    """What is left of runs that were killed: their process has gone, and with it the lock on their namespace."""
    for path in NAMESPACES.glob(f"{PREFIX}*"):
        if pathlib.Path("/proc", path.name.removeprefix(PREFIX)).exists():
            continue  # that, or another one with its number: then it is left for a later run
        handle = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        finally:
            os.close(handle)
        remove(path.name)


def make_network(name):
    """A network with a node's address, a default route that leads nowhere, and no way out."""
    run("ip", "netns", "add", name)
    inside = ("nsenter", f"--net={NAMESPACES / name}")
    for command in ("ip link set lo up", "ip link add node type bridge", "ip link add node-a type veth peer name node-b",
                    "ip link set node-a master node", f"ip address add {NODE_ADDRESS}/32 dev node", "ip link set node up",
                    "ip link set node-a up", "ip link set node-b up", "ip route add default dev node"):
        run(*inside, *command.split())
    run(*inside, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")


def make(name):
    """Returns what has to stay open as long as the sandbox lives."""
    with locked(NAMESPACES.parent):  # `ip netns` itself locks the directory below
        remove_leftovers()
        try:
            make_network(name)
        except subprocess.CalledProcessError as failed:
            raise Unavailable(f"{' '.join(failed.cmd)}: {failed.stderr.strip()}") from failed
        handle = os.open(NAMESPACES / name, os.O_RDONLY)
        fcntl.flock(handle, fcntl.LOCK_EX)
    scratch_directory(name).mkdir()
    return handle


def start_inside(name):
    """This program once more, inside. The shell is the first process there: it waits for whatever has lost its parent."""
    command = ["nsenter", f"--net={NAMESPACES / name}", "unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child",
               "--mount-proc", "sh", "-c", '"$@" & wait $!', "sh", sys.executable, *sys.argv]
    library = ctypes.CDLL(None)
    return subprocess.Popen(command, env={**os.environ, INSIDE: name, "TMPDIR": str(scratch_directory(name))},
                            preexec_fn=lambda: library.prctl(PR_SET_PDEATHSIG, signal.SIGKILL))


def enter(afterwards=None):
    """The first line of a test program's main(): returns inside of the sandbox, and ends the process outside of it.

    Unavailable where there can be none. `afterwards` is called outside with the sandbox's name when all is removed; what it
    returns is the exit code where the program inside ended with 0.
    """
    if os.environ.get(INSIDE):
        prepare_inside()
        return
    why_not = missing()
    if why_not:
        raise Unavailable(why_not)
    for program in (*programs.PROGRAMS, *programs.NODE_PROGRAMS):
        programs.find(program)  # inside there is no network to build them with

    def told(number, _):
        raise SystemExit(128 + number)

    told_by = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in told_by:
        signal.signal(number, told)
    name, child = f"{PREFIX}{os.getpid()}", None
    try:
        lock = make(name)
        child = start_inside(name)
        code = child.wait()
    finally:
        for number in told_by:
            signal.signal(number, signal.SIG_IGN)
        if child is not None and child.poll() is None:
            child.kill()
            child.wait()
        remove(name)
    os.close(lock)
    for number in told_by:
        signal.signal(number, told)
    after = afterwards(name) if afterwards else 0
    sys.exit((code if code >= 0 else 128 - code) or after)


def prepare_inside():
    run("mount", "--make-rshared", "/")
    for place in PRIVATE:
        pathlib.Path(place).mkdir(parents=True, exist_ok=True)
        run("mount", "-t", "tmpfs", "none", place)
    NAMESPACES.mkdir()


def own_cgroup():
    """The name of a cgroup of our own in every hierarchy, as kubelet's cgroupRoot wants it."""
    name = os.environ[INSIDE]
    unified = (CGROUPS / "cgroup.controllers").exists()
    if unified:
        for controller in (CGROUPS / "cgroup.controllers").read_text().split():
            with contextlib.suppress(OSError):  # where it cannot be given on, the kubelet says so
                (CGROUPS / "cgroup.subtree_control").write_text(f"+{controller}")
    for hierarchy in [CGROUPS] if unified else [path for path in CGROUPS.iterdir() if path.is_dir() and not path.is_symlink()]:
        (hierarchy / name).mkdir(exist_ok=True)
    return f"/{name}"
