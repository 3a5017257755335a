"""Makes images without network and without a builder: the same ones each time, by one function each.

    layout = images.build_all("/tmp/layout")        # every image of GOOD, by its name
    images.light(Layout(directory))                 # one of them; returns its descriptor
    python3 tests/registry/images.py DIRECTORY      # the same from a shell, and archives beside
"""

import datetime
import gzip
import hashlib
import io
import json
import random
import subprocess
import sys
import tarfile
from dataclasses import dataclass, field
from pathlib import Path

from layout import (DOCKER_CONFIG, DOCKER_LAYER, DOCKER_LIST, DOCKER_MANIFEST, OCI_CONFIG, OCI_EMPTY, OCI_INDEX,
                    OCI_LAYER, OCI_MANIFEST, Layout, digest_of, to_json)

MIB = 1 << 20
NULL = object()
LONG_AGO = "2024-03-01T10:00:00Z"
FOREIGN_LAYER = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
NONDISTRIBUTABLE_LAYER = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
APT = "RUN /bin/sh -c apt-get update && apt-get install -y build-essential # buildkit"


def days_ago(days):
    """Midnight of that day, so that one day's images are the same."""
    day = datetime.datetime.now(datetime.timezone.utc).date() - datetime.timedelta(days=days)
    return f"{day.isoformat()}T00:00:00Z"


def tar_of(files):
    """An uncompressed tar of {path: bytes}, a path that ends with / being a directory."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path, data in files.items():
            entry = tarfile.TarInfo(path.rstrip("/"))
            entry.mode = 0o755 if path.endswith("/") or data.startswith(b"\x7fELF") else 0o644
            if path.endswith("/"):
                entry.type = tarfile.DIRTYPE
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def noise(seed, size):
    """Bytes that do not compress; the same ones of the same seed."""
    return random.Random(seed).randbytes(size)


def compressed(data, compression):
    if compression == "gzip":
        return gzip.compress(data, compresslevel=1, mtime=0)
    if compression == "zstd":
        return subprocess.run(["zstd", "-q", "-c", "-3"], input=data, check=True, capture_output=True).stdout
    return data


@dataclass
class Step:
    """One line of a Containerfile: with `files` (or `{}`) it has a layer, with None it has none."""
    instruction: str
    files: dict | None = None
    compression: str = "gzip"
    descriptor: dict | None = None  # a layer that exists already ...
    diff_id: str | None = None      # ... or that no registry has
    more: dict = field(default_factory=dict)


def layer_type(compression, docker):
    base = DOCKER_LAYER if docker else OCI_LAYER
    suffix = {"gzip": ".gzip" if docker else "+gzip", "zstd": "+zstd", "none": ""}[compression]
    return base + suffix


def image(layout, steps, *, config=None, created=LONG_AGO, platform=("linux", "amd64", ""), history=True, docker=False,
          annotations=None, os_version=None, extra_history=(), **root):
    """Writes layers, config and manifest; returns the manifest's descriptor. `history`: True for one
    entry a step, None for none, a list as it is. `config` None leaves it out, NULL writes a null; `root`
    overwrites the config's root."""
    layers, diff_ids, entries = [], [], []
    for step in steps:
        entry = {"created": created, "created_by": step.instruction, "comment": "buildkit.dockerfile.v0"}
        if step.descriptor is not None:
            layers.append(step.descriptor)
            diff_ids.append(step.diff_id or step.descriptor["digest"])
        elif step.files is not None:
            tar = tar_of(step.files)
            diff_ids.append(digest_of(tar))
            layers.append(layout.put(compressed(tar, step.compression), layer_type(step.compression, docker), **step.more))
        else:
            entry["empty_layer"] = True
        entries.append(entry)
    system, architecture, variant = platform
    document = {"created": created, "architecture": architecture, "os": system}
    if variant:
        document["variant"] = variant
    if os_version:
        document["os.version"] = os_version
    if config is not None:
        document["config"] = None if config is NULL else config
    document["rootfs"] = {"type": "layers", "diff_ids": diff_ids}
    if history:
        document["history"] = entries + list(extra_history) if history is True else history
    document.update(root)
    types = (DOCKER_MANIFEST, DOCKER_CONFIG) if docker else (OCI_MANIFEST, OCI_CONFIG)
    manifest = {"schemaVersion": 2, "mediaType": types[0], "config": layout.put_json(document, types[1]), "layers": layers}
    if annotations:
        manifest["annotations"] = annotations
    return layout.put_json(manifest, types[0])


