"""What goes into the layers of the release image: below the Debian packages, above them plimsoll."""

import json
from pathlib import Path

from bill_of_materials import bill_of_materials
from debian_packages import HEADERS, authorities, package, packages_of
from image_layer import Layer
from linked_libraries import linked_libraries

USER = 65532
PROGRAM = "/usr/bin/plimsoll"
BILL = "/usr/share/sbom/plimsoll.cdx.json"
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
ACCOUNTS = {
    "/etc/passwd": f"root:x:0:0:root:/:/sbin/nologin\nnonroot:x:{USER}:{USER}:nonroot:/:/sbin/nologin\n",
    "/etc/group": f"root:x:0:\nnonroot:x:{USER}:\n",
    # Names come from files first, as everywhere; both sources are inside libc.
    "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}


def release_of(path="/etc/os-release"):
    """{key: value} of os-release."""
    pairs = (line.split("=", 1) for line in Path(path).read_text().splitlines() if "=" in line)
    return {key: value.strip('"') for key, value in pairs}


def add_licences(layer, packages):
    """Copyright of each package as Debian has it, the links between packages of one source included."""
    for one in packages:
        layer.file(f"{one.documentation}/copyright", (one.documentation / "copyright").read_bytes())
        own = f"/usr/share/doc/{one.name}"
        if own != str(one.documentation):
            layer.link(own, one.documentation.name)
        if one.licence_text:
            place = f"/usr/share/common-licenses/{one.licence_text}"
            layer.file(place, Path(place).read_bytes())


def add_release(layer):
    """Scanners take advisories of the distribution that is named here: that of the libraries."""
    release = release_of()
    kept = [f'{key}="{release[key]}"' for key in ("ID", "NAME", "VERSION_CODENAME", "VERSION_ID") if key in release]
    layer.file("/etc/os-release", "\n".join(['PRETTY_NAME="plimsoll, with libraries of Debian"', *kept]) + "\n")
    layer.file("/etc/debian_version", Path("/etc/debian_version").read_bytes())


def below(libraries, packages):
    """Changes only when a package does, so that nodes pull it once for many versions of plimsoll."""
    bundle, time = authorities()
    layer = Layer(max([time, *(int(library.path.stat().st_mtime) for library in libraries)]))
    for library in libraries:
        layer.file(library.place, library.path.read_bytes(), 0o755)
    for one in packages:
        layer.file(f"/var/lib/dpkg/status.d/{one.name}", one.status)
    layer.file(BUNDLE, bundle)
    layer.link("/usr/lib/ssl/cert.pem", BUNDLE)  # where libcrypto looks
    for path, text in ACCOUNTS.items():
        layer.file(path, text)
    add_release(layer)
    add_licences(layer, packages)
    return layer


def above(build, program, packages, headers):
    layer = Layer(build.time)
    layer.file(PROGRAM, program, 0o755)
    layer.file(BILL, bill_of_materials(build, packages, headers, program))
    layer.file("/usr/share/doc/plimsoll/copyright", (build.source / "LICENSE").read_bytes())
    # Boost's licence asks nothing of programs; the other headers' notices go where the program goes.
    add_licences(layer, [one for one in headers if one.licence != "BSL-1.0"])
    return layer


class Contents:
    """The two layers and what they were made of."""

    def __init__(self, build, program):
        self.architecture, self.libraries = linked_libraries(program)
        owned = packages_of(self.libraries)
        self.packages = [*owned.values(), package("ca-certificates")]
        build.release = release_of()["VERSION_ID"]
        self.headers = [package(name) for name in HEADERS]
        self.below = below(self.libraries, self.packages)
        self.above = above(build, Path(program).read_bytes(), self.packages, self.headers)

    @property
    def bill(self):
        return json.loads(self.above.entries[BILL][1])
