"""A renewal of the authority, broken off at each of its writes: before it arrives or after it; the leader is killed or goes on."""
import concurrent.futures
import contextlib
import datetime
import signal
import threading
import time

import proxy_actions as actions
from api_proxy import ApiProxy
from control_plane import openssl
from controller_stage import Place, Scene, told, trusts

WRITES = 5  # Secret: the next authority; caBundle; Secret: it is trusted; Secret: it takes over; caBundle
SETTINGS = """[ca]
default_ca=it
[it]
database={0}/index
new_certs_dir={0}
rand_serial=yes
default_md=sha256
policy=any
[any]
commonName=supplied
[req]
distinguished_name=none
[none]
"""
AUTHORITY = "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n"
LEAF = "basicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth\n"
LEAF += "subjectAltName=DNS:plimsoll.{0}.svc,DNS:plimsoll.{0}.svc.cluster.local\n"


def stamp(days):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)).strftime("%Y%m%d%H%M%SZ")


def due_secret(directory, name):
    """An authority that is due, and a good serving certificate under it."""
    directory = directory / f"due-{name}"
    directory.mkdir()
    settings = directory / "cnf"
    settings.write_text(SETTINGS.format(directory))
    (directory / "index").write_text("")

    def issue(what, extensions, days, *signer):
        files = {end: directory / f"{what}.{end}" for end in ("key", "csr", "ext", "crt")}
        files["ext"].write_text(extensions)
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", files["key"])
        openssl("req", "-new", "-config", settings, "-key", files["key"], "-subj", f"/CN={what}", "-out", files["csr"])
        openssl("ca", "-batch", "-notext", "-config", settings, "-in", files["csr"], "-extfile", files["ext"], "-out", files["crt"],
                "-startdate", stamp(days[0]), "-enddate", stamp(days[1]), *(signer or ("-selfsign", "-keyfile", files["key"])))
        return files["crt"], files["key"]

    authority = issue("authority", AUTHORITY, (-300, 60))
    leaf = issue("serving", LEAF.format(name), (-1, 50), "-cert", authority[0], "-keyfile", authority[1])
    return {
        "ca.crt": authority[0].read_text(),
        "ca.key": authority[1].read_text(),
        "tls.crt": leaf[0].read_text(),
        "tls.key": leaf[1].read_text(),
    }


class Calls(threading.Thread):
    """Pods through the Service, again and again: what was not as it should be."""

    def __init__(self, place, pause=0.1):
        super().__init__(daemon=True)
        self.place, self.pause, self.ended = place, pause, threading.Event()
        self.count, self.failed = 0, []

    def run(self):
        while not self.ended.wait(self.pause):
            for image, expected in (("nginx:1.27.3", "allowed"), ("nginx:latest", "denied")):
                self.count += 1
                try:
                    seen = self.place.pod(image)
                except Exception as error:
                    seen = repr(error)
                if seen != expected:
                    self.failed.append(f"{time.strftime('%H:%M:%S')} {seen}")

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join(60)


class Crashes(Scene):
    name, number = "a renewal broken off", 16
    WAYS = {"never arrives, killed": (actions.cut(), True), "answer lost, killed": (actions.lose_answer(), True),
            "answer lost, goes on": (actions.lose_answer("rst"), False)}

    def play(self):
        cases = [(way, write) for way in self.WAYS for write in range(1, WRITES + 1)]
        with ApiProxy(self.plane) as proxy, concurrent.futures.ThreadPoolExecutor(4) as pool:
            played = [pool.submit(self.case, proxy, number, *case) for number, case in enumerate(cases)]
            for (way, write), done in zip(cases, played):
                self.row(f"write {write} {way}", "hit; consistent, a new authority; both trusted; no call failed", done.result)

    def case(self, proxy, number, way, write):
        name = f"crash{number}"
        secret = due_secret(self.plane.directory, name)
        place = Place(self.plane, name, 100 + number, secret=secret)
        bundle = self.plane.ca_bundle(self.plane.directory / f"due-{name}" / "authority.crt")
        place.edit(lambda live: live["webhooks"][0]["clientConfig"].update(caBundle=bundle))
        action, kill = self.WAYS[way]
        user = f"{name}-a"
        token = self.plane.users[user][0]
        flags = ("--trust-delay", "1s")
        with contextlib.ExitStack() as ends:
            ends.enter_context(place.serving())
            if not told(lambda: place.reaches() == "allowed, denied", 60):
                return "it does not serve"
            calls = ends.enter_context(Calls(place))
            with proxy.rule(action, token=token, method="PATCH", nth=write) as rule:
                first = ends.enter_context(place.controller(*flags, kubeconfig=proxy.kubeconfig(user, token)))
                hit = told(lambda: rule.applied == 1, 60, 0.01)
                if kill:
                    first.process.send_signal(signal.SIGKILL)
                    ends.enter_context(place.controller(*flags))
                renewed = told(lambda: self.renewed(place, secret), 60)
            told(lambda: False, 1.5)  # the kubelet, and the server's look
            calls.ended.set()
            seen = place.consistent() if renewed else "not renewed: " + place.consistent()
            both = all(trusts(place.bundles()[0], leaf) for leaf in (secret["tls.crt"], place.secret()["tls.crt"]))
            failed = (
                f"{len(calls.failed)} of {calls.count} calls failed: {calls.failed[:2]}"
                if calls.failed or not calls.count
                else "no call failed"
            )
            return "; ".join(
                ("hit" if hit else "not hit", seen + ", a new authority", "both trusted" if both else "not both trusted", failed)
            )

    @staticmethod
    def renewed(place, before):
        now = place.secret()
        return (now["ca.key"] != before["ca.key"] and not now["next-ca.key"] and trusts(now["ca.crt"], now["tls.crt"])
                and not trusts(before["ca.crt"], now["tls.crt"]) and place.consistent() == "consistent")


USERS = tuple(f"crash{number}-a" for number in range(WRITES * len(Crashes.WAYS)))
