"""A whole Kubernetes of one node in the sandbox: etcd, API server, controllers, scheduler, kubelet, proxy, containerd, all of them real.

    sandbox.enter()                                                # see there: this program goes on inside
    with Node(small_images.archive(directory, "localhost/pause:1")) as node:
        node.load_image(archive, "localhost/team/app:1.0.0")       # pods with imagePullPolicy Never or IfNotPresent
        node.registry("basic")                                     # https://10.250.0.1:5001, with pull secrets; "none" is on port 5000
        node.push_image(archive, "10.250.0.1:5001/team/app:1.0.0")
        node.kubectl("apply", "-f", "-", given=text); node.create("/api/v1/namespaces/shop/pods", {...})
        node.run(["curl", "-s", "http://10.96.12.34"])
        with node.slow_etcd(200): ...                              # and other faults: see faults.py

What runs on it is in containers.py, requests to the API server in ControlPlane.
"""
import json
import signal
import subprocess
import time

import programs
import registries
import sandbox
from containers import SOCKET, Containers, is_running, skopeo_source  # noqa: F401 (is_running is for tests)
from control_plane import ControlPlane, Status
from faults import Faults
from sandbox import NODE_ADDRESS

SERVICES = "10.96.0.0/16"
PODS = "10.244.0.0/24"
NAME = "node1"
REGISTRY_PORTS = {"none": 5000, "basic": 5001, "token": 5002}  # by who may pull

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


class Node(Faults, Containers, ControlPlane):
    """`pause`: the archive of the pause image. `flags`: further ones of the API server."""

    pod_network = PODS
    served_names = ControlPlane.served_names + f",IP:{NODE_ADDRESS},IP:10.96.0.1"
    surroundings = ("--bind-address", "0.0.0.0", "--advertise-address", NODE_ADDRESS, "--authorization-mode", "Node,RBAC",
                    "--service-cluster-ip-range", SERVICES, "--allow-privileged=true",
                    "--kubelet-preferred-address-types", "InternalIP")

    def __init__(self, pause, users=None, flags=()):
        node_programs = {name: programs.find(name) for name in programs.NODE_PROGRAMS}
        super().__init__(users, flags)
        self.programs.update(node_programs)
        self.pause_archive, self.running, self.registries = pause, {}, {}
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
        for registry in self.registries.values():
            registry.close()
        self.registries.clear()
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

    # Registries.

    def registry(self, mode="basic"):
        """Starts one with TLS that containerd trusts: "none", "basic" or "token"; returns it (see registries.py). The realm of
        "token" is on 127.0.0.1: the node may pull from it, a pod may not."""
        registry = registries.Registry(mode, address=NODE_ADDRESS, port=REGISTRY_PORTS[mode])
        self.registries[registry.host] = registry
        self.trust(registry.host, registry.authority.ca)
        return registry

    def trust(self, host, authority):
        """containerd pulls from this host with this authority."""
        directory = self.directory / "certs.d" / host
        directory.mkdir(parents=True)
        (directory / "hosts.toml").write_text(f'server = "https://{host}"\n[host."https://{host}"]\n  ca = "{authority}"\n')

    def push_image(self, archive, reference):
        """An OCI or docker archive of one image, into a registry that `registry` started; returns the manifest's digest."""
        registry = self.registries[reference.partition("/")[0]]
        access = [] if registry.mode == "none" else ["--dest-creds", ":".join(registries.PUSHER)]
        written = self.directory / "pushed-digest"
        done = self.run(["skopeo", "copy", "-q", "--dest-cert-dir", registry.authority.cert_dir, *access, "--digestfile", written,
                         skopeo_source(archive), f"docker://{reference}"], timeout=300)
        if done.returncode != 0:
            raise RuntimeError(f"push of {reference}: {done.stderr.strip()[-500:]}")
        return written.read_text().strip()

    def pull_secret(self, name_space, name, host, user=registries.READER):
        """Makes the Secret that `imagePullSecrets` names. What was pulled with one, the kubelet gives to no pod without it, nor
        the same image by another name that `load_image` gave it (ErrImageNeverPull): take images that differ."""
        text = registries.docker_config({host: user})
        return self.create(f"/api/v1/namespaces/{name_space}/secrets", {
            "metadata": {"name": name}, "type": "kubernetes.io/dockerconfigjson", "stringData": {".dockerconfigjson": text}})
