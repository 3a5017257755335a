"""A whole Kubernetes of one node in the sandbox: etcd, API server, controllers, scheduler, kubelet, proxy, containerd, all of them real.

    sandbox.enter()
    with Node() as node:
        node.load(image_archive)
        node.kubectl("apply", "-f", "...")
"""
import json
import pathlib
import signal
import subprocess
import time

import programs
import sandbox
from control_plane import ControlPlane, Status
from sandbox import NODE_ADDRESS

SERVICES = "10.96.0.0/16"
PODS = "10.244.0.0/24"
NAME = "node1"
SOCKET = "/run/containerd.sock"
REGISTRY_PORTS = (5000, 5001)  # without and with authentication

CONTAINERD = """version = 2
root = "{root}/containerd"
state = "/run/containerd"
[grpc]
  address = "{socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{root}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "{root}/certs.d"
"""
CNI = {"cniVersion": "0.4.0", "name": "pods", "plugins": [
    {"type": "bridge", "bridge": "pods", "isGateway": True, "ipMasq": True, "hairpinMode": True,
     "ipam": {"type": "host-local", "ranges": [[{"subnet": PODS}]], "routes": [{"dst": "0.0.0.0/0"}]}},
    {"type": "portmap", "capabilities": {"portMappings": True}}]}


