#!/usr/bin/env python3
"""Judges every golden case at the desk and by the webhook: both as the case says, and both alike."""

import concurrent.futures
import functools
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT.parent / "integration"))
import fact_images  # noqa: E402
import harness  # noqa: E402

PROGRAM = harness.PROGRAM
OBJECTS = os.environ["OBJECTS_AS_JSON"]
POLICY = """apiVersion: plimsoll.dev/v1alpha1
kind: HygienePolicy
metadata: {{name: case}}
spec:
  rules:
    {rule}: {setting}
"""
SILENT = tempfile.TemporaryDirectory()
NO_REGISTRIES = Path(SILENT.name, "registries.yaml")
NO_REGISTRIES.write_text(json.dumps({"apiVersion": "plimsoll.dev/v1alpha1", "kind": "RegistryConfig", "spec": {"allow": ["nobody.invalid"]}}))
NOBODY_IS_ASKED = ["--registries", str(NO_REGISTRIES)]
RESOURCES = {"Rollout": ("argoproj.io", "rollouts"), "Service": ("serving.knative.dev", "services"), "Pod": ("", "pods"),
             "PodTemplate": ("", "podtemplates"), "ReplicationController": ("", "replicationcontrollers"),
             "Job": ("batch", "jobs"), "CronJob": ("batch", "cronjobs")}


def read_case(path):
    """(setting, sorted expectations, what messages contain, what they never contain)"""
    head = []
    for line in path.read_text().splitlines():
        if not line.startswith("#"):
            break
        head.append(line)
    settings, expected, contained, never = (
        [line.split(":", 1)[1].strip() for line in head if line.startswith(f"# {word}:")]
        for word in ("policy", "expect", "contains", "never"))
    if len(settings) != 1:
        raise ValueError("a case has one line `# policy: {...}`")
    return settings[0], sorted(expected), contained, never


def finding_text(kind, name, container_class, container, path):
    return f"{kind}/{name} {container_class + ':' + (container or '') if container_class else '-'} {path}"


def check(paths, policy, *flags):
    """What the desk says of every object in the files: (path, kind and name, verdict, findings)."""
    given = ["--policy", policy] if policy else []
    done = subprocess.run([PROGRAM, "check", *given, *flags, "--output", "json", *paths], capture_output=True, text=True)
    if done.returncode not in (0, 1):
        raise ValueError(f"check: exit {done.returncode}: {done.stderr}")
    return [(Path(thing["file"]), thing["kind"], thing["name"], thing["verdict"], thing["findings"]) for thing in json.loads(done.stdout)["objects"]]


def by_check(path, policy, *flags):
    found, texts = [], {}
    for _, kind, name, verdict, findings in check([path], policy, *flags):
        for finding in findings:
            found.append(finding_text(kind, name, finding["containerClass"], finding["container"], finding["path"]))
        texts[f"{kind}/{name}"] = (verdict, sorted((f["path"], f["message"]) for f in findings))
    return sorted(found), texts


@functools.cache
def objects_of(path):
    lines = subprocess.run([OBJECTS, path], capture_output=True, text=True, check=True).stdout.splitlines()
    return [json.loads(line) for line in lines]


def review_of(thing):
    group, plural = RESOURCES.get(thing["kind"], ("apps", thing["kind"].lower() + "s"))
    made = harness.review(thing, kind=thing["kind"], name=thing["metadata"]["name"], namespace="default")
    made["request"]["kind"]["group"] = made["request"]["resource"]["group"] = group
    made["request"]["resource"]["resource"] = plural
    return made


def by_webhook(path, server):
    texts = {}
    for thing in objects_of(path):
        response = server.ask(review_of(thing))
        causes = response.get("status", {}).get("details", {}).get("causes", [])
        verdict = "allow" if response["allowed"] else "deny"
        if response["allowed"] and response.get("warnings") and not any("unsupported kind" in warning for warning in response["warnings"]):
            verdict = "warn"
        if thing["kind"] != "Service" or "serving" in thing["apiVersion"]:
            texts[f"{thing['kind']}/{thing['metadata']['name']}"] = (verdict, sorted((c["field"], c["message"]) for c in causes))
    return texts


