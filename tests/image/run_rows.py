"""Rows about what the image's program does with nothing but the image's files around it."""

import json
import re

from image_stage import harness

PROGRAM = "/usr/bin/plimsoll"
LOADERS = ("/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1")


def resolved_outside(stage):
    """Libraries that the loader does not find in the image; it knows no cache of names there."""
    loader = next(one for one in LOADERS if one in stage.image.data)
    lines = stage.box.run(loader, "--list", PROGRAM).stdout.decode().splitlines()
    found = {line.split(" => ")[1].split(" (")[0] for line in lines if " => /" in line}
    missing = [line.strip() for line in lines if "not found" in line]
    unused = set(stage.image.libraries()) - found - set(LOADERS)
    return ", ".join(missing + sorted(unused)) or "none"


def first_line(done):
    return f"{done.returncode} {(done.stdout + done.stderr).decode().splitlines()[0]}"


def judged(stage, known):
    """A look-up by name, as far as the answer of a rule that cannot be kept."""
    code, report = stage.check("own.yaml", policy="tiny.yaml", known=known)
    finding = report["objects"][0]["findings"][0]
    unknown = finding.get("unknown")
    return f"{code} {finding['rule']}" + (f" {unknown['reason'] if isinstance(unknown, dict) else unknown}" if unknown else "")


def with_own_authority(stage):
    """The registry's authority in the bundle where libcrypto looks, and nowhere else."""
    bundle = "/etc/ssl/certs/ca-certificates.crt"
    more = stage.directory / "bundle.crt"
    more.write_bytes(stage.image.data[bundle] + stage.registry.authority.ca.read_bytes())
    before = list(stage.box.mounts)
    stage.box.mount(more, bundle)
    try:
        return judged(stage, "system.yaml")
    finally:
        stage.box.mounts = before


def asked_names(stage, act):
    before = stage.names.asked
    return f"{act()}, name server asked: {stage.names.asked > before}"


class Serving(harness.Server):
    """`plimsoll serve` in the image; what it is asked goes the same way as to one outside."""

    def __init__(self, stage):
        self.directory, self.certificate = stage, stage.files / "tls.crt"
        self.log_path = stage.directory / "log"
        with open(self.log_path, "wb") as log:
            self.process = stage.box.start(
                PROGRAM, "serve", "--cert", "/etc/plimsoll/tls.crt", "--key", "/etc/plimsoll/tls.key", "--policy",
                "/etc/plimsoll/tiny.yaml", "--registries", "/etc/plimsoll/registries.yaml", "--listen", "[::]:0",
                "--health-listen", "[::]:0", "--shutdown-delay", "0s", log=log)
        self.peak = None
        self.port, self.health_port = self._ports()

    def end(self):
        self.peak = round(self.peak_memory(), 1)
        self.signal()
        return self.process.wait(timeout=20)

    def status(self, key):
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as file:
            return re.search(rf"^{key}:\s+(.*)$", file.read(), re.M).group(1)

    def rights(self):
        """Numbers of user and group, capabilities, whether rights can be won."""
        user, group = self.status("Uid").split()[0], self.status("Gid").split()[0]
        return f"{user}:{group}, capabilities {int(self.status('CapEff'), 16)}, no new rights {self.status('NoNewPrivs')}"


def deny_of(server, reference):
    answer = server.ask(harness.review(harness.pod(harness.container(reference))))
    return f"{harness.summary(answer)} {'image-size' in json.dumps(answer)}"


def written(stage):
    """Files that are not as the layers brought them; what the runtime mounts has an empty file to stand on."""
    found = {str(path.relative_to(stage.image.root)): path.read_bytes()
             for path in stage.image.root.rglob("*") if path.is_file() and not path.is_symlink()}
    mounted = {place[1:] for _, place in stage.box.mounts}
    changed = [name for name, data in found.items() if name not in mounted and stage.image.data.get("/" + name) != data]
    return ", ".join(sorted(changed)) or "nothing"


def rows(stage, server):
    rights = "65532:65532, capabilities 0, no new rights 1"
    if not stage.box.user:
        rights = server.rights()  # root of a namespace: nobody else can be had there
    return [
        (30, "libraries that are missing, or that nobody needs", "none", lambda: resolved_outside(stage)),
        (31, "plimsoll --version", f"0 plimsoll {stage.version}", lambda: first_line(stage.box.run(PROGRAM, "--version"))),
        (32, "plimsoll check on the Deployment that is shipped", "0", lambda: stage.box.run(
            PROGRAM, "check", "--fail-on", "warn", "/etc/plimsoll/own.yaml").returncode),
        (33, "plimsoll check of a manifest from standard input", "1", lambda: stage.box.run(
            PROGRAM, "check", "--fail-on", "warn", "-", given=json.dumps(harness.pod()).encode()).returncode),
        (34, "a registry's name is resolved by DNS, its authority given", "1 image-size, name server asked: True",
         lambda: asked_names(stage, lambda: judged(stage, "registries.yaml"))),
        (35, "the authority in the image's bundle is trusted", "1 image-size", lambda: with_own_authority(stage)),
        (36, "an authority that is in no bundle is not", "1 image-size tls", lambda: judged(stage, "system.yaml")),
        (37, "plimsoll serve runs as", rights, server.rights),
        (38, "/livez and /readyz", "200 200", lambda: f"{server.get('/livez')[0]} {server.get('/readyz')[0]}"),
        (39, "a review over TLS, a registry asked by name", "deny 403 True", lambda: deny_of(server, stage.reference)),
        (40, "metrics count it", "1.0", lambda: server.metric("plimsoll_reviews_total")),
        (41, "SIGTERM ends it with", "0", server.end),
        (42, "what was written into the image meanwhile", "nothing", lambda: written(stage)),
    ]
