"""The chart as Helm renders it, as text and as objects, and the tables of rows about it."""
import concurrent.futures
import functools
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "charts" / "plimsoll"
sys.path[:0] = [str(ROOT / part) for part in ("tests/support/helm", "tests/support/control_plane", "tests/integration", "scripts/chart")]
import helm as helms  # noqa: E402
import programs  # noqa: E402
import values_page  # noqa: E402
from harness import check_rows  # noqa: E402

HELMS = {"HELM": "Helm 4", "HELM3": "Helm 3"}
OWN = "plimsoll-system"
KUBERNETES = "v1.37.0"  # without a cluster a Helm that was built from its module takes itself to be at one of long ago


def merged(*many):
    """Values as Helm merges them: the last one wins, maps are joined."""
    made = {}
    for values in many:
        for key, value in values.items():
            both = isinstance(value, dict) and isinstance(made.get(key), dict)
            made[key] = merged(made[key], value) if both else value
    return made


def nested(keys, value):
    """("server", "port"), 1 -> {"server": {"port": 1}}."""
    return {keys[0]: nested(keys[1:], value)} if keys else value


def leaves(values, keys=()):
    """(keys, value of values_page) of everything that can be set."""
    for value in values:
        here = (*keys, value.key)
        if value.children:
            yield from leaves(value.children, here)
        else:
            yield here, value


def values_of_chart():
    return values_page.read_values((CHART / "values.yaml").read_text())


@functools.cache
def app_version():
    return re.search(r'^appVersion: "?([^"\n]+)"?$', (CHART / "Chart.yaml").read_text(), re.M).group(1)


def strict_loader():
    """Reads YAML as Kubernetes does, but refuses a key that is there twice."""
    try:
        import yaml
    except ImportError:
        raise programs.Unavailable("python3 has no yaml: scripts/install-packages.sh test installs it") from None

    class Strict(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        def construct_mapping(self, node, deep=False):
            keys = [self.construct_object(key, deep=True) for key, _ in node.value]
            twice = sorted({str(key) for key in keys if keys.count(key) > 1})
            if twice:
                raise AssertionError(f"twice in one map: {', '.join(twice)}")
            return super().construct_mapping(node, deep)

    Strict.yaml_implicit_resolvers = {letter: [(tag, pattern) for tag, pattern in known if not tag.endswith(":timestamp")]
                                      for letter, known in Strict.yaml_implicit_resolvers.items()}
    return lambda text: list(yaml.load_all(text, Loader=Strict))


@functools.cache
def documents_of():
    return strict_loader()


def parts_of(text):
    return [part for part in re.split(r"(?m)^---\n", text) if part.strip()]


@functools.cache
def read_part(text):
    """Most documents are the same in every rendering."""
    return [one for one in documents_of()(text) if one]


class Rendering:
    """Objects in the order of the text, to be read only; `kind/name` names one."""

    def __init__(self, text):
        self.text = text
        self.objects = [one for part in parts_of(text) for one in read_part(part)]

    def kinds(self, *kinds):
        return [one for one in self.objects if one["kind"] in kinds]

    def one(self, name):
        return next((found for found in self.objects if name_of(found) == name), None)

    def pods(self):
        """(object, metadata of its pods, spec of its pods), hooks and the test included."""
        for one in self.objects:
            if one["kind"] == "Pod":
                yield one, one["metadata"], one["spec"]
            elif "template" in one.get("spec", {}) and one["kind"] != "CustomResourceDefinition":
                yield one, one["spec"]["template"]["metadata"], one["spec"]["template"]["spec"]

    def sorted_text(self):
        """Its documents in an order that does not depend on how Helm sorts kinds."""
        return "---\n".join(sorted(part.strip("\n") + "\n" for part in parts_of(self.text)))


def name_of(one):
    return f"{one['kind']}/{one['metadata']['name']}"


def at(thing, path):
    """What stands at "spec template spec containers 0"; None where nothing does."""
    for key in path.split():
        if isinstance(thing, list):
            thing = thing[int(key)] if int(key) < len(thing) else None
        elif isinstance(thing, dict):
            thing = thing.get(key)
        else:
            return None
    return thing


@functools.cache
def surroundings():
    """An environment in which Helm finds no cluster, no plugin and no repository."""
    scratch = tempfile.mkdtemp(prefix="plimsoll-chart-")
    kept = {key: value for key, value in os.environ.items() if not key.startswith("HELM_")}
    return {**kept, "KUBECONFIG": f"{scratch}/none", **{f"HELM_{part}_HOME": scratch for part in ("CACHE", "CONFIG", "DATA")}}


def helm(*arguments, variable="HELM", values=None):
    """A run of Helm 4 (HELM) or Helm 3 (HELM3); with `values` an argument "-f -" reads them."""
    given = json.dumps(values) if values is not None else ""
    return subprocess.run([helms.find(variable), *map(str, arguments)], input=given, capture_output=True, text=True, timeout=120,
                          env=surroundings())


def template(values, *flags, variable="HELM", profiles=(), release="plimsoll", namespace=OWN, version=KUBERNETES):
    files = [flag for profile in profiles for flag in ("-f", CHART / f"values-{profile}.yaml")]
    return helm("template", release, CHART, "--namespace", namespace, "--kube-version", version, *files, "-f", "-", *flags,
                variable=variable,
                values=values)


@functools.cache
def _rendered(text, flags, variable, profiles, more):
    done = template(json.loads(text), *flags, variable=variable, profiles=profiles, **dict(more))
    if done.returncode != 0:
        raise AssertionError(f"{HELMS[variable]}: {done.stderr.strip()}")
    return Rendering(done.stdout)


def render(values=None, *flags, variable="HELM", profiles=(), **more):
    """The Rendering, made once however often it is asked for; an AssertionError has what Helm said."""
    return _rendered(json.dumps(values or {}, sort_keys=True), flags, variable, tuple(profiles), tuple(sorted(more.items())))


def refusal(values, variable="HELM", **more):
    """What Helm says on standard error where it refuses, else ""."""
    done = template(values, variable=variable, **more)
    return done.stderr if done.returncode != 0 else ""


def side_by_side(function, things):
    """Calls, two at a time, before the rows that read what was made."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return list(pool.map(function, things))


def main(title, rows):
    """The end of a test program: `rows` is a function, called when Helm is there."""
    began = time.monotonic()
    try:
        for variable in HELMS:
            helms.find(variable)
        documents_of()
        table = rows()
    except programs.Unavailable as missing:
        programs.end_without(missing, "Helm")
    code = check_rows(title, table, workers=2)
    print(f"{time.monotonic() - began:.1f} s")
    sys.exit(code)
