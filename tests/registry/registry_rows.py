"""What `plimsoll image` makes of registries: real ones, compared with skopeo, and misbehaving ones.

    PLIMSOLL=build/release/plimsoll python3 tests/registry/registry_rows.py [WORD ...]

With words, only the rows whose names have one of them run.
"""

import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import images
from certificates import Authority
from layout import INDEX_TYPES, digest_of
from misbehaving import MisbehavingRegistry
from registries import READER, Registry, docker_config, repository, start_all
from scenarios import SCENARIOS, TOKEN, USER
from selftest import platforms_of

PROGRAM = os.environ.get("PLIMSOLL", "build/release/plimsoll")
SECONDS = 20         # the longest that any look-up may take
PEAK_MIB = 256       # the most memory; sanitizers need more
SECRETS = ("internal-detail-42", READER[1], TOKEN.split()[1], "169.254.169.254/latest")
WORKERS = 6


@dataclass
class Run:
    code: int
    document: dict
    text: str       # all that was printed
    seconds: float
    peak: float     # MiB

    @property
    def image(self):
        return self.document["images"][0]

    def reason(self):
        """Why the image, or one of its platforms, is unknown; None where all of it is known."""
        unknown = [self.image["unknown"], *(one["unknown"] for one in self.image.get("images") or [])]
        return next((one["reason"] for one in unknown if one), None)


def wait(process, seconds):
    """(exit code, peak of memory in MiB); a process that takes longer is killed. The peak is polled: what
    wait4 says begins with that of this process here."""
    until, peak = time.monotonic() + seconds, 0.0
    while process.poll() is None:
        try:
            status = Path(f"/proc/{process.pid}/status").read_text()
            peak = max([peak, *(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))])
        except OSError:
            pass
        if time.monotonic() > until:
            process.kill()
        time.sleep(0.01)
    return process.returncode, peak


