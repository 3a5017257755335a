"""What runs on a node: images put in, pods and their logs, the memory that they take, and processes killed in them."""
import io
import json
import pathlib
import subprocess
import tarfile

import sandbox

SOCKET = "/run/containerd.sock"
IMAGE_NAME = "io.containerd.image.name"


def with_name(archive, name, target):
    """Copies an OCI or docker archive of one image and gives the image its name, as containerd wants it."""
    with tarfile.open(archive) as given, tarfile.open(target, "w") as made:
        names = given.getnames()
        listing = "index.json" if "index.json" in names else "manifest.json"
        for member in given:
            data = given.extractfile(member) if member.isfile() else None
            if member.name == listing:
                text = json.dumps(renamed(json.load(data), name)).encode()
                member.size, data = len(text), io.BytesIO(text)
            made.addfile(member, data)
    return target


def renamed(listing, name):
    entries = listing["manifests"] if isinstance(listing, dict) else listing
    if len(entries) != 1:
        raise ValueError(f"{len(entries)} images in an archive of one")
    if isinstance(listing, dict):
        entries[0]["annotations"] = {IMAGE_NAME: name}
    else:
        entries[0]["RepoTags"] = [name]
    return listing


def skopeo_source(archive):
    with tarfile.open(archive) as given:
        kind = "oci-archive" if "index.json" in given.getnames() else "docker-archive"
    return f"{kind}:{archive}"


def is_running(pod):
    """All its containers run and are ready, and nobody has deleted it."""
    statuses = pod["status"].get("containerStatuses", [])
    return bool(statuses) and all(status["ready"] for status in statuses) and "deletionTimestamp" not in pod["metadata"]


class Containers:
    """The part of a Node that looks at containerd and pods."""

    def run(self, arguments, given=None, timeout=60):
        """A program on the node; returns it finished, with stdout and stderr as text."""
        return subprocess.run([str(part) for part in arguments], input=given, capture_output=True, text=True, timeout=timeout)

    def ctr(self, *arguments, check=True):
        return subprocess.run(["ctr", "--address", SOCKET, "-n", "k8s.io", *map(str, arguments)], check=check, capture_output=True, text=True)

    # Images.

    def load(self, archive):
        """A docker-archive with its name in it."""
        self.ctr("images", "import", archive)

    def load_image(self, archive, name):
        """An OCI or docker archive of one image, under the name that pods use."""
        target = self.directory / "named.tar"
        try:
            self.load(with_name(archive, name, target))
        finally:
            target.unlink(missing_ok=True)

    def remove_image(self, name):
        """So that the next pod has to pull it: all names of the same image go."""
        lines = [line.split() for line in self.ctr("images", "list").stdout.splitlines()[1:]]
        digests = {line[2] for line in lines if line[0] == name}
        for line in lines:
            if line[2] in digests:
                self.ctr("images", "rm", "--sync", line[0])

    # Pods.

    def pods(self, name_space, selector="", running=False):
        query = f"?labelSelector={selector.replace('=', '%3D').replace(',', '%2C')}" if selector else ""
        items = self.get(f"/api/v1/namespaces/{name_space}/pods{query}")["items"]
        return [pod for pod in items if not running or is_running(pod)]

    def pod_logs(self, name_space, pod, container=None, previous=False):
        """As `kubectl logs` prints them."""
        flags = [*(["-c", container] if container else []), *(["--previous"] if previous else [])]
        return self.kubectl("logs", "-n", name_space, pod, *flags).stdout

    def container_ids(self, name_space, selector=""):
        return [status["containerID"].removeprefix("containerd://") for pod in self.pods(name_space, selector)
                for status in pod["status"].get("containerStatuses", []) if "running" in status.get("state", {})]

    def kill_containers(self, name_space, selector="", number="SIGKILL", at_most=None):
        """Sends a signal to the first process of running containers; returns how many there were."""
        found = self.container_ids(name_space, selector)[:at_most]
        for container in found:
            self.ctr("tasks", "kill", "-s", number, container, check=False)
        return len(found)

    def process_of(self, container):
        """The first process of a container, by its number."""
        for line in self.ctr("tasks", "list").stdout.splitlines()[1:]:
            identity, pid, *_ = line.split()
            if identity == container:
                return int(pid)
        return None

    # Memory.

    def resident_bytes(self, container):
        """(now, at most) of a container's first process."""
        text = pathlib.Path(f"/proc/{self.process_of(container)}/status").read_text()
        found = dict(line.split(":", 1) for line in text.splitlines())
        return tuple(int(found[key].split()[0]) * 1024 for key in ("VmRSS", "VmHWM"))

    def working_set_bytes(self, container):
        """What the kubelet calls so and evicts by: the cgroup's memory without files that nobody has used for long."""
        for line in pathlib.Path(f"/proc/{self.process_of(container)}/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if "memory" in controllers.split(","):
                group, usage, inactive = sandbox.CGROUPS / "memory", "memory.usage_in_bytes", "total_inactive_file"
            elif controllers == "" and (sandbox.CGROUPS / "cgroup.controllers").exists():
                group, usage, inactive = sandbox.CGROUPS, "memory.current", "inactive_file"
            else:
                continue
            group = group / path.lstrip("/")
            counts = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
            return max(0, int((group / usage).read_text()) - int(counts[inactive]))
        raise RuntimeError(f"container {container} has no memory cgroup")

    def pod_memory(self, name_space, selector=""):
        """{pod: (resident bytes, working set bytes)}, each the sum over its running containers."""
        found = {}
        for pod in self.pods(name_space, selector):
            ids = [status["containerID"].removeprefix("containerd://") for status in pod["status"].get("containerStatuses", [])
                   if "running" in status.get("state", {})]
            found[pod["metadata"]["name"]] = (sum(self.resident_bytes(one)[0] for one in ids), sum(map(self.working_set_bytes, ids)))
        return found
