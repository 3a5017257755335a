#!/usr/bin/env python3
"""Only clients with a certificate that the authorities of --client-ca signed, and with a name of --client-name, are heard."""

import os
import re
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path

import harness
from authorities import Authority
from harness import Server, check_rows, container, deployment, make_certificate, read_answer, review, summary
from operation_rows import GOOD, REQUEST, wait_until

NAME = "kube-apiserver"
HOST = "api.example.com"
HOSTILE = 'a"b\x1b[31m\u202ec\nd'
LARGE = 1 << 20
REVIEW = review(deployment(container("nginx")))


class Guarded(Server):
    """Asked with the certificate `client`, where there is one."""

    def __init__(self, authority, *flags, client=None):
        self.client = client
        super().__init__("--client-ca", getattr(authority, "certificate", authority), *flags)

    def context(self, **options):
        context = super().context(**options)
        if self.client:
            context.load_cert_chain(*map(str, self.client))
        return context

    def refusals(self):
        return [line["why"] for line in self.log_lines() if line.get("event") == "client refused"]


def words_of(error):
    """ "alert unknown ca" of what OpenSSL calls TLSV1_ALERT_UNKNOWN_CA."""
    return re.sub(r"^(SSLV3|TLSV1|TLSV13)_", "", error.reason or str(error)).lower().replace("_", " ")


def call(server, version=None, request=REQUEST):
    """What a client sees: the answer's code, or the alert."""
    context = server.context(**({"minimum_version": version, "maximum_version": version} if version else {}))
    try:
        with server.connect(context) as stream:
            stream.sendall(request)
            if version is None and stream.version() != "TLSv1.3":
                return stream.version()
            first = stream.recv(1)
            return "200" if first == b"H" else f"{first!r} in place of an answer"
    except ssl.SSLError as error:
        return words_of(error)


def outcome(authority, client, *flags, version=None, request=REQUEST):
    """What the client sees, and what the server says of it."""
    with Guarded(authority, *flags, client=client) as server:
        seen = call(server, version, request)
        if seen == "200":
            return f"200; {server.refusals() or 'nothing'} said, {server.metric('plimsoll_tls_handshake_errors_total'):.0f} counted"
        wait_until(server.refusals)
        return f"{seen}; {'; '.join(server.refusals())}; {server.metric('plimsoll_tls_handshake_errors_total'):.0f} counted"


HEARD = "200; nothing said, 0 counted"


def named(name=NAME):
    return "--client-name", name


def refused_rows(made):
    root, other, below = made["root"], made["other"], made["below"]
    untrusted = "alert unknown ca; not trusted: {}; 1 counted"
    rows = [
        ("no certificate", None, "alert certificate required; no certificate; 1 counted"),
        ("a self-signed one", make_certificate(made["folder"], NAME), untrusted.format("self-signed certificate")),
        ("one that another authority signed", other.issue(NAME), untrusted.format("unable to get local issuer certificate")),
        ("one that has expired", root.issue(NAME, begins=-3, ends=-1),
         "alert certificate expired; not trusted: certificate has expired; 1 counted"),
        ("one that is not valid yet", root.issue(NAME, begins=1, ends=3),
         "alert bad certificate; not trusted: certificate is not yet valid; 1 counted"),
        ("one for servers alone", root.issue(NAME, purpose="serverAuth"),
         "alert unsupported certificate; not trusted: unsuitable certificate purpose; 1 counted"),
        ("the right authority, another name", root.issue("kubelet", names="DNS:kubelet.example.com"),
         'alert bad certificate; name "kubelet" is not allowed; 1 counted'),
        ("the right name in another case", root.issue(NAME.upper()),
         f'alert bad certificate; name "{NAME.upper()}" is not allowed; 1 counted'),
        ("a name that only begins so", root.issue(NAME + "-2"),
         f'alert bad certificate; name "{NAME}-2" is not allowed; 1 counted'),
        ("a name that would write into the log", root.issue(HOSTILE),
         r'alert bad certificate; name "a\"b\u{1b}[31m\u{202e}c\u{a}d" is not allowed; 1 counted'),
        ("an intermediate authority's, which the client does not send", below.issue(NAME),
         untrusted.format("unable to get local issuer certificate")),
        ("of an intermediate authority that may not sign", made["forged"],
         "alert unknown ca; not trusted: invalid CA certificate, of an authority above it; 1 counted"),
    ]
    for what, client, expected in rows:
        yield 1, f"{what}: the client sees; the server says", expected, lambda client=client: outcome(root, client, *named())
    yield (1, "no certificate, TLS 1.2", "alert handshake failure; no certificate; 1 counted",
           lambda: outcome(root, None, *named(), version=ssl.TLSVersion.TLSv1_2))
    yield (1, "no certificate, and a request of 1 MiB behind the handshake: the alert arrives all the same",
           "alert certificate required; no certificate; 1 counted",
           lambda: outcome(root, None, *named(), request=REQUEST.replace(GOOD, b"x" * LARGE)))


