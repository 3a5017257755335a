"""The first installation, a Secret that is missing or damaged, and certificates that are somebody else's."""
import json
import signal

from control_plane import openssl
from controller_stage import KEYS, Place, Scene, told, trusts
from harness import make_certificate


class FirstInstall(Scene):
    name, number = "first installation", 1

    def play(self):
        place = Place(self.plane, "first", 10, secret={})
        with place.controller("--authority-life", "3d", "--serving-life", "1d", user="first-a") as controller:
            with place.serving() as (server, kubelet):
                self.row("the Secret has every key", ", ".join(KEYS), lambda: ", ".join(sorted(place.secret())))
                self.soon("certificate, key, and what every webhook trusts", "consistent", place.consistent)
                self.soon("pods through the Service: a good one, a bad one", "allowed, denied", place.reaches)
                self.row("the certificate is for the Service's name", True, lambda: "DNS:plimsoll.first.svc" in openssl(
                    "x509", "-noout", "-ext", "subjectAltName", given=place.secret()["tls.crt"].encode()).decode())
                self.row(
                    "the log names the reason, and no key",
                    "1 there are none yet, no key",
                    lambda: f"{len(controller.said('certificates written'))} "
                    + controller.said("certificates written")[0]["why"].split(": ")[1]
                    + (", a key" if "PRIVATE" in controller.log_path.read_text() else ", no key"),
                )
                self.row("the caBundle: log", 1, lambda: len(controller.said("caBundle written")))
                self.soon(
                    "an Event at the Secret",
                    "plimsoll.dev/controller Normal CertificatesWritten",
                    lambda: [f"{e['reportingController']} {e['type']} {e['reason']}" for e in place.events("first", "CertificatesWritten")][
                        0
                    ],
                )
                self.row("metrics: renewals, heals, configuration", "1 0 1", lambda: " ".join(
                    f"{controller.metric(name):.0f}" for name in
                    ("certificate_renewals_total", "webhook_configuration_heals_total", "webhook_configuration_ok")))
                self.row("/readyz", "leading; certificate: 1.0 days left, authority: 3.0",
                         lambda: "; ".join(line for line in controller.get("/readyz").splitlines() if line))
                self.row("all that was written", "patch secrets 200, patch validatingwebhookconfigurations 200",
                         lambda: ", ".join(place.writes("first-a")))
                since = len(self.plane.audit_events())
                controller.stop(signal.SIGTERM)
                self.row("it ends as told", 0, lambda: controller.process.returncode)
                self.row("and gives the Lease back", "", lambda: self.plane.get(
                    "/apis/coordination.k8s.io/v1/namespaces/first/leases/plimsoll-controller")["spec"].get("holderIdentity", ""))
                with place.controller("--authority-life", "3d", "--serving-life", "1d", user="first-a") as again:
                    told(lambda: again.leads() and again.metric("webhook_configuration_ok") == 1)
                    self.row("another one finds all in order, and writes nothing", "[]", lambda: place.writes("first-a", since))
                self.row("pods without any controller", "allowed, denied", place.reaches)
                self.row("the server saw one certificate", "1 True", lambda: f"{kubelet.swaps} {server.alive()}")


class SecretMissing(Scene):
    name, number = "Secret missing", 2

    def play(self):
        place = Place(self.plane, "missing", 11)
        with place.controller(user="missing-a") as controller:
            self.soon(
                "one clear line",
                "Secret missing/plimsoll-tls is missing: the chart makes it, empty, so that we need no right to create any",
                lambda: controller.said("house keeping")[0]["trouble"],
            )
            self.row("/readyz says so", True, lambda: "house: Secret missing/plimsoll-tls is missing" in controller.get("/readyz"))
            told(lambda: False, 6)  # it has looked again meanwhile
            self.row("and only one", 1, lambda: len(controller.said("house keeping")))
            self.row("nothing is written", "[]", lambda: place.writes("missing-a"))
            place.make_secret({})
            self.soon("made once it is there", "consistent", place.consistent)
            self.soon("/readyz is quiet again", False, lambda: "house:" in controller.get("/readyz"))
            self.row("the process goes on", True, controller.alive)


