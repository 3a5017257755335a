"""Certificate authorities of openssl's making, and what they sign: for whom, for what, from when, and until when."""

import datetime
import subprocess
import threading
from pathlib import Path

CONFIGURATION = """
[ca]
default_ca = own
[own]
database = {folder}/index.txt
new_certs_dir = {folder}
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = optional
"""
AUTHORITY = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"


def openssl(*arguments):
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {arguments[0]}: {done.stderr.decode()}")


def moment(days):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)).strftime("%Y%m%d%H%M%SZ")


class Authority:
    """`parent`: who signs it; without one it does so itself."""

    def __init__(self, folder, name, parent=None):
        self.folder = Path(folder, name)
        self.folder.mkdir()
        self.issued, self.one_at_a_time = 0, threading.Lock()
        (self.folder / "index.txt").touch()
        self.configuration = self.folder / "ca.conf"
        self.configuration.write_text(CONFIGURATION.format(folder=self.folder))
        if parent is None:
            self.certificate, self.key = self.folder / "ca.crt", self.folder / "ca.key"
            openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", 9, "-subj", f"/CN={name}",
                    "-keyout", self.key, "-out", self.certificate)
        else:
            self.certificate, self.key = parent.issue(name, extensions=AUTHORITY)

    def issue(self, common_name, purpose="clientAuth", names="", begins=-1, ends=1, extensions=None):
        """(certificate, key); `names` as in "DNS:api.example.com", times in days from now, `extensions` in place of all others."""
        with self.one_at_a_time:  # openssl keeps a list of what it has signed
            self.issued += 1
            return self._issue(self.folder / str(self.issued), common_name, purpose, names, begins, ends, extensions)

    def _issue(self, stem, common_name, purpose, names, begins, ends, extensions):
        key, request, certificate, wanted = (stem.with_suffix(f".{end}") for end in ("key", "csr", "crt", "ext"))
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-utf8", "-subj", f"/CN={common_name}",
                "-keyout", key, "-out", request)
        said = "".join([f"extendedKeyUsage={purpose}\n" if purpose else "", f"subjectAltName={names}\n" if names else ""])
        wanted.write_text(said + "basicConstraints=CA:FALSE\n" if extensions is None else extensions)
        openssl("ca", "-batch", "-notext", "-utf8", "-config", self.configuration, "-cert", self.certificate, "-keyfile", self.key,
                "-in", request, "-out", certificate, "-extfile", wanted, "-startdate", moment(begins), "-enddate", moment(ends))
        return certificate, key

    def issue_with_chain(self, *arguments, **options):
        """The same, followed by our own certificate."""
        certificate, key = self.issue(*arguments, **options)
        certificate.write_text(certificate.read_text() + self.certificate.read_text())
        return certificate, key
