"""Rows about what is inside the image, and what it says of itself."""

import hashlib
import json
import re
import ssl
import stat
import subprocess
from pathlib import Path

ALLOWED = re.compile("|".join((
    r"usr/bin/plimsoll", r"lib64/ld-linux-x86-64\.so\.2|lib/ld-linux-aarch64\.so\.1",
    r"usr/lib/(x86_64|aarch64)-linux-gnu/lib[a-z0-9+_-]+\.so\.[0-9.]+", r"usr/lib/ssl/cert\.pem",
    r"etc/(passwd|group|nsswitch\.conf|os-release|debian_version)", r"etc/ssl/certs/ca-certificates\.crt",
    r"usr/share/doc/[a-z0-9.+-]+(/copyright)?", r"usr/share/common-licenses/[A-Za-z]+-[0-9.]+",
    r"usr/share/sbom/plimsoll\.cdx\.json", r"var/lib/dpkg/status\.d/[a-z0-9.+-]+")))
LABELS = ("title", "description", "version", "revision", "source", "licenses", "created", "vendor", "documentation")
MAXIMUM = 10_000_000


def none(found):
    return ", ".join(found) or "none"


def strangers(image):
    return none(entry.name for _, entry in image.entries if not entry.isdir() and not ALLOWED.fullmatch(entry.name))


def empty_directories(image):
    used = {parent for _, entry in image.entries if not entry.isdir() for parent in parents(entry.name)}
    return none(entry.name for _, entry in image.entries if entry.isdir() and entry.name not in used)


def parents(name):
    parts = name.split("/")[:-1]
    return ["/".join(parts[:end + 1]) for end in range(len(parts))]


def executables(image):
    """Files that a kernel would start: an ELF program, or a script, by content or by its right."""
    return none(sorted(entry.name for _, entry in image.entries if entry.isfile() and ".so" not in entry.name and (
        entry.mode & 0o111 or image.data["/" + entry.name][:2] in (b"\x7fE", b"#!"))))


def bad_rights(image):
    bad = stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX | stat.S_IWGRP | stat.S_IWOTH
    return none(entry.name for _, entry in image.entries if entry.mode & bad and not entry.issym())


def bad_kinds(image):
    return none(entry.name for _, entry in image.entries if not (entry.isfile() or entry.isdir() or entry.issym()))


def bill(image):
    return json.loads(image.data["/usr/share/sbom/plimsoll.cdx.json"])


def files_in_bill(image):
    """{path: sha256} of all that the bill names."""
    document = bill(image)
    parts = [document["metadata"]["component"], *document["components"]]
    return {one["name"]: one["hashes"][0]["content"] for part in parts for one in part.get("components", [])}


def not_in_bill(image):
    named = files_in_bill(image)
    wanted = {**image.libraries(), "/usr/bin/plimsoll": image.data["/usr/bin/plimsoll"]}
    return none(path for path, data in wanted.items() if named.get(path) != hashlib.sha256(data).hexdigest())


def stanzas(image):
    """{package: version} of the status entries."""
    found = {}
    for path, data in image.data.items():
        if path.startswith("/var/lib/dpkg/status.d/"):
            fields = dict(re.findall(r"^([A-Za-z-]+): (.*)$", data.decode(), re.M))
            assert path.endswith("/" + fields["Package"]) and fields["Status"] == "install ok installed", path
            found[fields["Package"]] = fields["Version"]
    return found


def bill_against_status(image):
    """Packages that are inside according to one of both only, or in another version."""
    told = {one["name"]: one["version"] for one in bill(image)["components"]
            if {"name": "plimsoll:linkage", "value": "headers"} not in one["properties"]}
    return none(f"{name} {version}" for name, version in set(told.items()) ^ set(stanzas(image).items()))


def incomplete_components(image):
    refs = {one["bom-ref"] for one in bill(image)["components"]}
    graph = {one["ref"]: one["dependsOn"] for one in bill(image)["dependencies"]}
    wrong = [one["name"] for one in bill(image)["components"]
             if not (one["version"] and one["licenses"] and one["purl"].startswith("pkg:deb/debian/"))]
    return none(wrong + [ref for needed in graph.values() for ref in needed if ref not in refs])


def without_copyright(image):
    documented = {path.split("/")[4] for path in image.data if path.startswith("/usr/share/doc/")}
    documented |= {entry.name.split("/")[3] for _, entry in image.entries if entry.issym() and "share/doc" in entry.name}
    wanted = {one["name"] for one in bill(image)["components"] if one["licenses"][0].get("license", {}).get("id") != "BSL-1.0"}
    return none(sorted(wanted - documented))


