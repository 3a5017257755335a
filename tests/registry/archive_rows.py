"""Images in archives, layers looked inside of, and what `explain` tells: plimsoll at the desk.

Prints a line for each row; exit 1 if one failed.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import images
import registries

PROGRAM = os.environ["PLIMSOLL"]
EVERYTHING = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}


def run(*arguments):
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=60, env=EVERYTHING)


def image(*arguments):
    done = run("image", "--output", "json", *arguments)
    if done.returncode != 0:
        raise AssertionError(f"exit {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)["images"][0]


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def archives_say_what_the_layout_holds(layout, root):
    fat = layout.names["fat"]["digest"]
    manifest = layout.json("fat")
    sizes = [layer["size"] for layer in manifest["layers"]]
    for reference in (f"oci:{layout.directory}:fat", f"oci-archive:{images.write_oci_archive(layout, 'fat', root / 'fat.oci.tar')}"):
        found = image(reference)
        expect(found["digest"] == fat, f"{reference}: digest {found['digest']}")
        expect([layer["size"] for layer in found["images"][0]["layers"]] == sizes, f"{reference}: {found['images'][0]['layers']}")
    archive = images.write_docker_archive(layout, "fat", root / "fat.docker.tar", "registry.test/fat:1")
    found = image(f"docker-archive:{archive}")
    expect(found["normalised"] == "registry.test/fat:1", found["normalised"])
    expect(found["images"][0]["configDigest"] == manifest["config"]["digest"], "another configuration")
    expect(len(found["images"][0]["layers"]) == len(sizes), "another number of layers")


def an_index_is_chosen_from_by_platform(layout, root):
    for platform in ("linux/amd64", "linux/arm64", "linux/arm/v7"):
        found = image("--platform", platform, f"oci:{layout.directory}:multi")
        chosen = {entry["digest"] for entry in found["platforms"] if f"{entry['os']}/{entry['architecture']}" == platform.removesuffix("/v7")}
        expect({found["images"][0]["manifestDigest"]} == chosen, f"{platform}: {found['images'][0]['manifestDigest']}")


def layers_tell_the_same_wherever_they_come_from(layout, root):
    with registries.Registry() as registry:
        registry.push(layout, "fat")
        entries = root / "registries.yaml"
        entries.write_text(json.dumps({"apiVersion": "plimsoll.dev/v1alpha1", "kind": "RegistryConfig", "spec": {
            "registries": [{"host": registry.host, "private": True, "ca": str(registry.authority.ca)}]}}))
        pulled = image("--layers", "--registries", entries, registry.reference("fat"))["content"]
    expect(pulled == image("--layers", f"oci:{layout.directory}:fat")["content"], "the layout tells another content")
    docker = image("--layers", f"docker-archive:{root / 'fat.docker.tar'}")["content"]
    expect(docker == pulled, "docker save's archive tells another content")
    expect(pulled["packages"] == {"dpkg": 1200}, pulled["packages"])
    expect(0.5 < pulled["efficiency"] < 1 and pulled["removableBytes"] > 2_000_000, pulled)
    expect(pulled["caches"][0]["name"] == "apt lists" and pulled["buildTools"][0]["name"] == "gcc", pulled)


def a_layer_that_was_changed_is_found_out(layout, root):
    changed = root / "changed"
    subprocess.run(["cp", "-r", str(layout.directory), str(changed)], check=True)
    digest = layout.json("light")["layers"][0]["digest"]
    blob = changed / "blobs" / digest.replace(":", "/")
    data = bytearray(blob.read_bytes())
    data[len(data) // 2] ^= 1
    blob.write_bytes(data)
    done = run("image", "--layers", f"oci:{changed}:light")
    expect(done.returncode == 3 and "layer 1" in done.stderr, f"{done.returncode}: {done.stderr}")


def bad_archives_are_one_clear_line(layout, root):
    (root / "empty").mkdir()
    truncated = root / "truncated.tar"
    truncated.write_bytes((root / "fat.docker.tar").read_bytes()[:70_000])
    for reference, text in ((f"oci:{root / 'none'}", "is no directory"), (f"oci:{root / 'empty'}", "index.json cannot be read"),
                            (f"oci:{layout.directory}", "name one behind a colon"), (f"oci:{layout.directory}:none", "none of that name"),
                            ("docker-archive:/dev/null", "cannot be read"), (f"docker-archive:{truncated}", "ends in the middle"),
                            (f"docker-archive:{root / 'fat.oci.tar'}", "no manifest.json"), (f"oci-archive:{__file__}", "no tar archive")):
        done = run("image", reference)
        expect(done.returncode == 3, f"{reference}: exit {done.returncode}")
        expect(text in done.stderr and done.stderr.count("\n") == 1, f"{reference}: {done.stderr}")


def explain_names_credentials_and_never_shows_them(layout, root):
    with registries.Registry("basic") as registry:
        registry.push(layout, "light")
        user, password = registries.READER
        config = root / "config.json"
        config.write_text(registry.credentials())
        entries = root / "basic.yaml"
        entries.write_text(json.dumps({"apiVersion": "plimsoll.dev/v1alpha1", "kind": "RegistryConfig", "spec": {
            "credentials": [str(config)], "registries": [{"host": registry.host, "private": True, "ca": str(registry.authority.ca)}]}}))
        done = run("explain", "--registries", entries, registry.reference("light"))
    expect(done.returncode == 0, f"{done.returncode}: {done.stdout}{done.stderr}")
    for part in ("credentials  entry " + registry.host, "challenge: basic", "-> 200", layout.names["light"]["digest"]):
        expect(part in done.stdout, f"{part!r} is not told:\n{done.stdout}")
    expect(password not in done.stdout and user not in done.stdout, "a credential is shown")


ROWS = (archives_say_what_the_layout_holds, an_index_is_chosen_from_by_platform, layers_tell_the_same_wherever_they_come_from,
        a_layer_that_was_changed_is_found_out, bad_archives_are_one_clear_line, explain_names_credentials_and_never_shows_them)


def main():
    failed = 0
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        layout = images.build_all(root / "images", fat_mib=4)
        for row in ROWS:
            try:
                row(layout, root)
                print("ok " + row.__name__.replace("_", " "), flush=True)
            except Exception as error:  # the other rows still count
                failed += 1
                print(f"FAILED {row.__name__.replace('_', ' ')}: {type(error).__name__}: {error}", flush=True)
    print(f"archive rows: {len(ROWS)} rows, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