class Node(ControlPlane):
    """`pause`: the archive of the pause image. `flags`: further ones of the API server."""

    served_names = ControlPlane.served_names + f",IP:{NODE_ADDRESS},IP:10.96.0.1"
    surroundings = ("--bind-address", "0.0.0.0", "--advertise-address", NODE_ADDRESS, "--authorization-mode", "Node,RBAC",
                    "--service-cluster-ip-range", SERVICES, "--allow-privileged=true",
                    "--kubelet-preferred-address-types", "InternalIP")

    def __init__(self, pause, users=None, flags=()):
        node_programs = {name: programs.find(name) for name in programs.NODE_PROGRAMS}
        super().__init__(users, flags)
        self.programs.update(node_programs)
        self.pause_archive, self.running = pause, {}
        client = self.authority.issue("kubelet-client", "/O=system:masters/CN=kubelet-client")
        self.flags += ["--kubelet-client-certificate", client[0], "--kubelet-client-key", client[1]]

    # Starting and stopping.

    def __enter__(self):
        try:
            self._start_containerd()
            super().__enter__()
            self._start_controllers()
            self._start_kubelet()
            self.wait_until(self.is_ready, 60, "the node is ready")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        """What is left, the sandbox takes with it."""
        for name in ("kubelet", "kube-proxy", "kube-scheduler", "kube-controller-manager", "containerd"):
            process = self.running.get(name)
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
                process.wait()
        super().__exit__()

    def _start(self, name, *flags, program=None):
        with open(self.directory / f"{name}.log", "ab") as log:
            self.running[name] = subprocess.Popen([program or self.programs[name], *map(str, flags)], stdout=log, stderr=log, cwd=self.directory)

    def _start_containerd(self):
        (self.directory / "cni").mkdir()
        (self.directory / "certs.d").mkdir()
        (self.directory / "cni" / "10-pods.conflist").write_text(json.dumps(CNI))
        configuration = self.directory / "containerd.toml"
        configuration.write_text(CONTAINERD.format(root=self.directory, socket=SOCKET, pause="localhost/pause:1"))
        self._start("containerd", "--config", configuration, "--log-level", "warn", program="containerd")
        self.wait_until(lambda: self.ctr("version", check=False).returncode == 0, 30, "containerd answers")
        self.load(self.pause_archive)

    def client_config(self, name, subject):
        return self.write_kubeconfig(name, certificate=self.authority.issue(name, subject))

    def _start_controllers(self):
        manager = self.client_config("manager", "/CN=system:kube-controller-manager")
        scheduler = self.client_config("scheduler", "/CN=system:kube-scheduler")
        proxy = self.client_config("proxy", "/CN=system:kube-proxy")
        self._start("kube-controller-manager", "--kubeconfig", manager, "--leader-elect=false", "--use-service-account-credentials=true",
                    "--service-account-private-key-file", self.directory / "sa.key", "--root-ca-file", self.authority.certificate,
                    "--authentication-kubeconfig", manager, "--authorization-kubeconfig", manager, "--cluster-cidr", PODS,
                    "--node-monitor-grace-period", "20s")
        self._start("kube-scheduler", "--kubeconfig", scheduler, "--leader-elect=false", "--authentication-kubeconfig", scheduler,
                    "--authorization-kubeconfig", scheduler)
        self._start("kube-proxy", "--kubeconfig", proxy, "--proxy-mode=iptables", "--cluster-cidr", PODS, "--hostname-override", NAME,
                    "--conntrack-max-per-core=0", "--metrics-bind-address", "127.0.0.1:10249")

    def _start_kubelet(self):
        root = self.directory / "node-files"
        configuration = {
            "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration", "cgroupDriver": "cgroupfs",
            "failCgroupV1": False, "failSwapOn": False, "enforceNodeAllocatable": [], "cgroupsPerQOS": True, "cgroupRoot": sandbox.own_cgroup(),
            "containerRuntimeEndpoint": f"unix://{SOCKET}", "address": NODE_ADDRESS, "maxPods": 200,
            "authentication": {"anonymous": {"enabled": False}, "webhook": {"enabled": True},
                               "x509": {"clientCAFile": str(self.authority.certificate)}},
            "authorization": {"mode": "Webhook"},
            "evictionHard": {"memory.available": "50Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
            "imageGCHighThresholdPercent": 100, "imageGCLowThresholdPercent": 99, "serializeImagePulls": False}
        path = self.directory / "kubelet.json"
        path.write_text(json.dumps(configuration))
        identity = self.client_config("kubelet", f"/O=system:nodes/CN=system:node:{NAME}")
        self._start("kubelet", "--config", path, "--kubeconfig", identity, "--root-dir", root, "--hostname-override", NAME, "--node-ip", NODE_ADDRESS,
                    "--cert-dir", self.directory / "kubelet-pki")

    @staticmethod
    def wait_until(holds, seconds=60, what="it holds"):
        """Returns what it gave when it was true; AssertionError says what did not come."""
        until = time.monotonic() + seconds
        while True:
            seen = holds()
            if seen:
                return seen
            if time.monotonic() > until:
                raise AssertionError(f"not within {seconds} s: {what}")
            time.sleep(0.1)

    def is_ready(self):
        try:
            conditions = self.get(f"/api/v1/nodes/{NAME}")["status"].get("conditions", [])
        except (Status, OSError):
            return False
        return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)

    # Images and containers.

    def ctr(self, *arguments, check=True):
        return subprocess.run(["ctr", "--address", SOCKET, "-n", "k8s.io", *map(str, arguments)], check=check, capture_output=True, text=True)

    def load(self, archive):
        """A docker-archive with its name in it."""
        self.ctr("images", "import", archive)

    def trust(self, host, authority):
        """containerd pulls from this host with this authority."""
        directory = self.directory / "certs.d" / host
        directory.mkdir(parents=True)
        (directory / "hosts.toml").write_text(f'server = "https://{host}"\n[host."https://{host}"]\n  ca = "{authority}"\n')

    def pods(self, name_space, selector="", running=False):
        query = f"?labelSelector={selector.replace('=', '%3D').replace(',', '%2C')}" if selector else ""
        items = self.get(f"/api/v1/namespaces/{name_space}/pods{query}")["items"]
        return [pod for pod in items if not running or is_running(pod)]

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

    def resident_bytes(self, container):
        """(now, at most) of a container's first process."""
        text = pathlib.Path(f"/proc/{self.process_of(container)}/status").read_text()
        found = dict(line.split(":", 1) for line in text.splitlines())
        return tuple(int(found[key].split()[0]) * 1024 for key in ("VmRSS", "VmHWM"))

    # Faults.

    def signal(self, name, number):
        """To one of etcd, kube-apiserver, kubelet and the others."""
        own = {"etcd": self.etcd, "kube-apiserver": self.api}
        (own.get(name) or self.running[name]).send_signal(number)

    def cut_off_pods_from_api(self, port=None):
        """From now on no pod reaches the API server, until `give_back` is called; connections that are open hang, too."""
        self._rules = [["-s", PODS, "-d", NODE_ADDRESS, "-p", "tcp", "--dport", str(port or self.port), "-j", "DROP"]]
        for rule in self._rules:
            for chain in ("INPUT", "FORWARD"):
                sandbox.run("iptables", "-I", chain, "1", *rule)

    def give_back(self):
        for rule in self._rules:
            for chain in ("INPUT", "FORWARD"):
                sandbox.run("iptables", "-D", chain, *rule)


def is_running(pod):
    """All its containers run and are ready, and nobody has deleted it."""
    statuses = pod["status"].get("containerStatuses", [])
    return bool(statuses) and all(status["ready"] for status in statuses) and "deletionTimestamp" not in pod["metadata"]
