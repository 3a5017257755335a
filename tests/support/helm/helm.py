"""Helm 3 and Helm 4 for tests: what HELM3 and HELM name where they are set, else built from their Go modules into the cache."""
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "control_plane"))
import programs  # noqa: E402

# variable -> (package, version)
VERSIONS = {"HELM": ("helm.sh/helm/v4/cmd/helm", "v4.3.2"), "HELM3": ("helm.sh/helm/v3/cmd/helm", "v3.22.0")}


def built(variable):
    return programs.cache_directory() / "programs" / f"helm-{VERSIONS[variable][1]}" / "helm"


def build(variable):
    """A later run finds it."""
    target, (package, version) = built(variable), VERSIONS[variable]
    with programs.built_once(target) as missing:
        if missing:
            go, environment = programs.go_environment()
            print(f"== building Helm {version} from its Go module (minutes, once)", flush=True)
            scratch = target.parent / "new"
            done = subprocess.run([go, "install", "-trimpath", "-ldflags", "-s -w", f"{package}@{version}"], cwd=target.parent,
                                  env={**environment, "GOFLAGS": "-buildvcs=false", "GOBIN": str(scratch)}, capture_output=True, text=True)
            if done.returncode != 0:
                raise programs.Unavailable(f"Helm {version} could not be built: {done.stderr.strip()[-600:]}")
            (scratch / "helm").rename(target)
            scratch.rmdir()
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
        for variable in VERSIONS:
            print(find(variable))
    except programs.Unavailable as missing:
        programs.end_without(missing, "Helm")


if __name__ == "__main__":
    main()
