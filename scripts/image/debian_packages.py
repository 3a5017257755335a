"""What dpkg knows of the Debian packages that a release image takes files from."""

import os
import ssl
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

# Package -> (licence of what we take from it as SPDX writes it, its text in common-licenses).
# A package that is not here stops the build: somebody has to look at its licence first.
LICENCES = {
    "ca-certificates": ("MPL-2.0", "MPL-2.0"),
    "libboost1.81-dev": ("BSL-1.0", None),
    "libc6": ("LGPL-2.1-or-later", "LGPL-2.1"),
    "libcli11-dev": ("BSD-3-Clause", None),
    "libfmt9": ("MIT", None),
    "libgcc-s1": ("GPL-3.0-or-later WITH GCC-exception-3.1", "GPL-3"),
    "libprometheus-cpp-core1.0": ("MIT", None),
    "libsimdjson14": ("Apache-2.0", "Apache-2.0"),
    "libspdlog1.10": ("MIT", None),
    "libssl3": ("Apache-2.0", "Apache-2.0"),
    "libstdc++6": ("GPL-3.0-or-later WITH GCC-exception-3.1", "GPL-3"),
    "libyaml-cpp0.7": ("MIT", None),
    "libzstd1": ("BSD-3-Clause", None),
    "nlohmann-json3-dev": ("MIT", None),
    "zlib1g": ("Zlib", None),
}
# Compiled into the program, since they are headers alone.
HEADERS = ("libboost1.81-dev", "libcli11-dev", "nlohmann-json3-dev")
STATUS_FIELDS = ("Package", "Status", "Priority", "Section", "Maintainer", "Architecture", "Multi-Arch", "Source", "Version",
                 "Depends", "Description", "Homepage")


@dataclass
class Package:
    name: str
    version: str
    architecture: str
    source: str
    source_version: str
    status: str                      # its stanza, as dpkg has it
    licence: str
    licence_text: str | None         # a name in common-licenses
    libraries: list = field(default_factory=list)

    @property
    def documentation(self):
        """Where its copyright is, links resolved: packages of one source often share it."""
        return Path(os.path.realpath(f"/usr/share/doc/{self.name}"))


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"})
    return done.stdout if done.returncode == 0 else ""


def owner(path):
    """Name of the package that brought a file: /usr/lib/x and /lib/x are one place, dpkg knows either."""
    text = str(path)
    for candidate in (text, text.removeprefix("/usr"), "/usr" + text):
        found = run("dpkg-query", "--search", candidate)
        if found:
            return found.split(":")[0]
    raise SystemExit(f"{path} belongs to no Debian package, so that no scanner could judge it")


def own_fields(stanza):
    """Installed-Size and Conffiles would claim files that are not there."""
    kept, keep = [], False
    for line in stanza.splitlines():
        if not line.startswith((" ", "\t")):
            keep = line.split(":")[0] in STATUS_FIELDS
        if keep:
            kept.append(line)
    return "\n".join(kept) + "\n"


def package(name):
    fields = "${Package}\\n${Version}\\n${Architecture}\\n${source:Package}\\n${source:Version}\\n"
    found = run("dpkg-query", "--show", "--showformat", fields, name).splitlines()
    if len(found) < 5:
        raise SystemExit(f"the package {name} is not installed")
    if name not in LICENCES:
        raise SystemExit(f"{name}: look at its licence, and add it to LICENCES in {Path(__file__).name}")
    return Package(*found[:5], own_fields(run("dpkg-query", "--status", name)), *LICENCES[name])


def packages_of(libraries):
    """{name: Package} of the libraries' packages, each with its libraries."""
    packages = {}
    for library in libraries:
        name = owner(library.path)
        packages.setdefault(name, None)
        packages[name] = packages[name] or package(name)
        packages[name].libraries.append(library)
    return dict(sorted(packages.items()))


def authorities():
    """(PEM bundle, newest time of a file) of the package ca-certificates: never what somebody added to this machine."""
    listed = run("dpkg-query", "--listfiles", "ca-certificates").splitlines()
    paths = sorted(Path(line) for line in listed if line.startswith("/usr/share/ca-certificates/") and line.endswith(".crt"))
    if not paths:
        raise SystemExit("the package ca-certificates is not installed")
    texts = [path.read_text().strip() + "\n" for path in paths]
    for text in texts:
        ssl.PEM_cert_to_DER_cert(text)  # libcrypto gives up the whole bundle for one that cannot be read
    return "".join(texts).encode(), max(int(path.stat().st_mtime) for path in paths)