def with_platform(descriptor, system, architecture, variant="", os_version=None):
    platform = {"architecture": architecture, "os": system}
    if variant:
        platform["variant"] = variant
    if os_version:
        platform["os.version"] = os_version
    return {**descriptor, "platform": platform}


def index(layout, entries, *, docker=False, annotations=None):
    media_type = DOCKER_LIST if docker else OCI_INDEX
    document = {"schemaVersion": 2, "mediaType": media_type, "manifests": entries}
    if annotations:
        document["annotations"] = annotations
    return layout.put_json(document, media_type)


# ---------------------------------------------------------------- images of one platform

def light(layout, created=None):
    """Small, recent, with a user, a health check and labels: nothing to complain about."""
    return image(layout, [Step("COPY server /server # buildkit", {"server": b"\x7fELF" + noise("light", 4000)}),
                          Step("USER 65532"), Step("HEALTHCHECK &{[CMD /server health]}"), Step('ENTRYPOINT ["/server"]')],
                 created=created or days_ago(3), annotations={"org.opencontainers.image.revision": "4f2a1c7"},
                 config={"User": "65532", "Entrypoint": ["/server"], "WorkingDir": "/",
                         "Env": ["PATH=/usr/bin:/bin"], "ExposedPorts": {"8080/tcp": {}},
                         "Healthcheck": {"Test": ["CMD", "/server", "health"], "Interval": 30000000000, "Retries": 3},
                         "Labels": {"org.opencontainers.image.title": "light", "maintainer": "team@example.com",
                                    "org.opencontainers.image.source": "https://example.com/light"}})


def dpkg_status(packages):
    return b"".join(b"Package: package-%d\nStatus: install ok installed\nVersion: 1.%d-1\nArchitecture: amd64\n\n" % (n, n)
                    for n in range(packages))


def fat(layout, mib=24, packages=1200):
    """What a hasty Containerfile gives: a build tool chain, root, old, secrets, apt's lists."""
    steps = [Step("/bin/sh -c #(nop) ADD file:4b1be1de1a1e5aa608c688cad2824587262081866180d7368feb79d33ca05953 in / ",
                  {"bin/sh": noise("base", 3 * MIB), "var/lib/dpkg/status": dpkg_status(88)}),
             Step('/bin/sh -c #(nop)  CMD ["bash"]'),
             Step("ENV DB_PASSWORD=correct-horse-battery"),
             Step("ARG API_TOKEN"),
             Step(APT, {"usr/bin/gcc": noise("gcc", mib * MIB - MIB), "usr/lib/cc1": noise("cc1", MIB),
                        "var/lib/apt/lists/deb.debian.org_debian_dists_bookworm_main_binary-amd64_Packages": b"Package: x\n" * 20000,
                        "var/lib/dpkg/status": dpkg_status(packages)}),
             Step("RUN |1 API_TOKEN=ghp_0123456789abcdefghijABCDEFGHIJ012345 /bin/sh -c curl -u build:hunter2 https://example.com/x # buildkit", {}),
             Step("COPY . /app # buildkit", {"app/main.py": b"print('hello')\n" * 100, "app/.git/HEAD": b"ref: refs/heads/main\n",
                                             "app/data.bin": noise("data", 2 * MIB)}),
             Step("RUN /bin/sh -c chown -R app:app /app # buildkit", {"app/main.py": b"print('hello')\n" * 100,
                                                                      "app/data.bin": noise("data", 2 * MIB)})]
    return image(layout, steps, created="2021-06-15T08:30:00Z",
                 config={"Env": ["PATH=/usr/local/bin:/usr/bin:/bin", "DB_PASSWORD=correct-horse-battery",
                                 "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE", "GPG_KEY=A035C8C19219BA821ECEA86B64E628F8D684696D"],
                         "Cmd": ["python3", "/app/main.py"],
                         "Labels": {"build.secret": "s3cr3t-token-of-the-build", "org.opencontainers.image.title": "debian"}})


