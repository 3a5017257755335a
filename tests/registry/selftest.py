"""Proves that the test registries are what they say: `python3 tests/registry/selftest.py`, under a minute."""

import concurrent.futures
import gzip
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import images
from certificates import Authority
from layout import INDEX_TYPES, Layout, digest_of
from misbehaving import MisbehavingRegistry
from registries import READER, Client, docker_config, need, start_all
from scenarios import SCENARIOS

ACCEPT = ", ".join(("application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json",
                    "application/vnd.docker.distribution.manifest.list.v2+json",
                    "application/vnd.docker.distribution.manifest.v2+json"))
# What skopeo does otherwise than a reader must that only looks: it is no witness of these.
SKOPEO_DIFFERS = {
    **dict.fromkeys(("mirror_alone", "mirror_down", "mirror_without_it", "mirror_wants_credentials"), "knows mirrors from a file of its own"),
    "needs_user_agent": "its User-Agent is its own",
    "realm_elsewhere_anonymous": "sends its credentials to any realm, which is what the scenario is about",
    **dict.fromkeys(("status_502_once", "status_503_once", "status_504_once", "token_503_once"), "does not ask again"),
    **dict.fromkeys(("content_type_json", "content_type_text", "content_type_missing", "type_inferred"), "infers nothing"),
    **dict.fromkeys(("several_headers", "several_in_one_header"), "takes the first challenge of a header, or Basic before Bearer"),
    "bearer_second_token": "keeps the token that it has",
}


class Checks:
    def __init__(self):
        self.number, self.problems = 0, []

    def run(self, name, check):
        """`check()` returns None, "" or [] where all is well, else what is not."""
        self.number += 1
        try:
            problem = check()
        except Exception as error:  # one that fails must not hide the others
            problem = f"{type(error).__name__}: {str(error)[-400:]}"
        print(f"ok      {name}" if not problem else f"FAILED  {name}: {problem}", flush=True)
        if problem:
            self.problems.append(name)

    def run_all(self, pairs, workers=8):
        with concurrent.futures.ThreadPoolExecutor(workers) as pool:
            list(pool.map(lambda pair: self.run(*pair), pairs))


def differs(got, wanted):
    return None if got == wanted else f"{got!r}, not {wanted!r}"


# ---------------------------------------------------------------- images

def unpacked(layout, layer):
    data = layout.bytes(layer["digest"])
    if layer["mediaType"].endswith("gzip"):
        return gzip.decompress(data)
    if layer["mediaType"].endswith("zstd"):
        return subprocess.run(["zstd", "-q", "-d", "-c"], input=data, check=True, capture_output=True).stdout
    return data


def diff_ids_fit(layout, descriptor):
    """Each layer, unpacked, has the diff_id that the config says."""
    for child in layout.children(descriptor):
        problem = diff_ids_fit(layout, child)
        if problem:
            return problem
    if descriptor["mediaType"] in INDEX_TYPES:
        return None
    manifest = layout.json(descriptor)
    config = layout.json(manifest["config"])
    if "rootfs" not in config or "platform" in descriptor and descriptor["platform"]["os"] == "unknown":
        return None
    wanted = config["rootfs"]["diff_ids"]
    got = [layer["digest"] if layer.get("urls") else digest_of(unpacked(layout, layer)) for layer in manifest["layers"]]
    return differs(got, wanted)


def check_images(checks, layout, directory):
    again = directory / "again"
    small = lambda root: {name: make(Layout(root))["digest"] for name, (make, _) in images.GOOD.items() if name != "fat"}
    checks.run("images are the same each time", lambda: differs(
        small(again), {name: layout.names[name]["digest"] for name in images.GOOD if name != "fat"}))
    for name, descriptor in layout.names.items():
        checks.run(f"layers and diff_ids of {name} fit", lambda: diff_ids_fit(layout, descriptor))
    largest = max(layer["size"] for layer in layout.json("fat")["layers"])
    checks.run("the largest layer of fat is as large as asked", lambda: None if 24 << 20 <= largest < 25 << 20 else largest)
    child_of = lambda name: layout.json(layout.json(name)["config"])["rootfs"]["diff_ids"]
    for name in ("child", "child_annotated"):
        checks.run(f"{name} begins with base", lambda: differs(child_of(name)[:2], child_of("base")))
    checks.run("shared_a and shared_b share two layers", lambda: differs(
        layout.json("shared_a")["layers"][:2], layout.json("shared_b")["layers"][:2]))
    oci = images.write_oci_archive(layout, "multi", directory / "multi.tar")
    docker = images.write_docker_archive(layout, "shared_a", directory / "shared.tar", "registry.test/shared:1")
    for kind, path, name in (("oci-archive", oci, "multi"), ("docker-archive", docker, "shared_a")):
        checks.run(f"skopeo copies the {kind}", lambda: skopeo_copy(f"{kind}:{path}", f"dir:{directory}/{kind}"))