def run_case(path, images):
    rule = path.parent.name
    flags = images[rule].flags if rule in images else NOBODY_IS_ASKED
    setting, expected, contained, never = read_case(path)
    text = POLICY.format(rule=rule, setting=setting)
    problems = []
    with tempfile.TemporaryDirectory() as directory:
        policy = Path(directory, "policy.yaml")
        policy.write_text(text)
        found, desk = by_check(path, policy, "--images", *flags)
    for missing in set(expected) - set(found):
        problems.append(f"not found: {missing}")
    for extra in set(found) - set(expected):
        problems.append(f"found, but not expected: {extra}")
    if not problems and len(expected) != len(found):
        problems.append(f"{len(found)} findings, expected {len(expected)}")
    if path.name.startswith("deny") != bool(expected):
        problems.append("a deny file has expectations, an allow file has none")
    messages = "\n".join(message for _, findings in desk.values() for _, message in findings)
    problems += [f"no message contains: {text}" for text in contained if text not in messages]
    problems += [f"a message contains: {text}" for text in never if text in messages]
    with harness.Server(*flags, policy=text) as server:
        webhook = by_webhook(path, server)
    if desk != webhook:
        problems.append(f"the webhook says otherwise:\n      check   {desk}\n      webhook {webhook}")
    return [f"{rule}/{path.name}: {problem}" for problem in problems]


def every_rule(rules):
    """Odd rules enforced, even ones warned of: what several rules make of one object."""
    actions = ("enforce", "warn")
    lines = [f"    {rule}: {{action: {actions[number % 2]}}}" for number, rule in enumerate(rules)]
    return POLICY.split("    {rule}")[0].replace("{{", "{").replace("}}", "}") + "\n".join(lines) + "\n"


def differences(cases, policy, mode):
    """(how many objects were compared, what the desk and the webhook do not agree on)"""
    desk = {}
    for path, kind, name, verdict, _ in check(cases, policy, "--mode", mode, "--images", *NOBODY_IS_ASKED):
        desk.setdefault(path, {})[f"{kind}/{name}"] = verdict
    problems = []
    with harness.Server(*NOBODY_IS_ASKED, mode=mode, policy=policy.read_text() if policy else None) as server:
        for path in cases:
            webhook = {name: verdict for name, (verdict, _) in by_webhook(path, server).items()}
            if desk.get(path, {}) != webhook:
                problems.append(f"{path.name}, {mode}: check {desk.get(path)}, webhook {webhook}")
    return sum(map(len, desk.values())), problems


def all_together(cases, rules):
    """Every case under all rules and under the built-in policy, in every mode: the same verdicts both ways."""
    with tempfile.TemporaryDirectory() as directory, concurrent.futures.ThreadPoolExecutor(3) as pool:
        together = Path(directory, "policy.yaml")
        together.write_text(every_rule(rules))
        ways = [(policy, mode) for policy in (together, None) for mode in ("enforce", "warn", "audit")]
        seen = list(pool.map(lambda way: differences(cases, *way), ways))
    print(f"golden: {sum(compared for compared, _ in seen)} verdicts of all rules and of the built-in policy compared, in three modes")
    return [problem for _, problems in seen for problem in problems]


def guarded(path, images):
    try:
        return run_case(path, images)
    except Exception as error:  # one broken case must not hide the others
        return [f"{path.parent.name}/{path.name}: {type(error).__name__}: {error}"]


def main():
    rules = re.findall(r"^## `?([a-z-]+)`?", subprocess.run([PROGRAM, "policy", "rules"], capture_output=True, text=True, check=True).stdout, re.M)
    cases = sorted(ROOT.glob("rules/*/*.yaml"))
    problems = [f"{rule}: no {sort} case" for rule in rules for sort in ("allow", "deny") if not list(ROOT.glob(f"rules/{rule}/{sort}*.yaml"))]
    problems += [f"{path.parent.name}: no such rule" for path in cases if path.parent.name not in rules]
    images = {path.parent.name: fact_images.FactImages(json.loads(path.read_text())) for path in ROOT.glob("rules/*/facts.json")}
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda path: guarded(path, images), cases):
            problems += found
    problems += all_together(cases, rules)
    for served in images.values():
        served.close()
    SILENT.cleanup()
    print("\n".join(problems))
    print(f"golden: {len(rules)} rules, {len(cases)} cases, each at the desk and by the webhook; {len(problems)} problems")
    return 1 if problems or not rules or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