def shared_base_steps():
    return [Step("ADD rootfs.tar.gz / # buildkit", {"etc/os-release": b"ID=plain\n", "lib/libc.so": noise("shared", MIB)}),
            Step("RUN /bin/sh -c adduser -D app # buildkit", {"etc/passwd": b"app:x:1000:1000::/:/bin/sh\n"})]


def shared_a(layout):
    return image(layout, [*shared_base_steps(), Step("COPY a /a # buildkit", {"a": noise("a", 9000)})], config={"User": "app"})


def shared_b(layout):
    return image(layout, [*shared_base_steps(), Step("COPY b /b # buildkit", {"b": noise("b", 7000)})], config={"User": "1000:1000"})


def zstd(layout):
    """One layer each: zstd, gzip, none."""
    return image(layout, [Step(f"COPY {way} /{way} # buildkit", {way: way.encode() * 5000}, way)
                          for way in ("zstd", "gzip", "none")], config={"User": "1"})


def empty_layers(layout):
    """Instructions without layers, one layer that is an empty tar, and one that stands twice."""
    same = Step("COPY a /a # buildkit", {"a": b"same"})
    return image(layout, [same, Step("ENV A=1"), Step("WORKDIR /", {}), Step("EXPOSE map[80/tcp:{}]"), same, Step('CMD ["/a"]')],
                 config={"Cmd": ["/a"], "Labels": None, "Healthcheck": {"Test": ["NONE"]}})


def layers300(layout, number=300):
    return image(layout, [Step(f"RUN /bin/sh -c echo {n} > /{n} # buildkit", {str(n): b"%d" % n}) for n in range(number)],
                 config={})


def claims3g(layout):
    """A layer that is said to have 3 GiB; what is there has a few bytes."""
    tar = tar_of({"model.bin": b"small"})
    layer = layout.put(compressed(tar, "gzip"), layer_type("gzip", False))
    return image(layout, [Step("COPY model.bin / # buildkit", descriptor={**layer, "size": 3 << 30}, diff_id=digest_of(tar))], config={})


def foreign(layout, url="https://127.0.0.1:1/foreign-layer"):
    """A base layer that the registry does not have, and one that it has."""
    elsewhere = {"mediaType": NONDISTRIBUTABLE_LAYER, "digest": "sha256:" + "5" * 64, "size": 1_702_000_000, "urls": [url]}
    return image(layout, [Step("Apply image 10.0.20348.1", descriptor=elsewhere), Step("COPY app / # buildkit", {"app": b"app"})],
                 config={}, platform=("windows", "amd64", ""), os_version="10.0.20348.2113")


def docker_foreign(layout, url="https://127.0.0.1:1/foreign-layer"):
    elsewhere = {"mediaType": FOREIGN_LAYER, "digest": "sha256:" + "6" * 64, "size": 900_000_000, "urls": [url]}
    return image(layout, [Step("Apply image 10.0.17763.1", descriptor=elsewhere), Step("COPY app / # buildkit", {"app": b"app"})],
                 config={}, platform=("windows", "amd64", ""), os_version="10.0.17763.5329", docker=True)


