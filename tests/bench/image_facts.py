"""What rules about images cost: CPU with facts that are known, requests to a registry, memory, reading layers."""
import http.client
import json
import pathlib
import re
import ssl
import statistics
import subprocess
import sys
import tempfile
import time

import load
import servers

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "registry"))
import certificates  # noqa: E402
import images as made  # noqa: E402
import layout as oci  # noqa: E402
import misbehaving  # noqa: E402
import registries as real  # noqa: E402

PLAIN = """    image-tag: {action: enforce}
    liveness-probe: {action: warn}
    readiness-probe: {action: warn}
    resources: {action: warn}
    secret-env: {action: warn}
"""
ABOUT_IMAGES = """    image-exists: {action: enforce}
    image-size: {action: enforce, maximum: 1Gi}
    image-layers: {action: enforce}
    image-user: {action: enforce}
    image-secrets: {action: enforce}
    image-age: {action: enforce, maximum: 10000d}
"""
MANY_IMAGES = 3_000
PER_REVIEW = 10
REVIEWS = 1_000


def policy(folder, name, rules):
    path = folder / f"{name}.yaml"
    path.write_text(f"apiVersion: plimsoll.dev/v1alpha1\nkind: HygienePolicy\nmetadata: {{name: {name}}}\nspec:\n  rules:\n{rules}")
    return path


class Registry:
    """Serves images of ten layers and twenty history entries, made up as they are named."""

    def __init__(self, folder):
        self.authority = certificates.Authority(folder / "authority")
        self.layout = oci.Layout(folder / "layout")
        self.server = misbehaving.MisbehavingRegistry(self.layout, self.authority)
        self.file = folder / "registries.yaml"
        self.file.write_text(json.dumps({
            "apiVersion": "plimsoll.dev/v1alpha1", "kind": "RegistryConfig", "spec": {"registries": [
                {"host": "registry.example.com", "mirrors": [f"https://{self.server.host}/v2/"]},
                {"host": self.server.host, "private": True, "ca": str(self.authority.ca)}]}}))

    def add(self, name, tag):
        ids = [oci.digest_of(f"{name}:{tag} {number}".encode()) for number in range(10)]
        config = oci.to_json({
            "created": "2026-01-01T00:00:00Z", "os": "linux", "architecture": "amd64",
            "config": {"User": "65532", "Env": ["PATH=/usr/bin:/bin", "LANG=C.UTF-8"], "Entrypoint": ["/server"],
                       "Labels": {"org.opencontainers.image.source": f"https://example.com/{name}"}},
            "rootfs": {"type": "layers", "diff_ids": ids},
            "history": [{"created_by": f"RUN /bin/sh -c make part-{number} # buildkit", "empty_layer": number % 2 == 1} for number in range(20)]})
        self.server.add_blob(name, config)
        manifest = {"schemaVersion": 2, "mediaType": oci.OCI_MANIFEST,
                    "config": {"mediaType": oci.OCI_CONFIG, "digest": oci.digest_of(config), "size": len(config)},
                    "layers": [{"mediaType": oci.OCI_LAYER + "+gzip", "digest": digest, "size": 1_000_000} for digest in ids]}
        self.server.add_manifest(name, oci.to_json(manifest), oci.OCI_MANIFEST, tag)

    def close(self):
        self.server.__exit__(None, None, None)


def post(port, bodies):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=60)
    for body in bodies:
        connection.request("POST", "/validate?timeout=30s", body=body, headers={"Content-Type": "application/json"})
        answer = json.loads(connection.getresponse().read())["response"]
        if not answer["allowed"] or "warnings" in answer:
            raise SystemExit(f"bench: an image rule found something: {answer}")
    connection.close()


def review(names):
    containers = [{"name": f"c{number}", "image": f"registry.example.com/{name}"} for number, name in enumerate(names)]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "shop"}, "spec": {"containers": containers}}
    return json.dumps({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "0df28fbd-5f5f-11e8-bc74-36e6bb280816", "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "resource": {"group": "", "version": "v1", "resource": "pods"}, "name": "p", "namespace": "shop", "operation": "CREATE",
        "userInfo": {"username": "alice"}, "object": pod, "oldObject": None, "dryRun": False}}).encode()


