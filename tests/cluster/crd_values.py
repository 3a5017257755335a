"""Every parameter of every rule as docs/rules.md has it, values of every type for it, and what plimsoll's own reader says of them."""
import json
import re
import subprocess
import tempfile
from pathlib import Path

from harness import PROGRAM

ROOT = Path(__file__).resolve().parents[2]
API = "plimsoll.dev/v1alpha1"
IGNORED = {"id": "CVE-2026-1", "reason": "not reachable", "expires": "2027-01-31"}
POOL = [
    None, True, False, 0, 1, 2, -1, 0.5, 2.0, 1e9, 40.5, "", "a", "1", "500Mi", "950M", "0.09", "30d", "168h", "1d12h", "0s", "off", "none",
    "deny", "In", "null", "2027-01-31", "linux/amd64", [], ["a"], ["a", "b*"], ["linux/amd64", "linux/arm/v7"], ["registry.test/team/*"],
    ["apps/Deployment"], ["image-size"], [1], [None], [True], [["a"]], {}, {"a": "b"}, {"a": []}, {"cpu": "500m", "memory": "1Gi"},
    {"cpu": 0.5, "memory": 1073741824}, {"cpu": 2}, {"cpu": None}, {"cpu": True}, [{}], [IGNORED], [{**IGNORED, "expires": "31.1.2027"}],
    [{**IGNORED, "id": 1}], [{"id": "CVE-2026-1"}]]


def is_text(value):
    return isinstance(value, str)


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_whole(value):
    return is_number(value) and value == int(value)


def texts(value):
    return isinstance(value, list) and all(map(is_text, value))


def quantity(value):
    return is_text(value) or is_number(value)


def quantities(value):
    return isinstance(value, dict) and all(one is None or quantity(one) for one in value.values())


def ignored(value):
    return isinstance(value, list) and all(isinstance(entry, dict) and all(map(is_text, entry.values())) for entry in value)


# How the page begins the type of a parameter -> whether a value is of that type. Where null is none of the values the API server
# takes it for a key that was not given.
TYPES = {"true or false": lambda value: isinstance(value, bool), "whole number": is_whole, "text": is_text, "one of": is_text,
         "list of `{id": ignored, "list of": texts, "map of quantities": quantities, "size": quantity, "number": quantity,
         "duration": is_text}


class Parameter:
    """One row of a rule's table."""

    def __init__(self, name, type_text):
        self.name, self.type_text = name, type_text
        check = next(check for begin, check in TYPES.items() if type_text.startswith(begin))
        self.is_type = lambda value: check(value) or (value == "none" and "or none" in type_text)
        chosen = re.findall(r"`([^`{]+)`", type_text)
        self.values = POOL + chosen + [[word] for word in chosen] + ([chosen, chosen + chosen] if chosen else [])

    def wrong(self):
        return [value for value in self.values if value is not None and not self.is_type(value)]


def rules():
    """rule id -> its parameters, in the page's order."""
    page = subprocess.run([PROGRAM, "policy", "rules"], capture_output=True, text=True, check=True).stdout
    found = {}
    for part in re.split(r"(?m)^## ", page)[1:]:
        cells = (re.split(r" (?<!\\)\| ", line.strip("| ")) for line in part.splitlines() if line.startswith("| `"))
        found[part.split("\n", 1)[0]] = [Parameter(row[0].strip("`"), row[1]) for row in cells]
    return found


# Every key that is not a rule's.
SELECTOR = {"matchLabels": {"tier": "gold"}, "matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]}
MATCH = {"namespaces": ["prod-*"], "kinds": ["Deployment"], "names": ["web-*"], "labelSelector": SELECTOR, "images": ["quay.io/*"]}
UNKNOWN = {"definite": "warn", "access": "off", "outage": "audit", "scan": "deny"}
EVERYTHING = {
    "match": MATCH, "exclude": [{"namespaceSelector": SELECTOR}], "rules": {"image-tag": {"action": "warn", "onUnknown": UNKNOWN}},
    "exceptions": [{"rules": ["image-tag"], "match": {"names": ["a"]}, "owner": "team-a", "reason": "soon", "expires": "2027-01-31"}],
    "namespaceExceptions": {"rules": ["image-tag"], "longest": "90d", "namespaces": ["dev-*"]},
    "existingViolations": "deny", "controllerCreated": "skip", "onUnknown": UNKNOWN}


def with_values(value):
    """The value with each part of it, itself included, in turn replaced by every value of POOL: (path, replaced, by, all of it)."""
    yield from (("", value, other, other) for other in POOL)
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        for path, replaced, other, made in with_values(part):
            copied = {**value, key: made} if isinstance(value, dict) else [*value[:key], made, *value[key + 1:]]
            yield f".{key}{path}", replaced, other, copied


def kind_of(value):
    return "number" if is_number(value) else type(value).__name__


def policy(name, given, **spec):
    """`given`: rules by id; the rest of the spec by name."""
    return {"apiVersion": API, "kind": "HygienePolicy", "metadata": {"name": name}, "spec": {"rules": given, **spec}}


def read(policies):
    """What plimsoll's reader says of each policy: the first mistake, or "" where it is fine."""
    said = [""] * len(policies)
    with tempfile.TemporaryDirectory() as directory:
        lines = ",\n".join(json.dumps(one) for one in policies)  # an object on each line: its line is its number
        Path(directory, "list.json").write_text('{"apiVersion": "v1", "kind": "List", "items": [\n' + lines + "\n]}\n")
        done = subprocess.run([PROGRAM, "policy", "validate", "list.json"], cwd=directory, capture_output=True, text=True)
    for line in done.stderr.splitlines():
        place = re.match(r"list\.json:(\d+):\d+: (.*)", line)
        if place is None:
            raise AssertionError(f"plimsoll says: {line}")
        number = int(place.group(1)) - 2
        said[number] = said[number] or place.group(2)
    return said


def golden_policies():
    """name -> YAML, as people write it: of every golden case, of the documentation, and the built-in one; all with a label."""
    found = {"built-in": subprocess.run([PROGRAM, "policy", "show"], capture_output=True, text=True, check=True).stdout}
    for path in sorted(ROOT.glob("tests/golden/rules/*/*.yaml")):
        rule, setting = path.parent.name, re.search(r"(?m)^# policy: (.*)$", path.read_text()).group(1)
        found[f"{rule}-{path.stem}"] = f"apiVersion: {API}\nkind: HygienePolicy\nmetadata:\nspec:\n  rules:\n    {rule}: {setting}\n"
    for path in sorted(ROOT.glob("docs/*.md")):
        blocks = re.findall(r"(?s)```yaml\n(.*?)```", path.read_text())
        found.update({f"docs-{path.stem}-{number}": text for number, text in enumerate(blocks) if "\nkind: HygienePolicy\n" in text})
    return {name: re.sub(r"(?m)^metadata:.*(\n {2}name:.*)?$", f"metadata: {{name: {name}, labels: {{sort: golden}}}}", text, count=1)
            for name, text in found.items()}
