"""`make cluster`: the test cluster to try things in, with the release image in a registry of it and a shell beside it.

    cluster.py ARCHIVE [COMMAND...]     the cluster ends with the shell, or with the command, whose exit code is returned"""
import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile

import helm
import programs
import sandbox
import small_images
from node import Node

REGISTRY = "10.250.0.1:5000"
VERSION = "0.1.0"
WELCOME = f"""
A real Kubernetes of one node, cut off from the network, with registry {REGISTRY} in it, which has plimsoll:{VERSION}.
kubectl and helm use it. It ends with this shell.

  helm install plimsoll charts/plimsoll --namespace plimsoll-system --create-namespace --wait \\
    --set image.registry={REGISTRY} -f charts/plimsoll/values-enforce.yaml
  kubectl create namespace shop
  kubectl apply -f scripts/demo/unfit.yaml
"""


def programs_on_path(directory):
    """A directory with kubectl and helm, for PATH."""
    place = pathlib.Path(directory, "programs")
    place.mkdir()
    for name, path in (("kubectl", programs.find("kubectl")), ("helm", os.environ["HELM"]), ("helm3", os.environ["HELM3"])):
        (place / name).symlink_to(pathlib.Path(path).resolve())
    return place


def environment(node, registry, directory):
    """What a person's shell has."""
    return {**os.environ, "KUBECONFIG": str(node.kubeconfig), "PATH": f"{programs_on_path(directory)}:{os.environ['PATH']}",
            "CERT_DIR": str(registry.authority.cert_dir), "PS1": "plimsoll cluster \\w\\$ "}


def run(command, given):
    """A shell needs a terminal of its own: what stands in a pipe of the sandbox has none."""
    if command:
        return subprocess.run(command, env=given, check=False).returncode
    with open("/dev/tty", "rb") as terminal:
        return subprocess.run(["bash", "--norc", "-i"], env=given, stdin=terminal, check=False).returncode


def main():
    archive, *command = sys.argv[1:]
    try:
        for variable in helm.PACKAGES:
            os.environ[variable] = str(helm.find(variable))
        sandbox.enter()
    except sandbox.Unavailable as missing:
        print(f"there can be no cluster here: {missing}", file=sys.stderr)
        return 1
    with contextlib.ExitStack() as ends:
        directory = ends.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        node = ends.enter_context(Node(small_images.archive(directory, "localhost/pause:1")))
        registry = node.registry("none")
        node.push_image(archive, f"{REGISTRY}/plimsoll:{VERSION}")
        print(WELCOME, flush=True)
        return run(command, environment(node, registry, directory))


if __name__ == "__main__":
    sys.exit(main())
