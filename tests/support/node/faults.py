"""What goes wrong with a node's control plane, on purpose: stopped, paused, slow, and out of reach of pods."""
import contextlib
import signal
import threading

import sandbox

AWAKE = 0.005  # seconds in which a slow etcd answers between two pauses
PATIENCE = 3  # seconds; an API server that is told to end waits up to 60 for its watchers, who do not leave by themselves


class Faults:
    """The part of a Node that breaks it. Names of processes: etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kubelet,
    kube-proxy, containerd."""

    def signal(self, name, number):
        own = {"etcd": self.etcd, "kube-apiserver": self.api}
        (own.get(name) or self.running[name]).send_signal(number)

    def pause(self, name):
        """From now on it answers nothing, but its connections stay open."""
        self.signal(name, signal.SIGSTOP)

    def resume(self, name):
        self.signal(name, signal.SIGCONT)

    @contextlib.contextmanager
    def paused(self, name):
        self.pause(name)
        try:
            yield
        finally:
            self.resume(name)

    def stop_api_server(self, kill=False, patience=PATIENCE):
        """Told to end, and killed if it has not ended after so many seconds; or killed at once."""
        if kill:
            self.api.kill()
        self._end(self.api, patience)

    def start_api_server(self, wait=True):
        self.start_api(wait)

    def restart_api_server(self, kill=False):
        """On the same port, with the same etcd; returns when it is ready."""
        self.stop_api_server(kill)
        self.start_api()

    @contextlib.contextmanager
    def slow_etcd(self, milliseconds):
        """Every request to etcd waits up to so long, half of it on the average, while the `with` block runs."""
        ended = threading.Event()

        def nap():
            while not ended.is_set():
                self.pause("etcd")
                ended.wait(milliseconds / 1000)
                self.resume("etcd")
                ended.wait(AWAKE)

        thread = threading.Thread(target=nap, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    # The way from pods to the API server.

    def cut_off_pods_from_api(self, port=None):
        """From now on nothing passes between pods and the API server, until `give_back` is called; connections that are open hang, too."""
        pods, node, number = self.pod_network, sandbox.NODE_ADDRESS, str(port or self.port)
        there = ["-s", pods, "-d", node, "-p", "tcp", "--dport", number, "-j", "DROP"]
        back = ["-s", node, "-d", pods, "-p", "tcp", "--sport", number, "-j", "DROP"]
        self.cut_off = [("INPUT", there), ("FORWARD", there), ("OUTPUT", back)]
        for chain, rule in self.cut_off:
            sandbox.run("iptables", "-I", chain, "1", *rule)

    def give_back(self):
        for chain, rule in self.cut_off:
            sandbox.run("iptables", "-D", chain, *rule)

    @contextlib.contextmanager
    def pods_cut_off_from_api(self):
        self.cut_off_pods_from_api()
        try:
            yield
        finally:
            self.give_back()
