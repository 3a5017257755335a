"""Finds the dynamic loader and every shared library that a program needs, as the loader of a plain machine would."""

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

ARCHITECTURES = {  # machine of the ELF header -> (name of Debian and OCI, directory of libraries)
    "Advanced Micro Devices X86-64": ("amd64", "x86_64-linux-gnu"),
    "AArch64": ("arm64", "aarch64-linux-gnu"),
}


@dataclass
class Library:
    """`path` is the file itself, links resolved; `place` is where the image has it, by the name programs ask for."""
    name: str
    path: Path
    place: str
    needs: list = field(default_factory=list)


def read_elf(path):
    """(architecture, directory of libraries, loader or None, names of needed libraries)."""
    text = subprocess.run(["readelf", "--wide", "-h", "-l", "-d", str(path)], check=True, capture_output=True, text=True,
                          env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"}).stdout
    machine = re.search(r"Machine:\s+(.*\S)", text).group(1)
    if machine not in ARCHITECTURES:
        raise SystemExit(f"{path}: no image can be made for {machine}")
    if re.search(r"\((RPATH|RUNPATH)\)", text):
        raise SystemExit(f"{path}: it has a search path of its own, which would not lead anywhere in an image")
    loader = re.search(r"program interpreter: (\S+)\]", text)
    return (*ARCHITECTURES[machine], loader and loader.group(1), re.findall(r"\(NEEDED\)\s+Shared library: \[(.*)\]", text))


def find(name, directory):
    """Only where every processor of the architecture finds it: never below glibc-hwcaps."""
    for parent in (f"/usr/lib/{directory}", f"/lib/{directory}", "/usr/lib", "/lib"):
        if (Path(parent) / name).exists():
            return (Path(parent) / name).resolve()
    raise SystemExit(f"{name} is not among the libraries of this machine")


def linked_libraries(program):
    """(architecture, [Library] by name, the loader among them)."""
    architecture, directory, loader, needed = read_elf(program)
    found = {Path(loader).name: Library(Path(loader).name, Path(loader).resolve(), loader)}
    waiting = list(needed)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        path = find(name, directory)
        needs = read_elf(path)[3]
        found[name] = Library(name, path, f"/usr/lib/{directory}/{name}", needs)
        waiting += needs
    return architecture, [found[name] for name in sorted(found)]
