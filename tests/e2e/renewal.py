"""The second part of group 8: a renewal of the authority whose leaders are killed in the middle, under load with failurePolicy Fail."""
import base64
import os
import signal
import ssl
import subprocess
import time

from stage import CONFIGURATION, OWN, Load, bad_container, deployment

# A renewal each three minutes, in which the kubelet has three to bring what is new; the next authority waits for half a minute.
LIVES = {"certificates": {"authorityLife": "6m", "servingLife": "5m", "trustDelay": "30s"}, "controller": {"leaseDuration": "5s"}}
SECRET = f"/api/v1/namespaces/{OWN}/secrets/plimsoll-tls"
KEYS = ("ca.crt", "ca.key", "next-ca-since", "next-ca.crt", "next-ca.key", "tls.crt", "tls.key")
END = "-----END CERTIFICATE-----"
LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{OWN}/leases/plimsoll-controller"


class Renewal:
    def __init__(self, stage):
        self.stage, self.node = stage, stage.node
        self.before, self.dead, self.loads = None, [], []

    def secret(self):
        """Its seven keys, as text."""
        data = self.node.get(SECRET).get("data") or {}
        return {key: base64.b64decode(data.get(key, "")).decode() for key in KEYS}

    def leader(self):
        return self.node.get(LEASE)["spec"].get("holderIdentity", "")

    def process_of(self, leader):
        """The number of its process; None where it is no more."""
        for pod in self.node.pods(OWN, "app.kubernetes.io/component=controller"):
            if pod["metadata"]["name"] == leader.rpartition("_")[0]:
                return self.node.process_of(pod["status"]["containerStatuses"][0]["containerID"].removeprefix("containerd://"))
        return None

    def next_leader(self):
        """(name, process) of one that has not been killed yet, once it leads."""
        def leads():
            leader = self.leader()
            return leader and leader not in self.dead and (process := self.process_of(leader)) and (leader, process)
        return self.node.wait_until(leads, 90, "a controller leads")

    def kill(self, leader, process, began=None):
        os.kill(process, signal.SIGKILL)
        self.dead.append(leader)
        if began:
            print(f"       killed {leader}, {time.monotonic() - began:.1f} s after the one before", flush=True)

    @staticmethod
    def watched(holds, seconds, what):
        """At once when it is so."""
        until = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > until:
                raise AssertionError(f"not within {seconds} s: {what}")
            time.sleep(0.005)

    def is_under_way(self):
        now = self.secret()
        waits = now["next-ca.key"] and now["ca.key"] == self.before["ca.key"]
        return "the next authority is not used yet" if waits else "the renewal is over"

    # Rows.

    def begun(self):
        self.node.wait_until(lambda: not self.secret()["next-ca.key"], 120, "no renewal is under way")
        self.before = self.secret()
        for thing in (deployment("light"), deployment("light-bad", bad_container())):
            self.loads.append(Load(self.stage, "shop", thing, clients=1, pause=0.2).__enter__())
        leader, process = self.next_leader()
        self.watched(lambda: self.secret()["next-ca.crt"], 300, "a renewal begins")
        self.kill(leader, process)
        self.at = time.monotonic()
        return f"killed; {self.is_under_way()}"

    def second(self):
        self.kill(*self.next_leader(), self.at)
        self.at = time.monotonic()
        return f"killed; {self.is_under_way()}"

    def third(self):
        leader, process = self.next_leader()
        self.watched(lambda: self.secret()["ca.key"] != self.before["ca.key"], 120, "the next authority takes over")
        self.kill(leader, process, self.at)
        self.at = time.monotonic()
        return "killed"

    def ended(self):
        leader, _ = self.next_leader()
        print(f"       {leader} led {time.monotonic() - self.at:.1f} s after the third was killed", flush=True)
        self.node.wait_until(lambda: self.is_consistent() == "consistent", 60, "Secret and caBundles are consistent")
        now = self.secret()
        newest = now["ca.crt"].partition(END)[0] + END
        signed = newest not in self.before["ca.crt"] and self.trusts(newest, now["tls.crt"])
        return f"{len(set(self.dead))} leaders dead; {'signed by a new authority' if signed else 'not renewed'}; {self.is_consistent()}"

    def is_consistent(self):
        """Every caBundle is the Secret's, the authority of tls.crt is in it, and no renewal is under way."""
        now = self.secret()
        clients = [entry["clientConfig"] for entry in self.node.get(CONFIGURATION)["webhooks"]]
        bundles = [base64.b64decode(client.get("caBundle", "")).decode() for client in clients]
        if now["next-ca.key"]:
            return "a renewal is under way"
        if bundles != [now["ca.crt"]] * 3:
            return "caBundles differ from the Secret"
        return "consistent" if self.trusts(bundles[0], now["tls.crt"]) else "the authority of tls.crt is not trusted"

    def trusts(self, bundle, certificate):
        paths = [self.stage.directory / f"renewal-{name}.pem" for name in ("bundle", "certificate")]
        for path, text in zip(paths, (bundle, certificate)):
            path.write_text(text)
        return subprocess.run(["openssl", "verify", "-CAfile", *map(str, paths)], capture_output=True, check=False).returncode == 0

    def served(self):
        """The kubelet brings the certificate into the pods, and they use it."""
        began = time.monotonic()

        def fresh():
            wanted = self.secret()["tls.crt"].partition(END)[0] + END
            served = [ssl.get_server_certificate((pod["status"]["podIP"], 10250)) for pod in self.stage.running()]
            return len(served) == 2 and {"".join(one.split()) for one in served} == {"".join(wanted.split())}
        self.node.wait_until(fresh, 200, "both replicas show the new certificate")
        print(f"       after {time.monotonic() - began:.0f} s", flush=True)
        return "2 of 2"

    def no_call_lost(self):
        for load in self.loads:
            load.__exit__()
        seen = [load.answers for load in self.loads]
        print(f"       {seen}", flush=True)
        return f"good: {', '.join(sorted(seen[0]))}; bad: {', '.join(sorted(seen[1]))}"

    def rows(self):
        under_way = "killed; the next authority is not used yet"
        return [
            ("8.18", "the leader killed as soon as the next authority is stored", under_way, self.begun),
            ("8.19", "the one that goes on killed as soon as it leads", under_way, self.second),
            ("8.20", "the third killed as soon as the next authority takes over", "killed", self.third),
            ("8.21", "another ends the renewal", "3 leaders dead; signed by a new authority; consistent", self.ended),
            ("8.22", "replicas that show the new certificate", "2 of 2", self.served),
            ("8.23", "calls with failurePolicy Fail meanwhile", "good: admitted; bad: denied", self.no_call_lost),
        ]
