"""Certificates for the API proxy: the one that clients trust, and those they must not."""
import threading

from control_plane import Authority, openssl

NAMES = "DNS:localhost,IP:127.0.0.1"
LOCK = threading.Lock()  # the authority counts its serial numbers in a file
SETTINGS = """[ca]
default_ca=it
[it]
database={0}/proxy.index
new_certs_dir={0}
rand_serial=yes
default_md=sha256
policy=any
[any]
commonName=supplied
"""


def trusted(plane):
    return _once(plane, "proxy", lambda: plane.authority.issue("proxy", "/CN=proxy", NAMES))


def wrong_name(plane):
    return _once(plane, "proxy-wrong-name", lambda: plane.authority.issue(
        "proxy-wrong-name", "/CN=proxy", "DNS:elsewhere.test,IP:127.0.0.2"))


def stranger(plane):
    """Signed by an authority that nobody knows."""
    def issue():
        directory = plane.directory / "stranger"
        directory.mkdir()
        return Authority(directory).issue("proxy-stranger", "/CN=proxy", NAMES)
    return _once(plane, "stranger/proxy-stranger", issue)


def self_signed(plane):
    def issue():
        certificate, key = (plane.directory / f"proxy-self-signed.{end}" for end in ("crt", "key"))
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", 2, "-subj", "/CN=proxy",
                "-addext", f"subjectAltName={NAMES}", "-keyout", key, "-out", certificate)
        return certificate, key
    return _once(plane, "proxy-self-signed", issue)


def expired(plane):
    return _once(plane, "proxy-expired", lambda: _between(plane, "proxy-expired", "20200101000000Z", "20200102000000Z"))


def not_yet_valid(plane):
    return _once(plane, "proxy-early", lambda: _between(plane, "proxy-early", "20990101000000Z", "20990102000000Z"))


def _once(plane, name, issue):
    """The files of that name in the plane's directory, made by the first who asks."""
    with LOCK:
        pair = plane.directory / f"{name}.crt", plane.directory / f"{name}.key"
        return pair if pair[0].exists() else issue()


def _between(plane, name, start, end):
    """Only `openssl ca` lets one say from when until when."""
    certificate, key = plane.authority.issue(name, "/CN=proxy", NAMES)
    settings = plane.directory / "proxy.cnf"
    settings.write_text(SETTINGS.format(plane.directory))
    (plane.directory / "proxy.index").write_text("")
    openssl("ca", "-batch", "-notext", "-config", settings, "-cert", plane.authority.certificate, "-keyfile", plane.authority.key,
            "-in", plane.directory / f"{name}.csr", "-startdate", start, "-enddate", end,
            "-extfile", plane.directory / f"{name}.ext", "-out", certificate)
    return certificate, key
