#!/usr/bin/env python3
"""Makes the release image from the built program: build_image.py --program FILE --output DIRECTORY [--source DIRECTORY]."""

import argparse
import datetime
import os
import re
import subprocess
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path

from image_files import BILL, BUNDLE, PROGRAM, USER, Contents
from oci_archive import Archive, Step

MAXIMUM = 10_000_000  # bytes, compressed
HOME = "https://plimsoll.dev"


@dataclass
class Build:
    source: Path
    version: str
    revision: str
    time: int          # seconds since 1970
    compiler: str
    release: str = ""  # of Debian

    @property
    def created(self):
        return iso(self.time)


def iso(time):
    return datetime.datetime.fromtimestamp(time, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def output_of(*command):
    """What a command prints; "" where it fails or is not there."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def revision_of(source):
    """The commit, with a word where files differ from it; PLIMSOLL_REVISION where there is no checkout."""
    given = os.environ.get("PLIMSOLL_REVISION", "")
    git = ("git", "--no-optional-locks", "-C", str(source))
    commit = given or output_of(*git, "rev-parse", "HEAD")
    changed = not given and commit and output_of(*git, "status", "--porcelain", "--untracked-files=no")
    return (commit or "unknown") + ("-modified" if changed else "")


def time_of(source):
    """SOURCE_DATE_EPOCH, else the commit's time, else that of the sources as `git archive` writes them."""
    given = os.environ.get("SOURCE_DATE_EPOCH") or output_of("git", "-C", str(source), "log", "-1", "--format=%ct")
    return int(given) if given else int((source / "CMakeLists.txt").stat().st_mtime)


def build_of(source, program):
    version = re.search(r"project\(plimsoll VERSION (\S+)", (source / "CMakeLists.txt").read_text()).group(1)
    said = output_of(str(program), "--version")
    if said != f"plimsoll {version}":
        raise SystemExit(f"{program} says {said!r}, the sources say {version}: build it again")
    compiler = output_of("clang++-19", "--version").splitlines()[:1]
    return Build(source, version, revision_of(source), time_of(source), compiler[0] if compiler else "unknown")


def labels_of(build):
    title = "org.opencontainers.image."
    return {title + key: value for key, value in {
        "title": "plimsoll", "version": build.version, "revision": build.revision, "created": build.created,
        "description": "Kubernetes admission controller that refuses workloads that are unfit to sail, and says exactly why",
        "licenses": "Apache-2.0", "vendor": "The plimsoll maintainers", "url": HOME, "source": HOME,
        "documentation": HOME + "/docs/operations.md"}.items()}


def steps_of(build, contents):
    """The history reads as a Containerfile would that does the same."""
    pinned = " ".join(f"{one.name}={one.version}" for one in contents.packages)
    when = iso(contents.below.time)
    return [
        Step(f"COPY libraries, loader, authorities and licences of Debian {build.release} / # {pinned}", when, contents.below),
        Step(f"COPY plimsoll {PROGRAM} # {build.version}, revision {build.revision}, {build.compiler}", build.created, contents.above),
        Step(f"USER {USER}:{USER}", build.created),
        Step("EXPOSE 8443/tcp 8080/tcp", build.created),
        Step(f'ENTRYPOINT ["{PROGRAM}"]', build.created),
    ]


def image_of(build, contents):
    labels = labels_of(build)
    settings = {"User": f"{USER}:{USER}", "Entrypoint": [PROGRAM], "WorkingDir": "/", "Env": ["PATH=/usr/bin"],
                "StopSignal": "SIGTERM", "ExposedPorts": {"8443/tcp": {}, "8080/tcp": {}}, "Labels": labels}
    archive = Archive()
    annotations = {**labels, "org.opencontainers.image.base.name": "scratch"}
    archive.put_image(contents.architecture, build.created, settings, steps_of(build, contents), annotations)
    return archive


def parts_of(contents):
    """[(part, bytes, bytes compressed alone)], the largest first."""
    sizes = {}
    for layer in (contents.below, contents.above):
        for path, (_, data, _) in layer.entries.items():
            part = {PROGRAM: "plimsoll", BILL: "bill of materials", BUNDLE: "authorities"}.get(path)
            if part is None and ".so" in path:
                part = Path(path).name
            elif part is None:
                part = "licences" if path.startswith("/usr/share/") else "accounts, package status"
            raw, packed = sizes.get(part, (0, 0))
            sizes[part] = (raw + len(data or b""), packed + (len(zlib.compress(data, 9)) if data else 0))
    return sorted(((part, *both) for part, both in sizes.items()), key=lambda row: -row[2])


def print_table(contents, archive):
    print(f"{'part':28}{'bytes':>12}{'compressed':>12}")
    for part, raw, packed in parts_of(contents):
        print(f"{part:28}{raw:>12,}{packed:>12,}")
    for name, layer in zip(("layer: Debian", "layer: plimsoll"), archive.layers):
        print(f"{name:40}{layer['size']:>12,}")
    print(f"{'image: layers, configuration, manifest':40}{archive.compressed():>12,}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--source", type=Path, default=Path(__file__).resolve().parents[2])
    given = parser.parse_args()
    build = build_of(given.source.resolve(), given.program.resolve())
    contents = Contents(build, given.program)
    archive = image_of(build, contents)
    print_table(contents, archive)
    if archive.compressed() > MAXIMUM:
        raise SystemExit(f"the image has {archive.compressed():,} bytes, {MAXIMUM:,} are the most")
    stem = given.output / f"plimsoll-{build.version}-{contents.architecture}"
    names = {"org.opencontainers.image.ref.name": build.version,
             "io.containerd.image.name": f"docker.io/library/plimsoll:{build.version}"}
    Path(f"{stem}.oci.tar").write_bytes(archive.bytes(build.time, names))
    Path(f"{stem}.cdx.json").write_bytes(contents.above.entries[BILL][1])
    print(f"{stem}.oci.tar\n{archive.manifest['digest']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