def plimsoll(reference, hosts=(), credentials="", platform=None, more=None):
    """Runs `plimsoll image`: `hosts` are entries of spec.registries, `credentials` a config.json, `more`
    what else stands in spec."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        spec = {"registries": list(hosts), **(more or {})}
        if credentials:
            (home / "config.json").write_text(credentials)
            spec["credentials"] = [str(home / "config.json")]
        (home / "registries.yaml").write_text(json.dumps(
            {"apiVersion": "plimsoll.dev/v1alpha1", "kind": "RegistryConfig", "spec": spec}))
        command = [PROGRAM, "image", reference, "--output", "json", "--registries", str(home / "registries.yaml")]
        started = time.monotonic()
        with open(home / "out", "wb") as out, open(home / "err", "wb") as err:
            process = subprocess.Popen(command + (["--platform", platform] if platform else []), stdout=out, stderr=err)
            code, peak = wait(process, SECONDS + 10)
        text, errors = (home / "out").read_text(errors="replace"), (home / "err").read_text(errors="replace")
        try:
            document = json.loads(text)
        except ValueError:
            raise AssertionError(f"exit code {code}, no JSON: {(text + errors)[-500:]!r}") from None
        return Run(code, document, text + errors, time.monotonic() - started, peak)


class Problems(list):
    def compare(self, what, got, wanted):
        if got != wanted:
            self.append(f"{what} is {str(got)[:300]}, not {str(wanted)[:300]}")


def judged(run, expected):
    """What is wrong with a run of which that reason (or None) is expected."""
    problems = Problems()
    problems.compare("the reason", run.reason(), expected)
    problems.compare("the exit code", run.code, 3 if expected else 0)
    if run.seconds > SECONDS:
        problems.append(f"it took {run.seconds:.1f} s")
    if run.peak > PEAK_MIB and "san" not in PROGRAM:
        problems.append(f"it took {run.peak:.0f} MiB")
    problems += [f"it shows {secret!r}" for secret in SECRETS if secret in run.text]
    return problems


# ---------------------------------------------------------------- real registries, compared with skopeo

def entries(registry, realms=True, **more):
    """What plimsoll must be told of a registry (and of its token service)."""
    way = {"ca": str(registry.authority.ca)} if registry.tls else {"plainHTTP": True}
    entry = {"host": registry.host, "private": True, **way}
    others = []
    if registry.tokens:
        others = [{"host": registry.tokens.host, "private": True, "ca": str(registry.authority.ca)}]
        if realms:
            entry["tokenRealms"] = [registry.tokens.host]
    changed = {name: value for name, value in {**entry, **more}.items() if value is not None}
    return [changed, *others]


def read(registry, name, platform=None, tail=":1", user=READER):
    credentials = registry.credentials(user) if user else ""
    return plimsoll(f"{registry.host}/{repository(name)}{tail}", entries(registry), credentials, platform)


def raw(registry, name, reference):
    return registry.skopeo("--raw", f"docker://{registry.host}/{repository(name)}{reference}")


def leaves(registry, name, reference=":1"):
    """[(platform or None, digest, manifest)] of all images, as skopeo serves them."""
    data = raw(registry, name, reference)
    manifest = json.loads(data)
    if manifest.get("mediaType") not in INDEX_TYPES:
        return [(None, digest_of(data), manifest)]
    found = []
    for child in manifest["manifests"]:
        platform = child.get("platform")
        if platform and platform["os"] == "unknown":
            continue
        below = leaves(registry, name, "@" + child["digest"])
        found += [(platform or own, digest, one) for own, digest, one in below]
    return found


def words_of(platform):
    """"linux/arm64" of what the program or an index says; the usual variant is left out."""
    if isinstance(platform, str):
        return platform.removesuffix("/v8") if "arm64" in platform else platform
    variant = platform.get("variant") or ""
    variant = "" if platform["architecture"] == "arm64" and variant == "v8" else variant
    return "/".join(part for part in (platform["os"], platform["architecture"], variant) if part)


def agrees(registry, name, platform=None):
    run = read(registry, name, platform)
    problems = judged(run, None)
    if problems:
        return problems
    every = leaves(registry, name)
    problems.compare("digest", run.image["digest"], digest_of(raw(registry, name, ":1")))
    if every[0][0]:
        problems.compare("platforms", sorted((words_of(one), one["digest"]) for one in run.image["platforms"]),
                         sorted((words_of(system), digest) for system, digest, _ in every))
    wanted = [(digest, manifest) for system, digest, manifest in every
              if not system or not platform or words_of(system) == words_of(platform)]
    for one in run.image["images"]:
        manifest = dict(wanted).get(one["manifestDigest"])
        if manifest is None:
            problems.append(f"{one['manifestDigest']} is none of {[digest for digest, _ in wanted]}")
        else:
            compare_image(problems, registry, name, one, manifest)
    problems.compare("the number of images", bool(run.image["images"]), True)
    return problems


def compare_image(problems, registry, name, seen, manifest):
    layers, config = manifest["layers"], manifest["config"]
    sizes = {blob["digest"]: blob["size"] for blob in [config, *layers]}
    foreign = [blob["size"] for blob in layers if blob.get("urls")]
    problems.compare("configDigest", seen["configDigest"], config["digest"])
    problems.compare("compressedBytes", seen["compressedBytes"], config["size"] + sum(layer["size"] for layer in layers))
    problems.compare("pullBytes", seen["pullBytes"], sum(sizes.values()))
    problems.compare("foreignBytes", seen["foreignBytes"], sum(foreign))
    for key in ("digest", "size", "mediaType"):
        problems.compare(f"{key} of the layers", [layer[key] for layer in seen["layers"]], [layer[key] for layer in layers])
    problems.compare("index of the layers", [layer["index"] for layer in seen["layers"]], list(range(len(layers))))
    document = json.loads(registry.skopeo("--raw", "--config", f"docker://{registry.host}/{repository(name)}@{seen['manifestDigest']}"))
    problems.compare("user", seen["user"], (document.get("config") or {}).get("User", ""))
    if "created" in document and "2000" < document["created"] < "2100":
        problems.compare("created", seen["created"][:19], document["created"][:19])


def image_rows(made, layout):
    rows = []
    for mode, registry in made.items():
        for name, (_, what) in images.GOOD.items():
            if what == "artifact":
                rows.append((f"{mode}: {name} is no image", lambda r=registry, n=name: judged(read(r, n), "not-an-image")))
                continue
            platforms = ["/".join(part for part in one if part) for one in platforms_of(layout, name)] if what == "index" else [None]
            for platform in platforms if mode == "none" else platforms[:1]:
                rows.append((f"{mode}: {name} {platform or ''}".strip() + " is what skopeo sees",
                             lambda r=registry, n=name, p=platform: agrees(r, n, p)))
    return rows


def detail_rows(made, layout):
    """Facts of single images, and references of other kinds."""
    plain, digest = made["none"], layout.names["light"]["digest"]
    first = lambda run: run.image["images"][0]

    def instructions():
        layers = first(read(plain, "fat"))["layers"]
        largest = max(layers, key=lambda layer: layer["size"])
        return [] if "apt-get install -y build-essential" in largest["instruction"] else [largest["instruction"]]

    def empty_layers():
        seen = [layer["instruction"] for layer in first(read(plain, "empty_layers"))["layers"]]
        return [] if ["COPY" in seen[0], "WORKDIR" in seen[1], "COPY" in seen[2]] == [True] * 3 else [str(seen)]

    def without_history(name):
        return [str(layer) for layer in first(read(plain, name))["layers"] if layer["instruction"]]

    return [
        ("the largest layer of fat names its instruction", instructions),
        ("instructions without layers are passed over", empty_layers),
        ("without history there are no instructions", lambda: without_history("no_history")),
        ("with a history that does not fit there are none", lambda: without_history("long_history")),
        ("a reference by digest", lambda: judged(read(plain, "light", tail="@" + digest), None)),
        ("a reference by tag and digest reads the digest", lambda: judged(read(plain, "light", tail=":no-such-tag@" + digest), None)),
        ("no such digest", lambda: judged(read(plain, "light", tail="@sha256:" + "0" * 64), "not-found")),
        ("no such tag", lambda: judged(read(plain, "light", tail=":none"), "not-found")),
        ("no such repository", lambda: judged(read(plain, "no_such"), "not-found")),
        ("no such repository, with a token", lambda: judged(read(made["token"], "no_such"), "not-found")),
        ("not for that platform", lambda: judged(read(plain, "only_arm64", "linux/amd64"), "no-matching-platform")),
    ]


def access_rows(made):
    basic, token, none = made["basic"], made["token"], made["none"]
    light = lambda registry, hosts, credentials="": plimsoll(registry.reference("light"), hosts, credentials)

    def counted():
        mark = none.mark()
        problems = judged(read(none, "shared_b"), None)
        asked = [one for one in none.requests(mark) if "/images/shared-b/" in one[1]]
        if len(asked) > 4 or sum("/blobs/" in path for _, path, _ in asked) != 1:
            problems.append(f"too many requests: {asked}")
        return problems

    def tokens_counted():
        before = token.tokens.count()
        problems = judged(read(token, "multi", "linux/amd64"), None)
        problems.compare("token requests", token.tokens.count() - before, 1)
        problems += [f"asked for {one.query}" for one in token.tokens.requests[before:]
                     if one.query.get("scope", one.form.get("scope")) != ["repository:images/multi:pull"]]
        return problems

    def untrusted():
        before = token.tokens.count()
        problems = judged(light(token, entries(token, realms=False), token.credentials()), "untrusted-realm")
        problems += ["credentials came" for one in token.tokens.requests[before:] if "authorization" in one.headers or one.form]
        return problems

    def told(behaviour, expected):
        token.tokens.behaviour = behaviour
        try:
            return judged(read(token, "light"), expected)
        finally:
            token.tokens.behaviour = "good"

    def public():
        token.tokens.public = "images/light"
        try:
            return judged(read(token, "light", user=None), None)
        finally:
            token.tokens.public = None

    def again():
        none.stop()
        problems = judged(read(none, "light"), "connect")
        none.start()
        return problems + judged(read(none, "light"), None)

    def plain():
        with Registry("none", tls=False) as registry:
            registry.push(images.build_all(registry.directory / "layout", fat_mib=2), "light")
            return (judged(light(registry, entries(registry)), None)
                    + judged(light(registry, entries(registry, plainHTTP=None)), "tls"))

    rows = [
        ("few requests, and no layers", counted), ("one token for all requests, for what is needed", tokens_counted),
        ("no credentials, basic", lambda: judged(read(basic, "light", user=None), "unauthorized")),
        ("no credentials, token", lambda: judged(read(token, "light", user=None), "unauthorized")),
        ("wrong credentials, basic", lambda: judged(read(basic, "light", user=("reader", "wrong")), "unauthorized")),
        ("wrong credentials, token", lambda: judged(read(token, "light", user=("reader", "wrong")), "unauthorized")),
        ("credentials of another host are not sent", lambda: judged(light(basic, entries(basic), docker_config(
            {"127.0.0.1": READER, "127.0.0.1:1": READER, "localhost:%d" % basic.port: READER})), "unauthorized")),
        ("a realm that is not trusted", untrusted),
        ("a loopback address that is not configured", lambda: judged(light(none, []), "address-blocked")),
        ("an authority that is not known", lambda: judged(light(none, [{"host": none.host, "private": True}]), "tls")),
        ("plain HTTP to a port with TLS", lambda: judged(light(none, entries(none, plainHTTP=True, ca=None)), "registry-error")),
        ("a registry without TLS", plain), ("a repository that everybody may read", public)]
    rows += [(f"the token service says {behaviour}", lambda b=behaviour, e=expected: told(b, e)) for behaviour, expected in (
        ("401", "unauthorized"), ("500", "registry-error"), ("garbage", "registry-error"), ("html", "registry-error"),
        ("empty", "registry-error"), ("huge", "too-large"), ("control-characters", "registry-error"), ("slow", "timeout"),
        ("redirect", "redirect-refused"), ("no-expires", None), ("access-token", None))]
    return rows + [("stopped, and started again", again)]  # last: it stops what others read


# ---------------------------------------------------------------- scenarios

def misbehaves(server, name):
    setup, expected, note = SCENARIOS[name]
    target = setup(server)
    run = plimsoll(target.reference, target.hosts, docker_config(target.credentials) if target.credentials else "",
                   target.platform, target.spec)
    problems = judged(run, expected) + target.check()
    served = server.manifest("scenario/" + name.replace("_", "-"), "1")
    if not problems and expected is None and name != "tag_moves" and served:
        if run.image["digest"] != digest_of(served[0]):
            problems.append(f"the digest is {run.image['digest']}, not {digest_of(served[0])}")
    if problems and note:
        problems.append(f"note: {note}")
    return problems


def scenario_rows(server):
    """The slow ones first, so that they wait beside the others."""
    names = sorted(SCENARIOS, key=lambda name: SCENARIOS[name][1] != "timeout")
    return [(f"scenario {name} gives {SCENARIOS[name][1] or 'the image'}", lambda n=name: misbehaves(server, n)) for name in names]


def nothing_leaked(server):
    """Over all scenarios: nothing that is a credential came anywhere but to the registry or a trusted realm."""
    found = []
    for one in list(server.seen):
        trusted = one.listener == "good" or "/token/scenario/realm-elsewhere-trusted" in one.path
        if not trusted and ("authorization" in one.headers or USER[1].encode() in one.body):
            found.append(f"{one.method} {one.path} at {one.listener}")
    return found


# ---------------------------------------------------------------- rows

class Rows:
    def __init__(self, words):
        self.words, self.number, self.failed = words, 0, []

    def run(self, rows, workers=WORKERS):
        chosen = [row for row in rows if not self.words or any(word in row[0] for word in self.words)]
        with concurrent.futures.ThreadPoolExecutor(workers) as pool:
            list(pool.map(self.run_one, chosen))

    def run_one(self, row):
        name, check = row
        self.number += 1
        try:
            problems = check()
        except Exception as error:  # a row that fails must not hide the others
            problems = [f"{type(error).__name__}: {error}"]
        if problems:
            self.failed.append(name)
        print(f"FAILED {name}: {'; '.join(problems)}" if problems else f"ok {name}", flush=True)


def main():
    rows, started = Rows(sys.argv[1:]), time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        layout = images.build_all(Path(name) / "layout")
        made = start_all()
        try:
            for registry in made.values():
                registry.push_all(layout)
            rows.run(image_rows(made, layout) + detail_rows(made, layout))
            rows.run(access_rows(made), workers=1)
        finally:
            for registry in made.values():
                registry.close()
        with MisbehavingRegistry(layout, Authority(Path(name) / "authority")) as server:
            rows.run(scenario_rows(server))
            rows.run([("no credentials came anywhere else", lambda: nothing_leaked(server))])
    print(f"registry rows: {rows.number} rows, {len(rows.failed)} failed ({time.monotonic() - started:.0f} s)")
    return 1 if rows.failed or not rows.number else 0


if __name__ == "__main__":
    sys.exit(main())