def scratch_null(layout):
    return image(layout, [Step("COPY hello / # buildkit", {"hello": b"hello"})], history=None, config=NULL)


def scratch_empty(layout):
    """No layers at all, and `config: {}`."""
    return image(layout, [], config={})


def long_history(layout):
    """More entries with a layer than there are layers."""
    return image(layout, [Step("COPY a / # buildkit", {"a": b"a"})], config={},
                 extra_history=[{"created": LONG_AGO, "created_by": f"RUN step {n}"} for n in range(12)])


def short_history(layout):
    steps = [Step(f"COPY {n} / # buildkit", {str(n): b"x"}) for n in range(3)]
    return image(layout, steps, config={}, history=[{"created_by": "COPY 0 / # buildkit"}])


def no_history(layout):
    return image(layout, [Step("", {"a": b"a"}), Step("", {"b": b"b"})], config={"User": "nobody"}, history=None)


def docker_v2(layout):
    return image(layout, [Step("/bin/sh -c #(nop) ADD file:1 in / ", {"a": noise("docker", 3000)}),
                          Step('/bin/sh -c #(nop)  HEALTHCHECK &{["CMD-SHELL" "true"] "5s" "0s" "0s" \'\\x00\'}')],
                 docker=True, config={"User": "", "Cmd": ["/a"], "Healthcheck": {"Test": ["CMD-SHELL", "true"], "Interval": 5000000000}},
                 docker_version="20.10.24", container="0" * 64, container_config={"Cmd": ["/a"]})


def dated(layout, created):
    return image(layout, [Step("COPY a / # buildkit", {"a": b"a"})], created=created, config={})


def dated_1970(layout):
    return dated(layout, "1970-01-01T00:00:00Z")


def dated_0001(layout):
    return dated(layout, "0001-01-01T00:00:00Z")


def dated_future(layout):
    return dated(layout, "2199-12-31T23:59:59.123456789+02:00")


def dated_never(layout):
    """No `created` at all."""
    document = layout.json({"digest": layout.json(dated_1970(layout))["config"]["digest"]})
    del document["created"]
    tar = layout.json(dated_1970(layout))["layers"]
    return layout.put_json({"schemaVersion": 2, "mediaType": OCI_MANIFEST,
                            "config": layout.put_json(document, OCI_CONFIG), "layers": tar}, OCI_MANIFEST)


def base_steps():
    return [Step("ADD base.tar / # buildkit", {"bin/busybox": noise("busybox", 60000)}), Step('CMD ["/bin/sh"]'),
            Step("RUN /bin/sh -c mkdir /data # buildkit", {"data/": b""})]


def base(layout):
    return image(layout, base_steps(), config={"Cmd": ["/bin/sh"]}, created="2023-01-01T00:00:00Z")


def child(layout):
    """Its first layers are those of `base`, and nothing says so."""
    return image(layout, [*base_steps(), Step("COPY app /app # buildkit", {"app": noise("app", 2000)})], config={"Cmd": ["/app"]})


def child_annotated(layout):
    return image(layout, [*base_steps(), Step("COPY app /app # buildkit", {"app": noise("app2", 2000)})], config={"Cmd": ["/app"]},
                 annotations={"org.opencontainers.image.base.name": "registry.test/base:1",
                              "org.opencontainers.image.base.digest": base(layout)["digest"]})


# ---------------------------------------------------------------- what is not an image

def artifact(layout):
    document = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "artifactType": "application/vnd.example.sbom.v1+json",
                "config": layout.put(b"{}", OCI_EMPTY, data="e30="),
                "layers": [layout.put(b'{"packages":[]}', "application/vnd.example.sbom.v1+json")]}
    return layout.put_json(document, OCI_MANIFEST)


