#!/usr/bin/env python3
"""plimsoll judges what its own chart renders by the strictest policy, knows every flag that is rendered, and every document."""
import json
import re
import subprocess
import tempfile

from chart import CHART, ROOT, app_version, at, documents_of, main, merged, render
from effects import DIGEST
from harness import PROGRAM
from invariants import missing
from value_sets import SETS, rendered

STRICTEST = ROOT / "tests" / "image" / "strictest.yaml"
PINNED = {"image": {"registry": "registry.test:5000", "tag": "0.1.0", "digest": DIGEST}}
OTHERS = ("one of each", "asking", "everything")  # a single replica, and a container of the user's
FIT = "exit 0; allow: Deployment Deployment Job Pod"
WITHOUT_HOOKS = "exit 0; allow: Deployment Deployment"
LEFT_OUT = "base-image health-check image-labels image-platforms image-registry"


def run(*arguments, given=""):
    return subprocess.run([ROOT / PROGRAM, *map(str, arguments)], input=given, capture_output=True, text=True, timeout=60)


def judged(values, profiles=()):
    """The kinds of each verdict, and the rules that found something."""
    text = render(merged(values, {"image": {**PINNED["image"], **values.get("image", {})}}), profiles=profiles).text
    done = run("check", "--policy", STRICTEST, "--fail-on", "warn", "--output", "json", "-", given=text)
    report = json.loads(done.stdout)
    kinds = {}
    for one in report["objects"]:
        kinds.setdefault(one["verdict"], []).append(one["kind"])
    told = "; ".join(f"{verdict}: {' '.join(sorted(found))}" for verdict, found in sorted(kinds.items()) if verdict != "skipped")
    rules = sorted({finding["rule"] for one in report["objects"] for finding in one["findings"]})
    return f"exit {done.returncode}; {told}" + (f" by {' '.join(rules)}" if rules else "")


def flags(text):
    return set(re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", text))


def known_flags(command):
    """Those that are rendered in any value set and that the program does not know."""
    boxes = [box for name in SETS for _, _, spec in rendered(name).pods() for box in spec["containers"]
             if box.get("args", [""])[0] == command]
    used = {one.partition("=")[0] for box in boxes for one in box["args"][1:]} - {"--poll-interval"}
    unknown = used - flags(run(command, "--help").stdout)
    return f"{len(used) > 0}, {sorted(unknown)}"


def files_of(rendering, name):
    """The files of a ConfigMap in a directory of their own."""
    scratch = tempfile.TemporaryDirectory(prefix="plimsoll-chart-")
    for file, text in rendering.one(f"ConfigMap/{name}")["data"].items():
        (ROOT / scratch.name / file).write_text(text)
    return scratch


def policies_valid(profiles):
    with files_of(render(profiles=profiles), "plimsoll-policies") as directory:
        done = run("policy", "validate", directory)
        return f"exit {done.returncode}{done.stderr if done.returncode else ''}"


def registries_valid(config):
    """Looked at before anything is asked: nothing is, since no image is named."""
    with files_of(render({"registries": {"config": config}}), "plimsoll-registries") as directory:
        return f"exit {run('check', '--images', '--registries', f'{directory}/registries.yaml', '-').returncode}"


def left_out():
    known = set(re.findall(r"(?m)^## ([a-z-]+)$", run("policy", "rules").stdout))
    profile = at(documents_of()((CHART / "values-strict.yaml").read_text())[0], "policies documents strict")
    loose = [rule for rule, settings in profile["rules"].items() if settings["action"] != "enforce"]
    allowed = sorted(set(profile["onUnknown"].values()) - {"deny"})
    return f"{' '.join(sorted(known - set(profile['rules'])))}; not enforced: {loose}; unknown allowed: {allowed}"


def definitions():
    """Those of the chart are those that the program prints."""
    printed = {one["metadata"]["name"]: one["spec"] for one in documents_of()(run("policy", "crds").stdout)}
    ours = {one["metadata"]["name"]: one["spec"] for one in render().kinds("CustomResourceDefinition")}
    return "the same" if printed == ours else missing(ours, printed) or "another spec"


BARE = {"name": "beside", "image": "nginx"}


def rows():
    number = 1
    for name, (profiles, values) in SETS.items():
        if name not in OTHERS:
            yield (number, f"value set {name}, by the strictest policy", WITHOUT_HOOKS if name == "no hooks" else FIT,
                   lambda values=values, profiles=profiles: judged(values, profiles))
            number += 1
    yield (40, "a single replica of each", "exit 1; allow: Job Pod; deny: Deployment Deployment by replicas",
           lambda: judged(*reversed(SETS["one of each"])))
    yield (41, "a bare container beside the server",
           "exit 1; allow: Deployment Job Pod; deny: Deployment by health-check image-digest image-registry "
           "image-tag liveness-probe readiness-probe resources", lambda: judged({"server": {"extraContainers": [BARE]}}))
    yield (42, "an image that is not pinned", "exit 1; deny: Deployment Deployment Job Pod by image-digest image-pull-policy",
           lambda: judged({"image": {"digest": ""}}))
    for number, command in enumerate(("serve", "controller", "cleanup", "verify"), 50):
        yield (number, f"flags of {command}: some are rendered, and those that it does not know", "True, []",
               lambda command=command: known_flags(command))
    for number, profile in enumerate(("audit", "enforce", "strict"), 60):
        yield number, f"policies of profile {profile}", "exit 0", lambda profile=profile: policies_valid([profile])
    yield 63, "rules that profile strict leaves out", f"{LEFT_OUT}; not enforced: []; unknown allowed: []", left_out
    yield 64, "a configuration of registries", "exit 0", lambda: registries_valid({"registries": [{"host": "registry.example.com"}]})
    yield 65, "a configuration of registries with a mistake", "exit 2", lambda: registries_valid({"registries": [{"hots": "example.com"}]})
    yield 67, "the version of the program is that of the chart's application", app_version(), lambda: run("--version").stdout.split()[-1]
    yield 66, "the definitions, and those that the program prints", "the same", definitions


if __name__ == "__main__":
    main("plimsoll judges its own chart", lambda: list(rows()))