def half(secret):
    return {key: text[:len(text) // 2] for key, text in secret.items()}


class SecretDamaged(Scene):
    name, number = "Secret damaged", 3

    def play(self):
        place = Place(self.plane, "damaged", 12, secret={})
        with place.controller():
            told(lambda: place.consistent() == "consistent")
        good = place.secret()
        certificate, key = make_certificate(self.plane.directory, "foreign")
        foreign = {"tls.crt": certificate.read_text(), "tls.key": key.read_text()}
        zeros = dict.fromkeys(KEYS, "\0" * 4096)
        kept = "consistent, the authority is kept"
        rows = [
            ("text in every key", dict.fromkeys(KEYS, "this is not a certificate"), "consistent, another authority"),
            ("zeros in every key", zeros, "consistent, another authority"),
            ("every key cut in half", half(good), "consistent, another authority"),
            ("the key of a stranger", {"tls.key": foreign["tls.key"]}, kept),
            ("a stranger's certificate and key", foreign, kept),
            ("the authority's key of a stranger", {"ca.key": foreign["tls.key"]}, "consistent, both authorities"),
            ("no certificate", {"tls.crt": ""}, kept),
            ("no key", {"tls.key": ""}, kept),
            ("no ca.crt", {"ca.crt": ""}, "consistent, another authority"),
            ("no key of the authority", {"ca.key": ""}, "consistent, both authorities"),
            ("a next authority that is none", {"next-ca.crt": "x", "next-ca.key": "y", "next-ca-since": "z"}, kept),
            ("other keys beside ours", {"notes": "left alone"}, kept),
        ]
        for what, damage, expected in rows:
            self.plane.patch(place.secret_path, {"data": None})
            self.plane.patch(place.secret_path, {"stringData": {**good, **damage}})
            with place.controller("--trust-delay", "1s") as controller:
                self.soon(what, expected, lambda: f"{place.consistent()}, {self.authority(place, good)}")
                self.row(what + ": it goes on, nothing secret is told", "True False",
                         lambda: f"{controller.alive()} {'PRIVATE' in controller.log_path.read_text()}")
        self.row("other keys stay", "left alone", lambda: place.secret().get("notes"))
        with place.controller() as controller:  # and while it runs: it looks every 30 s
            told(lambda: controller.metric("webhook_configuration_ok") == 1)
            self.plane.patch(place.secret_path, {"stringData": {"tls.crt": "damaged"}})
            self.soon("damaged while it runs", "consistent", place.consistent, 40)

    @staticmethod
    def authority(place, good):
        now = place.secret()
        old_trusted = trusts(now["ca.crt"], good["tls.crt"])
        by_old = trusts(good["ca.crt"], now["tls.crt"])
        return (
            "the authority is kept"
            if by_old and now["ca.crt"] == good["ca.crt"]
            else "both authorities" if old_trusted else "another authority"
        )


class Existing(Scene):
    name, number = "existing certificates", 4

    def play(self):
        authority = self.plane.authority
        certificate, key = authority.issue("existing", "/CN=plimsoll", "DNS:plimsoll.existing.svc")
        data = {"tls.crt": certificate.read_text(), "tls.key": key.read_text(), "ca.crt": authority.certificate.read_text()}
        place = Place(self.plane, "existing", 13, secret=data)
        version = place.version()
        with place.controller("--certificates", "existing", user="existing-a") as controller, place.serving():
            self.soon("the caBundle is the Secret's ca.crt", "consistent", place.consistent)
            self.soon("pods through the Service", "allowed, denied", place.reaches)
            place.edit(lambda live: live["webhooks"][0].update(failurePolicy="Ignore"))
            self.soon("edits are undone", "Fail", lambda: place.live()["webhooks"][0]["failurePolicy"])
            self.row("the Secret is never written", version, place.version)
            self.row(
                "nor is it tried", "patch validatingwebhookconfigurations 200", lambda: ", ".join(sorted(set(place.writes("existing-a"))))
            )
            self.plane.patch(place.secret_path, {"stringData": {"ca.crt": ""}})
            told(lambda: False, 1)
            place.edit(lambda live: live["webhooks"][0].update(timeoutSeconds=3))
            self.soon("without a ca.crt: other fields are kept", 10, lambda: place.live()["webhooks"][0]["timeoutSeconds"])
            self.row("and the caBundle that is there stays", True, lambda: place.bundles() == [authority.certificate.read_text()])
            self.row("it goes on", True, controller.alive)


class CertManager(Scene):
    name, number = "cert-manager", 5

    def play(self):
        authority = self.plane.authority
        certificate, key = authority.issue("certmanager", "/CN=plimsoll", "DNS:plimsoll.certmanager.svc")
        place = Place(
            self.plane, "certmanager", 14, secret={"tls.crt": certificate.read_text(), "tls.key": key.read_text(), "ca.crt": "not this"}
        )
        version, bundle = place.version(), self.plane.ca_bundle(authority.certificate)
        with place.controller("--certificates", "cert-manager", user="certmanager-a") as controller, place.serving():
            self.soon("it leads, all is in order", 1, lambda: int(controller.metric("webhook_configuration_ok")))
            self.row("no caBundle is written", "['']", place.bundles)
            place.edit(lambda live: live["webhooks"][0]["clientConfig"].update(caBundle=bundle))  # as the injector does
            self.soon("pods through the Service", "allowed, denied", place.reaches)
            place.edit(lambda live: live["webhooks"][0].update(failurePolicy="Ignore"))
            self.soon("edits are undone", "Fail", lambda: place.live()["webhooks"][0]["failurePolicy"])
            self.row("and the injector's caBundle is kept", True, lambda: place.bundles() == [authority.certificate.read_text()])
            self.row("the Secret is never written", version, place.version)
            self.row("one write", "['patch validatingwebhookconfigurations 200']", lambda: place.writes("certmanager-a"))
            place.edit(lambda live: live["metadata"].update(annotations={"cert-manager.io/inject-ca-from": "certmanager/plimsoll"}))
            told(lambda: False, 1)
            self.row("the injector's annotation stays", '{"cert-manager.io/inject-ca-from": "certmanager/plimsoll"}',
                     lambda: json.dumps(place.live()["metadata"]["annotations"]))
