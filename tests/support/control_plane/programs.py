"""Where etcd, kube-apiserver and kubectl for tests come from: KUBEBUILDER_ASSETS, a cache, or a build from their Go modules."""
import contextlib
import fcntl
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
MINIMUM_GO = (1, 26)
SKIPPED = 77  # the exit code of a test that was not run
NODE_MODULE = "../node/kubernetes"
NODE_PROGRAMS = {name: NODE_MODULE for name in ("kubelet", "kube-proxy", "kube-controller-manager", "kube-scheduler")}
PROGRAMS = {"etcd": "etcd", "kube-apiserver": "kubernetes", "kubectl": "kubernetes"}  # program -> module beside this file


class Unavailable(Exception):
    """There is no API server to test with; the text says what is missing and what to do."""


def cache_directory():
    base = os.environ.get("PLIMSOLL_CACHE") or os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(base) / "plimsoll"


def module_version(module):
    """The version of the module that is built: `require k8s.io/kubernetes v1.36.3` -> v1.36.3."""
    wanted = r"go\.etcd\.io/etcd/server/v3" if module == "etcd" else r"k8s\.io/kubernetes"
    return re.search(rf"^\s*(?:require )?{wanted} (v\S+)$", (HERE / module / "go.mod").read_text(), re.M).group(1)


def sources_hash(module):
    digest = hashlib.sha256()
    for path in sorted((HERE / module).iterdir()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def module_of(program):
    return PROGRAMS.get(program) or NODE_PROGRAMS[program]


def built_program(program):
    module = module_of(program)
    name = "node" if module == NODE_MODULE else module
    return cache_directory() / "programs" / f"{name}-{module_version(module)}-{sources_hash(module)}" / program


def go_environment():
    """The go program and what it runs with; Unavailable where it is missing or too old."""
    go = shutil.which("go") or ("/usr/local/go/bin/go" if os.access("/usr/local/go/bin/go", os.X_OK) else None)
    wanted = ".".join(map(str, MINIMUM_GO))
    if go is None:
        raise Unavailable(f"no go: install Go {wanted} or newer (https://go.dev/dl), or set KUBEBUILDER_ASSETS")
    said = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, env={**os.environ, "GOTOOLCHAIN": "local"}).stdout
    version = re.match(r"go(\d+)\.(\d+)", said)
    if version is None or tuple(map(int, version.groups())) < MINIMUM_GO:
        raise Unavailable(f"{go} is {said.strip() or 'of no known version'}: Go {wanted} or newer is needed, or KUBEBUILDER_ASSETS")
    return go, {**os.environ, "GOTOOLCHAIN": "local", "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false -mod=readonly -trimpath"}


def link_flags(module):
    if module == "etcd":
        return "-s -w"
    version = module_version(module)
    major, minor = version.lstrip("v").split(".")[:2]
    of = "k8s.io/component-base/version"
    return f"-s -w -X {of}.gitVersion={version} -X {of}.gitMajor={major} -X {of}.gitMinor={minor} -X {of}.gitTreeState=clean"


@contextlib.contextmanager
def built_once(target):
    """Whoever asks at the same time: True in the `with` block of the one that has to build it, False where it is there."""
    if target.exists():
        yield False
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(target.parent / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield not target.exists()


def build(program):
    """A later run finds it."""
    target, module = built_program(program), module_of(program)
    with built_once(target) as missing:
        if missing:
            go, environment = go_environment()
            print(f"== building {module} {module_version(module)} from its Go module (minutes, once)", flush=True)
            made = target.parent / "built.new"
            done = subprocess.run([go, "build", "-ldflags", link_flags(module), "-o", made, "."], cwd=HERE / module, env=environment,
                                  capture_output=True, text=True)
            if done.returncode != 0:
                raise Unavailable(f"{program} could not be built: {done.stderr.strip()[-600:]}")
            made.rename(target.parent / "built")
            for name in (name for name, of in {**PROGRAMS, **NODE_PROGRAMS}.items() if of == module):
                os.link(target.parent / "built", target.parent / name)
    return target


def find(program):
    """The path of `etcd`, `kube-apiserver`, `kubectl`, or one of a node's programs."""
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if assets and program in PROGRAMS:
        path = pathlib.Path(assets) / program
        if not os.access(path, os.X_OK):
            raise Unavailable(f"KUBEBUILDER_ASSETS is {assets}, where no program {program} is")
        return path
    return build(program)


def end_without(missing, what="real API server"):
    """Ends a test program that needs what is not there: skipped, or failed where it must not be."""
    required = os.environ.get("PLIMSOLL_API_SERVER") == "required"
    print(f"{'FAILED' if required else 'SKIPPED'}: no {what} to test with: {missing}", flush=True)
    sys.exit(1 if required else SKIPPED)


def main():
    try:
        for program in PROGRAMS:
            print(find(program))
    except Unavailable as missing:
        end_without(missing)


if __name__ == "__main__":
    main()
