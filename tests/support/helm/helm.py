"""Helm 3 and Helm 4 for tests: what HELM3 and HELM name where they are set, else built from their Go modules into the cache."""
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "control_plane"))
import programs  # noqa: E402

MODULE = pathlib.Path(__file__).resolve().parent / "both"
# variable -> package of `both/go.mod`: one module, so that they share what they are built of
PACKAGES = {"HELM": "helm.sh/helm/v4", "HELM3": "helm.sh/helm/v3"}


def version(variable):
    return re.search(rf"^\s*{re.escape(PACKAGES[variable])} (v\S+)", (MODULE / "go.mod").read_text(), re.M).group(1)


def build(variable):
    """A later run finds it."""
    package, number = PACKAGES[variable], version(variable)
    target = programs.cache_directory() / "programs" / f"helm-{number}-{programs.sources_hash(MODULE)}" / "helm"
    with programs.built_once(target) as missing:
        if missing:
            go, environment = programs.go_environment()
            print(f"== building Helm {number} from its Go module (minutes, once)", flush=True)
            made = target.parent / "helm.new"
            done = subprocess.run([go, "build", "-ldflags", f"-s -w -X {package}/internal/version.version={number}", "-o", made, f"{package}/cmd/helm"],
                                  cwd=MODULE, env=environment, capture_output=True, text=True)
            if done.returncode != 0:
                raise programs.Unavailable(f"Helm {number} could not be built: {done.stderr.strip()[-600:]}")
            made.rename(target)
    return target


def find(variable):
    """The path of Helm 4 (HELM) or Helm 3 (HELM3); programs.Unavailable says why there is none."""
    given = os.environ.get(variable)
    if not given:
        return build(variable)
    if not os.access(given, os.X_OK):
        raise programs.Unavailable(f"{variable} is {given}, which is no program")
    return pathlib.Path(given)


def main():
    try:
        for variable in PACKAGES:
            print(find(variable))
    except programs.Unavailable as missing:
        programs.end_without(missing, "Helm")


if __name__ == "__main__":
    main()