def unreadable_authorities(image):
    """One bad entry makes libcrypto give up the whole bundle."""
    bundle = image.data["/etc/ssl/certs/ca-certificates.crt"].decode()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=bundle)
    lost = bundle.count("-----BEGIN CERTIFICATE-----") - len(context.get_ca_certs())
    return f"{lost} of {bundle.count('BEGIN')}" if lost else "none"


def missing_hardening(image):
    """What `readelf` does not show of the program."""
    text = subprocess.run(["readelf", "--wide", "-h", "-l", "-d", "-S", "--dyn-syms", f"{image.root}/usr/bin/plimsoll"], check=True,
                          capture_output=True, text=True, env={"LC_ALL": "C", "PATH": "/usr/bin"}).stdout
    wanted = {"position-independent": r"Flags:.* PIE", "bound at the start": r"BIND_NOW", "read-only relocations": r"GNU_RELRO",
              "stack not executable": r"GNU_STACK .* RW ", "stack protector": r"__stack_chk_fail", "fortified": r"__memcpy_chk"}
    unwanted = {"symbols": r" \.symtab ", "debug information": r" \.debug_", "a search path": r"RUNPATH|RPATH"}
    return none([key for key, sign in wanted.items() if not re.search(sign, text)]
                + [key for key, sign in unwanted.items() if re.search(sign, text)])


def build_paths(image):
    """Directories of the machine that built it."""
    root = Path(__file__).resolve().parents[2]
    places = [f"{root / name}/".encode() for name in ("policy", "webhook", "build")]
    return none(path for path, data in image.data.items() if any(place in data for place in places))


def missing_labels(image):
    labels = image.config["config"]["Labels"]
    return none(key for key in LABELS if not labels.get("org.opencontainers.image." + key))


def history(image):
    """Each layer has its instruction, and nothing else is said of it."""
    return f"{sum(not line.get('empty_layer') for line in image.config['history'])} of {len(image.manifest['layers'])} layers"


def rows(image):
    config, names = image.config["config"], image.descriptor["annotations"]
    version = config["Labels"]["org.opencontainers.image.version"]
    return [
        (1, "files that do not belong into it (no shell, no package manager)", "none", lambda: strangers(image)),
        (2, "directories without a file", "none", lambda: empty_directories(image)),
        (3, "what can be executed, libraries apart", "usr/bin/plimsoll", lambda: executables(image)),
        (4, "setuid, setgid, sticky, or writable by others than root", "none", lambda: bad_rights(image)),
        (5, "devices, fifos, hard links", "none", lambda: bad_kinds(image)),
        (6, "owners", "{(0, 0)}", lambda: {(entry.uid, entry.gid) for _, entry in image.entries}),
        (7, "times of a layer", "1 each", lambda: "1 each" if len({(n, e.mtime) for n, e in image.entries}) == 2 else "several"),
        (8, "user", "65532:65532", lambda: config["User"]),
        (9, "entry point, directory, stop signal", "['/usr/bin/plimsoll'] / SIGTERM",
         lambda: f"{config['Entrypoint']} {config['WorkingDir']} {config['StopSignal']}"),
        (10, "environment", "['PATH=/usr/bin']", lambda: config["Env"]),
        (11, "labels that are missing", "none", lambda: missing_labels(image)),
        (12, "history names the instruction of", "2 of 2 layers", lambda: history(image)),
        (13, "name in the index", version, lambda: names["org.opencontainers.image.ref.name"]),
        (14, f"compressed, at most {MAXIMUM:,} bytes", "True", lambda: image.compressed <= MAXIMUM),
        (15, "bill of materials", "CycloneDX 1.5", lambda: f"{bill(image)['bomFormat']} {bill(image)['specVersion']}"),
        (16, "program or libraries that the bill does not name with their hash", "none", lambda: not_in_bill(image)),
        (17, "packages of the bill that dpkg's status does not have, or the other way", "none", lambda: bill_against_status(image)),
        (18, "components without version, licence or purl; references to nothing", "none", lambda: incomplete_components(image)),
        (19, "packages without their copyright", "none", lambda: without_copyright(image)),
        (20, "scanners see OpenSSL", "True", lambda: bool(re.match(r"3\.", stanzas(image)["libssl3"]))),
        (21, "hardening that the program lacks, or what it should not hold", "none", lambda: missing_hardening(image)),
        (22, "files that tell where they were built", "none", lambda: build_paths(image)),
        (23, "authorities that libcrypto cannot read", "none", lambda: unreadable_authorities(image)),
    ]