def heard_rows(made):
    root, other, below = made["root"], made["other"], made["below"]
    either = ("--client-name=another", f"--client-name={NAME}")
    both = made["folder"] / "both.pem"
    both.write_text(root.certificate.read_text() + other.certificate.read_text())
    rows = [
        ("the right common name", root, root.issue(NAME), named()),
        ("the right DNS name, in another case", root, root.issue("somebody", names=f"DNS:first.example.com,DNS:{HOST}"), named(HOST.upper())),
        ("the second of two names that are allowed", root, root.issue(NAME), either),
        ("any name, where none is asked for", root, root.issue("anybody"), ()),
        ("without a word about its purpose", root, root.issue(NAME, purpose=""), named()),
        ("for servers and clients", root, root.issue(NAME, purpose="serverAuth,clientAuth"), named()),
        ("with its intermediate authority", root, below.issue_with_chain(NAME), named()),
        ("of an intermediate authority that is trusted itself", below, below.issue(NAME), named()),
        ("of the second authority in the file", both, other.issue(NAME), named()),
    ]
    for what, authority, client, flags in rows:
        yield 2, what, HEARD, lambda authority=authority, client=client, flags=flags: outcome(authority, client, *flags)
    yield 2, "with 8 intermediate authorities, which are allowed", HEARD, lambda: outcome(root, made["deep"][8], *named())
    yield (1, "with 9", "alert unknown ca; not trusted: certificate chain too long, of an authority above it; 1 counted",
           lambda: outcome(root, made["deep"][9], *named()))
    yield 1, "with more than 64 KiB of certificates", "alert illegal parameter, 1 counted", lambda: much(root, below)
    yield (2, "TLS 1.2", HEARD, lambda client=root.issue(NAME): outcome(root, client, *named(), version=ssl.TLSVersion.TLSv1_2))
    yield 3, "curl with --cert, and without", "200; 56 alert certificate required", lambda: by_curl(root, root.issue(NAME))
    yield 3, "health and metrics ask for nothing", "200 200 200", lambda: plain_listener(root)
    yield 3, "--self-signed together with --client-ca", "alert certificate required, then 200", lambda: self_signed(made)


def deep(root, depths):
    """Certificates with so many authorities between themselves and the root, sent along."""
    made, parent, chain = {}, root, ""
    for depth in range(1, max(depths) + 1):
        parent = Authority(root.folder, f"deep-{depth}", parent)
        chain = parent.certificate.read_text() + chain
        if depth in depths:
            made[depth] = parent.issue(NAME)
            made[depth][0].write_text(made[depth][0].read_text() + chain)
    return made


def much(root, below):
    certificate, key = below.issue_with_chain(NAME)
    certificate.write_text(certificate.read_text() + 200 * below.certificate.read_text())
    with Guarded(root, *named(), client=(certificate, key)) as server:
        seen = call(server)
        return f"{seen}, {server.metric('plimsoll_tls_handshake_errors_total'):.0f} counted"


def by_curl(root, client):
    with Guarded(root, *named()) as server:
        command = ["curl", "-sS", "--cacert", server.certificate, "-H", "Content-Type: application/json", "-d", GOOD.decode(),
                   "-o", os.devnull, "-w", "%{http_code}", f"https://localhost:{server.port}/validate?timeout=10s"]
        with_it = subprocess.run([*map(str, command), "--cert", str(client[0]), "--key", str(client[1])], capture_output=True, text=True)
        without = subprocess.run([*map(str, command)], capture_output=True, text=True)
        said = re.search(r"alert certificate required", without.stderr)
        return f"{with_it.stdout}; {without.returncode} {said.group(0) if said else without.stderr}"