def skopeo_copy(source, target, *options):
    done = subprocess.run(["skopeo", "copy", "--quiet", *options, source, target], capture_output=True, timeout=60)
    return done.stderr.decode()[-400:] if done.returncode else None


# ---------------------------------------------------------------- real registries

def same_raw(registry, layout, name):
    return differs(digest_of(registry.skopeo("--raw", "docker://" + registry.reference(name))), layout.names[name]["digest"])


def same_image(registry, layout, name, platform):
    """`skopeo inspect` sees the layers and the platform that the layout has."""
    system, architecture, variant = platform
    seen = json.loads(registry.skopeo(f"--override-os={system}", f"--override-arch={architecture}",
                                      *([f"--override-variant={variant}"] if variant else []),
                                      "docker://" + registry.reference(name)))
    return differs((seen["Os"], seen["Architecture"]), (system, architecture)) or (
        differs(seen["Layers"] or [], [layer["digest"] for layer in layout.json(name)["layers"]])
        if layout.names[name]["mediaType"] not in INDEX_TYPES else None)


def platforms_of(layout, name):
    """[(os, architecture, variant)] that a client may ask for."""
    found, wanted = [], [layout.names[name]]
    while wanted:
        descriptor = wanted.pop()
        wanted += layout.children(descriptor)
        platform = descriptor.get("platform")
        if platform and platform["os"] != "unknown":
            found.append((platform["os"], platform["architecture"], platform.get("variant", "")))
        elif descriptor["mediaType"] not in INDEX_TYPES and not platform:
            config = layout.json(layout.json(descriptor)["config"])
            found.append((config["os"], config["architecture"], config.get("variant", "")))
    return sorted(set(found))


def check_registries(checks, layout):
    made = start_all()
    try:
        for mode, registry in made.items():
            checks.run(f"{mode}: every image is taken", lambda: registry.push_all(layout))
        pairs = []
        for mode, registry in made.items():
            for name in layout.names:
                pairs.append((f"{mode}: skopeo reads {name}", lambda r=registry, n=name: same_raw(r, layout, n)))
        registry = made["none"]
        for name, (_, what) in images.GOOD.items():
            for platform in platforms_of(layout, name) if what != "artifact" and name != "nested_index" else []:
                pairs.append((f"none: skopeo inspects {name} for {'/'.join(platform).rstrip('/')}",
                              lambda n=name, p=platform: same_image(registry, layout, n, p)))
        checks.run_all(pairs)
        with tempfile.TemporaryDirectory() as target:
            for mode, registry in made.items():
                creds = [] if mode == "none" else ["--src-creds", ":".join(READER)]
                checks.run(f"{mode}: skopeo copies shared_a with its layers", lambda: skopeo_copy(
                    "docker://" + registry.reference("shared_a"), f"dir:{target}/{mode}", *creds,
                    "--src-cert-dir", str(registry.authority.cert_dir)))
        check_access(checks, made)
    finally:
        for registry in made.values():
            registry.close()


def head(registry, user, name="light"):
    client = registry.client(user)
    try:
        return client.request("HEAD", f"/v2/images/{name}/manifests/1", headers={"Accept": ACCEPT})[0]
    finally:
        client.close()


def check_access(checks, made):
    for mode in ("basic", "token"):
        checks.run(f"{mode}: nothing without credentials", lambda: differs(head(made[mode], None), 401))
        checks.run(f"{mode}: nothing with wrong ones", lambda: differs(head(made[mode], ("reader", "wrong")), 401))
    for mode, registry in made.items():
        mark = registry.mark()
        checks.run(f"{mode}: HEAD with credentials", lambda: differs(head(registry, READER), 200))
        tries = [("HEAD", "/v2/images/light/manifests/1", status) for status in ([200] if mode == "none" else [401, 200])]
        checks.run(f"{mode}: requests are counted", lambda: differs(registry.requests(mark), tries))
        port = registry.port
        registry.stop()
        checks.run(f"{mode}: stopped, nobody answers", lambda: refused(port))
        registry.start()
        checks.run(f"{mode}: started again, all is there", lambda: differs((registry.port, head(registry, READER)), (port, 200)))
    registry = made["token"]
    for behaviour, status in (("401", 401), ("500", 401), ("no-expires", 200)):
        registry.tokens.behaviour = behaviour
        count = registry.tokens.count()
        checks.run(f"token: service told to be {behaviour}", lambda: differs(
            (head(registry, READER), registry.tokens.count() - count), (status, 1)))
    registry.tokens.behaviour = "good"


