"""Certificates for servers on 127.0.0.1: an authority of the test's own, good ones and bad ones."""

import ssl
import subprocess
import threading
from pathlib import Path

NAMES = ("DNS:localhost", "DNS:registry.test", "IP:127.0.0.1")


def openssl(*arguments, given=None):
    done = subprocess.run(["openssl", *map(str, arguments)], input=given, capture_output=True)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {arguments[0]}: {done.stderr.decode()}")
    return done.stdout


def make_key(path):
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path)
    return path


class Authority:
    """`ca` is the file to trust; `cert_dir` a directory as skopeo's --cert-dir wants it."""

    def __init__(self, directory, name="test authority"):
        self.directory, self._issued, self._lock = Path(directory), {}, threading.Lock()
        self.cert_dir = self.directory / "trusted"
        self.cert_dir.mkdir(parents=True, exist_ok=True)
        self.ca, self.key = self.cert_dir / "ca.crt", make_key(self.directory / "ca.key")
        openssl("req", "-x509", "-new", "-key", self.key, "-sha256", "-days", 2, "-subj", f"/CN={name}", "-out", self.ca)

    def issue(self, name="server", names=NAMES, expired=False, self_signed=False):
        """Returns (certificate, key), the same ones of the same name; with `expired` their time was in 2020."""
        with self._lock:
            if name not in self._issued:
                self._issued[name] = self._issue(name, names, expired, self_signed)
            return self._issued[name]

    def _issue(self, name, names, expired, self_signed):
        key, request = make_key(self.directory / f"{name}.key"), self.directory / f"{name}.csr"
        certificate, extensions = self.directory / f"{name}.crt", self.directory / f"{name}.ext"
        extensions.write_text(f"subjectAltName={','.join(names)}\nextendedKeyUsage=serverAuth\n")
        if self_signed:
            openssl("req", "-x509", "-new", "-key", key, "-days", 2, "-subj", f"/CN={name}",
                    "-addext", f"subjectAltName={','.join(names)}", "-out", certificate)
            return certificate, key
        openssl("req", "-new", "-key", key, "-subj", f"/CN={name}", "-out", request)
        if expired:
            self._issue_expired(name, request, certificate, extensions)
        else:
            openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self.key, "-CAcreateserial", "-days", 2,
                    "-sha256", "-extfile", extensions, "-out", certificate)
        return certificate, key

    def _issue_expired(self, name, request, certificate, extensions):
        """Only `openssl ca` lets one say from when until when."""
        (self.directory / "ca.index").write_text("")
        settings = self.directory / f"{name}.cnf"
        settings.write_text(f"[ca]\ndefault_ca=it\n[it]\ndatabase={self.directory}/ca.index\nnew_certs_dir={self.directory}\n"
                            "rand_serial=yes\ndefault_md=sha256\npolicy=any\n[any]\ncommonName=supplied\n")
        openssl("ca", "-batch", "-notext", "-config", settings, "-cert", self.ca, "-keyfile", self.key, "-in", request,
                "-startdate", "20200101000000Z", "-enddate", "20200102000000Z", "-extfile", extensions, "-out", certificate)

    def client(self):
        """A context that trusts this authority and nothing else."""
        return ssl.create_default_context(cafile=str(self.ca))

    @staticmethod
    def server(certificate, key):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        return context
