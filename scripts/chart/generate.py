#!/usr/bin/env python3
"""Makes, or with --check compares, what is made from the chart: its schema, its README, its copies of the definitions, and manifests/.

Helm is `helm` on the PATH, or what HELM names."""
import os
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import plain_manifests  # noqa: E402
import values_page  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART, MANIFESTS = ROOT / "charts" / "plimsoll", ROOT / "manifests"


def without_helm():
    definitions = {CHART / "files" / "crds" / path.name: path.read_text() for path in (MANIFESTS / "crds").glob("hygiene*.yaml")}
    return {**values_page.pages(CHART), **definitions}


def strays(made):
    """Files where only made ones belong."""
    there = [path for name in ("base", "overlays") for path in (MANIFESTS / name).rglob("*") if path.is_file()]
    return [path for path in there if path not in made]


def write(files):
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            print(f"made {path.relative_to(ROOT)}")


def main():
    check = "--check" in sys.argv[1:]
    helm = os.environ.get("HELM") or shutil.which("helm")
    if helm is None:
        print("generate.py: no helm: install it (https://helm.sh), or let HELM name the program", file=sys.stderr)
        return 2
    made = without_helm()
    if not check:
        write(made)  # what is rendered next is checked against the schema
    made.update(plain_manifests.manifests(helm, CHART, MANIFESTS))
    wrong = [path for path, text in made.items() if not path.exists() or path.read_text() != text]
    if check:
        for path in wrong + strays(made):
            print(f"{path.relative_to(ROOT)} is not what the chart makes: run make chart")
        return 1 if wrong or strays(made) else 0
    for path in strays(made):
        path.unlink()
        print(f"removed {path.relative_to(ROOT)}")
    write(made)
    print("what is made from the chart is up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