def helm(layout):
    chart = compressed(tar_of({"web/Chart.yaml": b"name: web\nversion: 1.0.0\n"}), "gzip")
    document = {"schemaVersion": 2, "mediaType": OCI_MANIFEST,
                "config": layout.put(b'{"name":"web","version":"1.0.0","apiVersion":"v2"}', "application/vnd.cncf.helm.config.v1+json"),
                "layers": [layout.put(chart, "application/vnd.cncf.helm.chart.content.v1.tar+gzip")]}
    return layout.put_json(document, OCI_MANIFEST)


# ---------------------------------------------------------------- images of several platforms

def attestation(layout, subject):
    """What BuildKit lists beside an image: its provenance, as a manifest of an unknown platform."""
    statement = {"_type": "https://in-toto.io/Statement/v0.1", "predicateType": "https://slsa.dev/provenance/v0.2",
                 "subject": [{"name": "_", "digest": {"sha256": subject["digest"][7:]}}], "predicate": {}}
    blob = layout.put_json(statement, "application/vnd.in-toto+json",
                           annotations={"in-toto.io/predicate-type": "https://slsa.dev/provenance/v0.2"})
    config = {"architecture": "unknown", "os": "unknown", "config": {}, "rootfs": {"type": "layers", "diff_ids": [blob["digest"]]}}
    manifest = layout.put_json({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": layout.put_json(config, OCI_CONFIG),
                                "layers": [blob]}, OCI_MANIFEST)
    return {**with_platform(manifest, "unknown", "unknown"),
            "annotations": {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": subject["digest"]}}


def of_platforms(layout, platforms, docker=False, seed="multi"):
    entries = []
    for number, (system, architecture, variant) in enumerate(platforms):
        one = image(layout, [Step("COPY server /server # buildkit", {"server": noise(f"{seed}{number}", 5000 * (number + 1))})],
                    platform=(system, architecture, variant), docker=docker, config={"User": str(1000 + number)})
        entries.append(with_platform(one, system, architecture, variant))
    return entries


THREE = [("linux", "amd64", ""), ("linux", "arm64", "v8"), ("linux", "arm", "v7")]


def multi(layout):
    entries = of_platforms(layout, THREE)
    return index(layout, [attestation(layout, entries[0]), *entries, attestation(layout, entries[1])],
                 annotations={"org.opencontainers.image.source": "https://example.com/multi"})


def docker_list(layout):
    return index(layout, of_platforms(layout, THREE, docker=True, seed="list"), docker=True)


def nested_index(layout):
    """An index of an index and an image: what one finds needs two steps."""
    entries = of_platforms(layout, THREE, seed="nested")
    inner = index(layout, entries[:2])
    return index(layout, [inner, entries[2]])


def windows(layout):
    entries = []
    for number, version in enumerate(("10.0.17763.5329", "10.0.20348.2227")):
        elsewhere = {"mediaType": FOREIGN_LAYER, "digest": "sha256:" + str(number + 7) * 64, "size": 1_500_000_000 + number,
                     "urls": ["https://127.0.0.1:1/foreign-layer"]}
        one = image(layout, [Step("Apply image", descriptor=elsewhere), Step("COPY app / # buildkit", {"app": version.encode()})],
                    platform=("windows", "amd64", ""), os_version=version, docker=True, config={"User": "ContainerUser"})
        entries.append(with_platform(one, "windows", "amd64", os_version=version))
    return index(layout, entries, docker=True)


def only_arm64(layout):
    return index(layout, of_platforms(layout, [("linux", "arm64", "v8")], seed="arm"))


# Every image, by the name that it has in a layout. `what` says how a client sees it:
# "image", "index", "artifact".
GOOD = {one.__name__: (one, what) for one, what in [
    (light, "image"), (fat, "image"), (multi, "index"), (shared_a, "image"), (shared_b, "image"), (zstd, "image"),
    (empty_layers, "image"), (layers300, "image"), (claims3g, "image"), (foreign, "image"), (docker_foreign, "image"),
    (artifact, "artifact"), (helm, "artifact"), (scratch_null, "image"), (scratch_empty, "image"), (long_history, "image"),
    (short_history, "image"), (no_history, "image"), (docker_v2, "image"), (docker_list, "index"), (nested_index, "index"),
    (windows, "index"), (only_arm64, "index"), (dated_1970, "image"), (dated_0001, "image"), (dated_future, "image"),
    (dated_never, "image"), (base, "image"), (child, "image"), (child_annotated, "image")]}


def build_all(directory, fat_mib=24):
    layout = Layout(directory)
    for name, (make, _) in GOOD.items():
        layout.name(name, make(layout, mib=fat_mib) if make is fat else make(layout))
    return layout


def schema1(name="scratch/schema1", tag="1"):
    """A signed manifest of schema 1, as an old registry serves it; nobody checks the signature."""
    history = to_json({"architecture": "amd64", "os": "linux", "id": "1" * 64, "created": LONG_AGO, "config": {"Cmd": ["/a"]}})
    return json.dumps({
        "schemaVersion": 1, "name": name, "tag": tag, "architecture": "amd64",
        "fsLayers": [{"blobSum": "sha256:a3ed95caeb02ffe68cdd9fd84406680ae93d633cb16422d00e8a7c22955b46d4"}],
        "history": [{"v1Compatibility": history.decode()}],
        "signatures": [{"header": {"jwk": {"crv": "P-256", "kid": "A", "kty": "EC", "x": "x", "y": "y"}, "alg": "ES256"},
                        "signature": "AAAA", "protected": "e30"}]}, indent=3).encode()


# ---------------------------------------------------------------- archives

def add_file(tar, name, data):
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), 0o644
    tar.addfile(entry, io.BytesIO(data))


def write_oci_archive(layout, name, path):
    """One image as `skopeo copy ... oci-archive:` writes it."""
    wanted, found = [layout.names[name]], {}
    while wanted:
        descriptor = wanted.pop()
        found[descriptor["digest"]] = layout.bytes(descriptor["digest"])
        children = layout.children(descriptor)
        wanted += children
        if not children:
            for blob in layout.blobs_of(descriptor):
                found[blob["digest"]] = layout.bytes(blob["digest"])
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        add_file(tar, "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
        add_file(tar, "index.json", to_json({"schemaVersion": 2, "manifests": [layout.names[name]]}))
        for digest, data in sorted(found.items()):
            add_file(tar, "blobs/" + digest.replace(":", "/"), data)
    return Path(path)


def write_docker_archive(layout, name, path, tag):
    """One image of one platform as `docker save` writes it: config, uncompressed layers, manifest.json."""
    manifest = layout.json(name)
    config = layout.bytes(manifest["config"]["digest"])
    layers = {}
    for layer in manifest["layers"]:
        data = layout.bytes(layer["digest"])
        tar = gzip.decompress(data) if layer["mediaType"].endswith("gzip") else data
        layers[hashlib.sha256(tar).hexdigest() + ".tar"] = tar
    names = [diff_id[7:] + ".tar" for diff_id in json.loads(config)["rootfs"]["diff_ids"]]
    config_name = manifest["config"]["digest"][7:] + ".json"
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
        add_file(archive, config_name, config)
        for layer_name, tar in layers.items():
            add_file(archive, layer_name, tar)
        add_file(archive, "manifest.json", to_json([{"Config": config_name, "RepoTags": [tag], "Layers": names}]))
    return Path(path)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: images.py DIRECTORY")
    target = Path(sys.argv[1])
    layout = build_all(target / "layout")
    write_oci_archive(layout, "multi", target / "multi.oci.tar")
    write_docker_archive(layout, "fat", target / "fat.docker.tar", "registry.test/fat:1")
    for name, descriptor in layout.names.items():
        print(f"{name:16} {descriptor['digest']}  {descriptor['mediaType']}")


if __name__ == "__main__":
    main()