def plain_listener(root):
    with Guarded(root, *named()) as server:
        return " ".join(str(server.get(path)[0]) for path in ("/livez", "/readyz", "/metrics"))


def self_signed(made):
    """Its certificate is made at the start, so that nobody can know it."""
    log = made["folder"] / "self-signed.log"
    command = [harness.PROGRAM, "serve", "--self-signed", "--listen", "127.0.0.1:0", "--health-listen", "off", "--shutdown-delay", "0s",
               "--client-ca", str(made["root"].certificate)]
    with open(log, "wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        wait_until(lambda: '"listening"' in log.read_text())
        port = re.search(r'"address":"127.0.0.1:(\d+)"', log.read_text()).group(1)
        seen = []
        for client in ((), ("-cert", *made["root"].issue("me"))):
            more = [str(part) for part in client[:2]] + (["-key", str(client[2])] if client else [])
            done = subprocess.run(["openssl", "s_client", "-quiet", "-connect", f"127.0.0.1:{port}", *more], capture_output=True,
                                  input=REQUEST.replace(b"Host: x", b"Host: x\r\nConnection: close"), timeout=30)
            alert = re.search(rb"alert certificate required", done.stderr)
            seen.append(alert.group(0).decode() if alert else done.stdout.split()[1].decode())
        return ", then ".join(seen)
    finally:
        process.terminate()
        process.wait(timeout=30)


def replace(path, text):
    temporary = Path(f"{path}.new")
    temporary.write_text(text)
    os.replace(temporary, path)


def swapped_authorities(made):
    """From one authority to another: new connections are judged by the new one, those that are open stay."""
    file = made["folder"] / "swapped.pem"
    replace(file, made["root"].certificate.read_text())
    with Guarded(file, *named(), client=made["root"].issue(NAME)) as server:
        with server.connect() as kept:
            kept.sendall(REQUEST)
            first = read_answer(kept)[0]
            replace(file, made["other"].certificate.read_text())
            loaded = wait_until(lambda: server.metric("plimsoll_client_authorities_reloads_total") == 1)
            kept.sendall(REQUEST)
            again = read_answer(kept)[0]
        old = call(server)
        server.client = made["other"].issue(NAME)
        return f"{first}; {'loaded' if loaded else 'not loaded'}; on the open connection {again}; the old {old}; the new {call(server)}"


def broken_authorities(made, text):
    """What cannot be used never replaces what can."""
    file = made["folder"] / f"broken-{abs(hash(text))}.pem"
    replace(file, made["root"].certificate.read_text())
    with Guarded(file, *named(), client=made["root"].issue(NAME)) as server:
        before = call(server)
        if text is None:
            file.unlink()
        else:
            replace(file, text)
        counted = wait_until(lambda: server.metric("plimsoll_client_authorities_reload_failures_total") == 1)
        told = [line for line in server.log_lines() if line.get("event") == "client authorities refused, the old ones are kept"]
        status, page = server.get("/readyz")
        line = "client authorities: 1 reloads failed" in page
        kept = call(server)
        server.client = None
        stranger = call(server)
        replace(file, made["other"].certificate.read_text())
        server.client = made["other"].issue(NAME)
        mended = wait_until(lambda: call(server) == "200")
        return (f"{before}; {'counted' if counted else 'not counted'}, {len(told)} line of the log, {status} with{'' if line else 'out'} a line; "
                f"kept {kept}, without one {stranger}; {'mended' if mended else 'stuck'}")


def many_strangers(made):
    """300 that show nothing, each of which keeps its side open: the log is not filled, nothing is held, others are heard."""
    with Guarded(made["root"], *named()) as server:
        silent = []
        for _ in range(300):
            plain = harness.socket.create_connection(("127.0.0.1", server.port), timeout=10)
            stream = server.context().wrap_socket(plain, server_hostname="localhost")
            silent.append(stream)
        counted = wait_until(lambda: server.metric("plimsoll_tls_handshake_errors_total") == 300)
        lines = len(server.refusals())
        server.client = made["root"].issue(NAME)
        heard = summary(server.ask(REVIEW))
        gone = wait_until(lambda: server.metric("plimsoll_connections") == 0)
        for stream in silent:
            stream.close()
        return (f"{'counted' if counted else server.metric('plimsoll_tls_handshake_errors_total')}, "
                f"{'some lines' if 100 <= lines < 250 else lines}, {heard}, {'all gone' if gone else 'held'}")


def start(made, *flags):
    certificate, key = make_certificate(made["folder"], f"start-{abs(hash(flags))}")
    done = subprocess.run([harness.PROGRAM, "serve", "--cert", certificate, "--key", key, "--listen", "127.0.0.1:0", "--health-listen", "off",
                           *map(str, flags)], capture_output=True, text=True, timeout=30)
    lines = done.stderr.strip().splitlines()
    return f"exit {done.returncode}: " + lines[0].replace(str(made["folder"]) + "/", "")


def start_rows(made):
    folder = made["folder"]
    (folder / "nonsense.pem").write_text("nonsense")
    (folder / "large.pem").write_text("x" * (64 * 1024 + 1))
    (folder / "leaf.pem").write_text(made["root"].issue(NAME)[0].read_text())
    (folder / "old.pem").write_text(made["expired"].read_text())
    for name, why in (("missing.pem", "cannot be opened"), ("nonsense.pem", "there is no certificate in PEM form"),
                      ("large.pem", "is larger than 64 KiB"), ("leaf.pem", "certificate 1 in it is no authority's"),
                      ("old.pem", "every certificate in it has expired")):
        yield (7, f"{name} at the start", f"exit 78: plimsoll: --client-ca: {name}: {why}",
               lambda name=name: start(made, "--client-ca", folder / name))
    yield (8, "names and no authorities", "exit 2: plimsoll serve: --client-name needs --client-ca: without it no certificate is asked for",
           lambda: start(made, *named()))
    yield 8, "an empty --client-ca, as of a variable that is not set", "exit 2", lambda: start(made, "--client-ca", "")[:6]
    yield (8, "an empty --client-name", "exit 2", lambda: start(made, "--client-ca", made["root"].certificate, "--client-name", "")[:6])


def prepare(folder):
    root, other = Authority(folder, "root"), Authority(folder, "other")
    below = Authority(folder, "below", root)
    leaf, leaf_key = root.issue("leaf")
    forger = Authority(folder, "forger")
    forger.certificate, forger.key = leaf, leaf_key  # a client that signs others
    return {"folder": Path(folder), "root": root, "other": other, "below": below, "deep": deep(root, (8, 9)), "forged": forger.issue_with_chain(NAME),
            "expired": root.issue("old", begins=-3, ends=-1, extensions="basicConstraints=critical,CA:TRUE\n")[0]}


def rows(made):
    kept = ("200; counted, 1 line of the log, 200 with a line; kept 200, without one alert certificate required; mended")
    return [
        *refused_rows(made), *heard_rows(made),
        (4, "other authorities in the file", "200; loaded; on the open connection 200; the old alert unknown ca; the new 200",
         lambda: swapped_authorities(made)),
        (5, "nonsense in the file", kept, lambda: broken_authorities(made, "nonsense")),
        (5, "the file is emptied", kept, lambda: broken_authorities(made, "")),
        (5, "the file is gone", kept, lambda: broken_authorities(made, None)),
        (5, "a client's certificate in the file", kept, lambda: broken_authorities(made, made["root"].issue("me")[0].read_text())),
        (5, "an expired authority in the file", kept, lambda: broken_authorities(made, made["expired"].read_text())),
        (6, "300 without a certificate", "counted, some lines, deny 403, all gone", lambda: many_strangers(made)),
        *start_rows(made),
    ]


def main():
    with tempfile.TemporaryDirectory() as folder:
        return check_rows("Client certificates", rows(prepare(folder)), workers=4)


if __name__ == "__main__":
    sys.exit(main())
