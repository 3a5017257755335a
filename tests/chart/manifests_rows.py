#!/usr/bin/env python3
"""What is made from the chart is up to date, and `kubectl kustomize` builds of it what the chart renders."""
import os
import subprocess
import sys

import chart
import programs
from chart import OWN, ROOT, Rendering, helms, name_of, render

OVERLAYS = {"base": [], "overlays/audit": ["audit"], "overlays/enforce": ["enforce"], "overlays/strict": ["strict"],
            "overlays/highly-available": ["enforce", "ha"]}
OF_HELM = ("helm.sh/chart", "app.kubernetes.io/managed-by")
NO_HOOKS = {"cleanup": {"enabled": False}, "verify": {"enabled": False}}
LEFT_TO_HELM = "helm.sh/resource-policy"


def generated(*flags):
    done = subprocess.run([sys.executable, ROOT / "scripts/chart/generate.py", *flags], capture_output=True, text=True,
                          env={**chart.surroundings(), "HELM": str(helms.find("HELM")), "PYTHONDONTWRITEBYTECODE": "1"})
    return f"exit {done.returncode}" + "".join(f"; {line}" for line in (done.stdout + done.stderr).splitlines())


def plain(one):
    """Without what only Helm knows."""
    metadata = dict(one["metadata"])
    labels = {key: value for key, value in metadata.pop("labels", {}).items() if key not in OF_HELM}
    notes = {key: value for key, value in (metadata.pop("annotations", None) or {}).items() if key != LEFT_TO_HELM}
    return {**one, "metadata": {**metadata, **({"labels": labels} if labels else {}), **({"annotations": notes} if notes else {})}}


def by_name(objects):
    return {f"{name_of(one)} {one['metadata'].get('namespace', '')}": plain(one) for one in objects}


def healing_apart(objects):
    """The text that the controller compares with has labels of Helm in it, or has not; as an object it is compared as all are."""
    made = dict(objects)
    for name, one in objects.items():
        if "webhook.yaml" in one.get("data", {}):
            made[name] = {**one, "data": [plain(inner) for inner in chart.documents_of()(one["data"]["webhook.yaml"])]}
    return made


def built(kubectl, directory):
    done = subprocess.run([kubectl, "kustomize", ROOT / "manifests" / directory], capture_output=True, text=True, env=chart.surroundings(),
                          timeout=60)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return Rendering(done.stdout).objects


def compared(kubectl, directory, profiles):
    """Objects of both sides, one by one; definitions have no label of a release in manifests/crds."""
    theirs = healing_apart(by_name(built(kubectl, directory)))
    ours = healing_apart(by_name(render(NO_HOOKS, profiles=profiles).objects))
    space = theirs.pop(f"Namespace/{OWN} ", None)
    lacks, more = sorted(set(ours) - set(theirs)), sorted(set(theirs) - set(ours))
    other = [name for name in set(ours) & set(theirs) if ours[name] != theirs[name] and
             not (name.startswith("CustomResourceDefinition/") and ours[name]["spec"] == theirs[name]["spec"])]
    level = (space or {"metadata": {}})["metadata"].get("labels", {}).get("pod-security.kubernetes.io/enforce")
    return f"namespace {level}; lacks {lacks}, has {more}, differs in {sorted(other)}"


def stale(kubectl):
    """A comparison with another profile finds what is another."""
    return "found" if "differs in []" not in compared(kubectl, "overlays/enforce", ["audit"]) else "not found"


def own_files(kubectl):
    """Every file of manifests/ is reached from a kustomization, but the list of rights, which is read by people and tests."""
    reached = set()
    for directory in ("crds", *OVERLAYS):
        for one in chart.documents_of()((ROOT / "manifests" / directory / "kustomization.yaml").read_text()):
            named = [*one.get("resources", []), *(patch["path"] for patch in one.get("patches", []))]
            reached |= {(ROOT / "manifests" / directory / name).resolve() for name in named}
    files = {path for path in (ROOT / "manifests").rglob("*.yaml") if path.name != "kustomization.yaml"}
    return sorted(str(path.relative_to(ROOT)) for path in files - reached)


def rows():
    kubectl = programs.find("kubectl")
    made = [(number, f"kubectl kustomize manifests/{directory} is the chart with {' + '.join(profiles) or 'its defaults'}",
             "namespace restricted; lacks [], has [], differs in []",
             lambda directory=directory, profiles=profiles: compared(kubectl, directory, profiles))
            for number, (directory, profiles) in enumerate(OVERLAYS.items(), 2)]
    return [(1, "scripts/chart/generate.py --check", "exit 0", lambda: generated("--check")), *made,
            (10, "a comparison with another profile", "found", lambda: stale(kubectl)),
            (11, "files that no kustomization names", "['manifests/rbac.yaml']", lambda: own_files(kubectl))]


if __name__ == "__main__":
    os.chdir(ROOT)
    chart.main("manifests made from the chart", rows)