def refused(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
        return "somebody answers"
    except ConnectionRefusedError:
        return None


# ---------------------------------------------------------------- the misbehaving one

def skopeo_reads(layout, authority, name):
    """On a server of its own: skopeo learns from /v2/ what it has to answer with everywhere."""
    with MisbehavingRegistry(layout, authority) as server:
        target = SCENARIOS[name][0](server)
        rule = server.rules.get("scenario/" + name.replace("_", "-"))
        if name.startswith(("basic", "bearer", "realm", "several", "token", "redirect_after")):
            server.rules["/v2/"] = rule
        return run_skopeo(server, name, target)


def run_skopeo(server, name, target):
    with tempfile.TemporaryDirectory() as home:
        Path(home, "auth.json").write_text(docker_config(target.credentials))
        system, architecture = (target.platform or "linux/amd64").split("/")[:2]
        system = "windows" if name == "good_foreign" else system
        secure = not target.hosts[0].get("plainHTTP")
        done = subprocess.run(
            ["skopeo", f"--override-os={system}", f"--override-arch={architecture}", "inspect", "--no-tags", "--authfile", home + "/auth.json",
             "--cert-dir", str(server.authority.cert_dir), f"--tls-verify={str(secure).lower()}", "docker://" + target.reference],
            capture_output=True, timeout=60, env={**os.environ, "HOME": home})
    return (done.stderr.decode()[-400:] if done.returncode else None) or [
        problem for problem in target.check() if not problem.endswith("referer")]  # Go sends it


def ask(server, name, method="GET", path=None, headers=None, timeout=5):
    """(status, headers, body) of the first request of a scenario, or the name of what went wrong."""
    target = SCENARIOS[name][0](server)
    host, rest = target.reference.split("/", 1)
    repository, separator, reference = rest.partition("@") if "@" in rest else rest.rpartition(":")
    client = Client(host, None if target.hosts and target.hosts[0].get("plainHTTP") else server.authority.client(),
                    target.credentials.get(host))
    client.connection.timeout = timeout
    try:
        return client.request(method, path or f"/v2/{repository}/manifests/{reference}", headers={"Accept": ACCEPT, **(headers or {})})
    except Exception as error:
        reason = getattr(error, "verify_message", "")
        return type(error).__name__ + (f": {reason}" if reason else "")
    finally:
        client.close()


def check_scenarios(checks, layout, authority):
    with MisbehavingRegistry(layout, authority) as server:
        names = [name for name, (_, expected, _) in SCENARIOS.items() if expected is None and name not in SKOPEO_DIFFERS]
        checks.run_all([(f"skopeo reads {name}", lambda n=name: skopeo_reads(layout, authority, n)) for name in names])
        light = layout.names["light"]
        status = lambda name, **more: (lambda answer: answer if isinstance(answer, str) else answer[0])(ask(server, name, **more))
        rows = [(name, wanted, lambda n=name: status(n, timeout=2)) for name, wanted in (
            ("refused", "ConnectionRefusedError"), ("tls_expired", "SSLCertVerificationError: certificate has expired"),
            ("tls_wrong_name", "SSLCertVerificationError: IP address mismatch, certificate is not valid for '127.0.0.1'."),
            ("tls_self_signed", "SSLCertVerificationError: self-signed certificate"),
            ("tls_unknown_ca", "SSLCertVerificationError: unable to get local issuer certificate"),
            ("tls_plain_on_tls", "SSLError"), ("tls_garbage", "SSLEOFError"), ("tls_old_tls", "SSLError"), ("tls_reset", "ConnectionResetError"),
            ("tls_no_handshake", "TimeoutError"), ("never_answers", "TimeoutError"), ("length_too_long_closed", "IncompleteRead"),
            ("length_too_long_waits", "TimeoutError"), ("garbage_answer", "BadStatusLine"), ("empty_answer", "RemoteDisconnected"),
            ("reset_before_headers", "RemoteDisconnected"), ("reset_in_body", "IncompleteRead"),
            ("status_403", 403), ("status_404", 404), ("veto", 412), ("rate_limited", 429), ("basic_good", 200), ("basic_wrong", 401),
            ("bearer_loop", 401), ("bearer_with_credentials", 200), ("realm_elsewhere_trusted", 200), ("realm_elsewhere", 200),
            ("status_503_once", 503), ("schema1_signed", 200), ("nested_100k", 200))]
        rows += [
            ("wrong_body", True, lambda: digest_of(ask(server, "wrong_body")[2]) != light["digest"]),
            ("wrong_digest_header", "sha256:" + "0" * 64, lambda: ask(server, "wrong_digest_header")[1]["docker-content-digest"]),
            ("no_digest_header", False, lambda: "docker-content-digest" in ask(server, "no_digest_header", method="HEAD")[1]),
            ("head_405", (405, 200), lambda: (ask(server, "head_405", method="HEAD")[0], ask(server, "head_405")[0])),
            ("gzip_encoded", light["digest"], lambda: digest_of(gzip.decompress(ask(server, "gzip_encoded")[2]))),
            ("rate_limited_retry_after", "120", lambda: ask(server, "rate_limited_retry_after")[1]["retry-after"]),
            ("redirect_to_metadata", "https://169.254.169.254/latest/meta-data/", lambda: ask(
                server, "redirect_to_metadata", path=f"/v2/scenario/redirect-to-metadata/blobs/{light['digest']}")[1]["location"]),
            ("over_4mib", True, lambda: len(ask(server, "over_4mib")[2]) > 4 << 20),
            ("objects_4mib", True, lambda: len(ask(server, "objects_4mib")[2]) > 4 << 20),
            ("header_of_40_kib", "LineTooLong or", lambda: "LineTooLong or" if len(ask(
                server, "header_of_20_kib")[1]["x-long"]) == 20480 else "short"),
            ("slow_body", True, lambda: slow_rate(server)),
            ("endless_chunked", "much was taken, and it ended", lambda: endless(server))]
        pairs = [(f"scenario {name}", lambda w=wanted, f=see: differs(f(), w)) for name, wanted, see in rows]
        checks.run_all(pairs)
        checks.run("a leak is seen: realm_elsewhere gets credentials from a careless client", lambda: careless(server))
        checks.run("every scenario can be set up", lambda: [name for name, (setup, _, _) in SCENARIOS.items()
                                                            if not setup(server).reference])


def stream_of(server, name):
    """A connection that has asked for the manifest of a scenario."""
    target = SCENARIOS[name][0](server)
    host, rest = target.reference.split("/", 1)
    plain = socket.create_connection(("127.0.0.1", int(host.split(":")[1])), timeout=5)
    stream = server.authority.client().wrap_socket(plain, server_hostname="127.0.0.1")
    repository, reference = rest.rsplit(":", 1)
    stream.sendall(f"GET /v2/{repository}/manifests/{reference} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    return stream, repository


def slow_rate(server):
    stream, _ = stream_of(server, "slow_body")
    with stream:
        stream.recv(65536)
        until, got = time.monotonic() + 1, 0
        while time.monotonic() < until:
            got += len(stream.recv(65536))
    return 1 <= got <= 8


def endless(server):
    stream, repository = stream_of(server, "endless_chunked")
    with stream:
        got = 0
        while got < 8 << 20:
            got += len(stream.recv(65536))
    until = time.monotonic() + 5
    while repository not in server.poured and time.monotonic() < until:
        time.sleep(0.02)
    return "much was taken, and it ended" if 8 << 20 <= server.poured.get(repository, 0) < 32 << 20 else server.poured


def careless(server):
    target = SCENARIOS["realm_elsewhere"][0](server)
    ask(server, "realm_elsewhere")
    return None if any("authorization" in problem for problem in target.check()) else "nothing was noticed"


def main():
    for program, package in (("skopeo", "skopeo"), ("docker-registry", "docker-registry"), ("htpasswd", "apache2-utils"), ("zstd", "zstd")):
        need(program, package)
    checks, started = Checks(), time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        layout = images.build_all(directory / "layout")
        check_images(checks, layout, directory)
        check_registries(checks, layout)
        check_scenarios(checks, layout, Authority(directory / "authority"))
    print(f"registry selftest: {checks.number} checks, {len(checks.problems)} problems")
    print(f"{time.monotonic() - started:.0f} s", file=sys.stderr)
    return 1 if checks.problems else 0


if __name__ == "__main__":
    sys.exit(main())