def cpu_with_known_facts(build, folder, registry, body):
    """client -> median CPU with image rules / without, servers taking turns."""
    for number in range(4):
        registry.add(f"shop/part-{number}", f"v1.4.{number}")
    plain = policy(folder, "plain", PLAIN)
    images = policy(folder, "images", PLAIN + ABOUT_IMAGES)
    flags = ("--registries", registry.file)
    with servers.plimsoll(build, folder, [plain], flags=flags) as without, \
            servers.plimsoll(build, folder, [images], flags=flags) as with_images:
        with_images.name, without.name = "with image rules", "without"
        post(with_images.port, [body.read_bytes()] * 2)
        return load.compare((with_images, without), folder, body)


def requests_of_many_reviews(build, folder, registry):
    """(requests while nothing is known, requests while all is)."""
    for number in range(10):
        registry.add(f"ten/app-{number}", "1")
    body = review([f"ten/app-{number}:1" for number in range(10)])
    rules = policy(folder, "ten", ABOUT_IMAGES)
    with servers.plimsoll(build, folder, [rules], flags=("--registries", registry.file)) as server:
        before = len(registry.server.seen)
        post(server.port, [body] * REVIEWS)
        cold = len(registry.server.seen)
        post(server.port, [body] * REVIEWS)
        return cold - before, len(registry.server.seen) - cold


def memory_of_many_images(build, folder, registry):
    names = [f"many/app-{number}" for number in range(MANY_IMAGES)]
    for name in names:
        registry.add(name, "1")
    rules = policy(folder, "many", ABOUT_IMAGES)
    flags = ("--registries", registry.file, "--registry-rate", "10000")
    with servers.plimsoll(build, folder, [rules], core=None, flags=flags) as server:
        idle = server.rss_bytes()
        post(server.port, [review([name + ":1" for name in names[start:start + PER_REVIEW]])
                           for start in range(0, MANY_IMAGES, PER_REVIEW)])
        return idle, server.rss_bytes()


def peak_of(pid):
    """Bytes that were resident at most so far, of what runs now: rusage would count the fork of this process, too."""
    try:
        text = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s+(\d+) kB", text)
    return int(found.group(1)) * 1024 if found else 0


def run_measured(command):
    """(seconds, peak resident bytes) of a program, looked at every 2 ms."""
    began = time.monotonic()
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        name = pathlib.Path(f"/proc/{process.pid}/comm")
        if name.exists() and name.read_text().strip() == pathlib.Path(command[0]).name[:15]:
            peak = max(peak, peak_of(process.pid))
        time.sleep(0.002)
    if process.returncode != 0:
        raise SystemExit(f"bench: {' '.join(map(str, command))}: exit {process.returncode}")
    return time.monotonic() - began, peak


def layers_against_skopeo(build, folder):
    """name -> (median seconds, median peak bytes), of three runs each, taking turns."""
    layout = made.build_all(folder / "images", fat_mib=192)
    found = {"plimsoll image --layers": [], "skopeo copy": []}
    with real.Registry() as registry:
        registry.push(layout, "fat")
        reference = registry.reference("fat")
        entries = folder / "layers.yaml"
        entries.write_text(json.dumps({"apiVersion": "plimsoll.dev/v1alpha1", "kind": "RegistryConfig", "spec": {
            "registries": [{"host": registry.host, "private": True, "ca": str(registry.authority.ca)}]}}))
        for _ in range(3):
            found["plimsoll image --layers"].append(run_measured(
                [build / "plimsoll", "image", "--layers", "--output", "json", "--registries", entries, reference]))
            with tempfile.TemporaryDirectory() as target:
                found["skopeo copy"].append(run_measured(
                    ["skopeo", "copy", "--src-cert-dir", registry.authority.cert_dir, f"docker://{reference}", f"dir:{target}/image"]))
    return {name: tuple(statistics.median(column) for column in zip(*runs)) for name, runs in found.items()}


def measure(build, folder, body):
    registry = Registry(folder)
    try:
        ratio = cpu_with_known_facts(build, folder, registry, body)
        requests = requests_of_many_reviews(build, folder, registry)
        memory = memory_of_many_images(build, folder, registry)
    finally:
        registry.close()
    return {"cpu": ratio, "requests": requests, "memory": memory, "layers": layers_against_skopeo(build, folder)}
