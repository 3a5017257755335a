"""Kubernetes' own types of one version, read from types.go of its modules, and objects checked against them, strictly.

A field is required where its json tag has no omitempty and its comment no +optional, as in Kubernetes' OpenAPI."""
import base64
import datetime
import functools
import json
import pathlib
import re
import subprocess

import programs

# What is rendered has to be fine in each: the newest release of each minor version, when this was written.
VERSIONS = {28: "v0.28.15", 29: "v0.29.15", 30: "v0.30.14", 31: "v0.31.14", 32: "v0.32.13", 33: "v0.33.13", 34: "v0.34.13", 35: "v0.35.10",
            36: "v0.36.6", 37: "v0.37.2"}
MODULES = ("k8s.io/api", "k8s.io/apimachinery", "k8s.io/apiextensions-apiserver")
META = "k8s.io/apimachinery/pkg/apis/meta/v1"
CRDS = "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
FIELD = re.compile(r'^\t(?:(\w+) +)?([^\s`]+)\s+`.*json:"([^"]*)"')
QUANTITY = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?")
INTEGERS = {"int": 63, "int64": 63, "int32": 31, "int16": 15, "uint64": 64, "uint32": 32, "int8": 7}


class Unknown(Exception):
    """A type that this reader does not know: the reader has to learn it, an object is not wrong."""


@functools.cache
def downloaded():
    """(module, version) -> directory; what the Go module cache has is not fetched again."""
    go, environment = programs.go_environment()
    wanted = [f"{module}@{version}" for module in MODULES for version in VERSIONS.values()]
    done = subprocess.run([go, "mod", "download", "-json", *wanted], capture_output=True, text=True, cwd="/",
                          env={**environment, "GOFLAGS": ""})
    found, rest = {}, done.stdout
    decoder = json.JSONDecoder()
    while rest.strip():
        one, end = decoder.raw_decode(rest.lstrip())
        rest = rest.lstrip()[end:]
        if one.get("Error"):
            raise programs.Unavailable(f"the types of Kubernetes: {one['Error'].strip()[-300:]}")
        found[one["Path"], one["Version"]] = pathlib.Path(one["Dir"])
    if len(found) != len(wanted):
        raise programs.Unavailable(f"the types of Kubernetes: {done.stderr.strip()[-300:]}")
    return found


class Package:
    """structs: name -> [(json name, type, inlined, required)]; aliases: name -> type; choices: name of an enumeration -> its values."""

    def __init__(self, directory):
        self.structs, self.aliases, self.imports = {}, {}, {}
        self.enumerations, self.constants = set(), {}
        for path in sorted(directory.glob("types*.go")):
            if "swagger" not in path.name and "_test" not in path.name:
                self.read(path.read_text())
        register, lives = (path.read_text() if path.exists() else "" for path in (
            directory / "register.go", directory / "zz_generated.prerelease-lifecycle.go"))
        self.kinds = set(re.findall(r"&(\w+)\{\}", register))
        self.group = (re.search(r'GroupName = "([^"]*)"', register) or [None, ""])[1]
        self.lives = {(kind, what): int(minor) for kind, what, minor in re.findall(
            r"func \(in \*(\w+)\) APILifecycle(Introduced|Removed)\(\) \(major, minor int\) \{\n\treturn 1, (\d+)\n", lives)}
        self.choices = {name: self.constants.get(name, set()) for name in self.enumerations}

    def read(self, text):
        for alias, path in re.findall(r'(?m)^\t(?:import )?(\w+ )?"([\w./-]+)"$', text):
            self.imports[alias.strip() or path.rpartition("/")[2]] = path
        for kind, value in re.findall(r'(?m)^(?:const |\t)\w+ +(\w+) *= *"([^"]*)"', text):
            self.constants.setdefault(kind, set()).add(value)
        comments, struct = [], None
        for line in text.splitlines():
            if line.strip().startswith("//"):
                comments.append(line.strip())
                continue
            if struct is None:
                struct = self.open(line, comments)
            elif line == "}":
                struct = None
            else:
                self.field(struct, line, comments)
            comments = [] if line.strip() or struct is None else comments

    def open(self, line, comments):
        """The name of the struct that begins here, if one does."""
        found = re.match(r"type (\w+) (struct ?\{\}?$|[^\s]+$)", line)
        if not found:
            return None
        name, what = found.groups()
        if any(re.match(r"// ?\+enum$", comment) for comment in comments):
            self.enumerations.add(name)
        if what.startswith("struct"):
            self.structs[name] = []
            return None if what.endswith("}") else name
        self.aliases[name] = what
        return None

    def field(self, struct, line, comments):
        found = FIELD.match(line)
        if found:
            _, kind, tag = found.groups()
            name, _, options = tag.partition(",")
            if name != "-":
                optional = "omitempty" in options or any(re.match(r"// ?\+optional", comment) for comment in comments)
                self.structs[struct].append((name, kind, "inline" in options, not optional))


class Kubernetes:
    """The types of one minor version."""

    def __init__(self, minor):
        self.minor, self.packages, self.known = minor, {}, {}
        self.directories = {module: downloaded()[module, VERSIONS[minor]] for module in MODULES}

    def package(self, path):
        if path not in self.packages:
            module = next((one for one in MODULES if path.startswith(one + "/")), None)
            self.packages[path] = Package(self.directories[module] / path.removeprefix(module + "/")) if module else None
        if self.packages[path] is None:
            raise Unknown(path)
        return self.packages[path]

    def package_of(self, api_version):
        """apps/v1 -> k8s.io/api/apps/v1; None where there is none."""
        group, _, version = api_version.rpartition("/")
        path = CRDS if api_version == "apiextensions.k8s.io/v1" else f"k8s.io/api/{group.split('.')[0] or 'core'}/{version}"
        module = next(one for one in MODULES if path.startswith(one + "/"))
        if not (self.directories[module] / path.removeprefix(module + "/")).is_dir():
            return None
        return path if self.package(path).group == group else None

    def problems(self, one):
        """What is wrong with an object: each line has the path."""
        path = self.package_of(one["apiVersion"])
        package = self.package(path) if path else None
        if package is None or one["kind"] not in package.kinds:
            return [f"no kind {one['kind']} in {one['apiVersion']}"]
        first, end = package.lives.get((one["kind"], "Introduced"), 0), package.lives.get((one["kind"], "Removed"), 1000)
        if not first <= self.minor < end:
            return [f"{one['apiVersion']} {one['kind']} is served from 1.{first}, no more from 1.{end}"]
        return list(self.check(path, one["kind"], one, ""))

    def fields(self, path, struct):
        """json name -> (package, type, required), those of inlined structs included."""
        if (path, struct) not in self.known:
            made = {}
            for name, kind, inlined, required in self.package(path).structs[struct]:
                if inlined or not name:
                    made.update(self.fields(*self.resolve(path, kind.lstrip("*"))))
                else:
                    made[name] = (path, kind, required)
            self.known[path, struct] = made
        return self.known[path, struct]

    def resolve(self, path, kind):
        """(package, name) of a type as a file of the package writes it."""
        if "." in kind:
            alias, name = kind.split(".")
            return self.package(path).imports[alias], name
        return path, kind

    def check(self, path, kind, value, where):
        if value is None:  # as if it were not there
            return
        kind = kind.lstrip("*")
        if kind.startswith("[]") and kind != "[]byte":
            yield from self.check_list(path, kind[2:], value, where)
        elif kind.startswith("map[string]") or kind.startswith("map["):
            yield from self.check_map(path, kind.partition("]")[2], value, where)
        elif kind in PLAIN:
            if not PLAIN[kind](value):
                yield f"{where}: {value!r} is no {kind}"
        else:
            yield from self.check_named(*self.resolve(path, kind), value, where)

    def check_list(self, path, kind, value, where):
        if not isinstance(value, list):
            yield f"{where}: {value!r} is no list"
            return
        for index, one in enumerate(value):
            yield from self.check(path, kind, one, f"{where}[{index}]")

    def check_map(self, path, kind, value, where):
        if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
            yield f"{where}: {value!r} is no map of texts"
            return
        for key, one in value.items():
            yield from self.check(path, kind, one, f"{where}.{key}")

    def check_named(self, path, name, value, where):
        if (path, name) in UNIONS or (path.rpartition("/")[2], name) in SPECIAL:
            yield from self.check_special(path, name, value, where)
            return
        package = self.package(path)
        if name in package.structs:
            yield from self.check_struct(path, name, value, where)
        elif name in package.aliases:
            if name in package.choices and value not in package.choices[name]:
                yield f"{where}: {value!r} is none of {sorted(package.choices[name])}"
            yield from self.check(path, package.aliases[name], value, where)
        else:
            raise Unknown(f"{path}.{name} at {where}")

    def check_special(self, path, name, value, where):
        if (path, name) in UNIONS:
            others, kind = UNIONS[path, name]
            if not others(value):
                yield from self.check(path, kind, value, where)
        elif not SPECIAL[path.rpartition("/")[2], name](value):
            yield f"{where}: {value!r} is no {name}"

    def check_struct(self, path, name, value, where):
        if not isinstance(value, dict):
            yield f"{where}: {value!r} is no map"
            return
        fields = self.fields(path, name)
        for key, one in value.items():
            if key in fields:
                yield from self.check(*fields[key][:2], one, f"{where}.{key}")
            else:
                yield f"{where}: unknown field {key}"
        for key, (_, _, required) in fields.items():
            if required and value.get(key) is None:
                yield f"{where}: {key} is missing"


def is_integer(bits, signed=True):
    def check(value):
        return isinstance(value, int) and not isinstance(value, bool) and (-(1 << bits) if signed else 0) <= value < 1 << bits
    return check


def is_time(value):
    try:
        return bool(datetime.datetime.fromisoformat(value.replace("Z", "+00:00")))
    except (AttributeError, ValueError):
        return False


def is_base64(value):
    try:
        return base64.b64decode(value, validate=True) is not None
    except (TypeError, ValueError):
        return False


def is_quantity(value):
    return is_integer(63)(value) or isinstance(value, float) or (isinstance(value, str) and QUANTITY.fullmatch(value) is not None)


PLAIN = {"string": lambda value: isinstance(value, str), "bool": lambda value: isinstance(value, bool), "[]byte": is_base64,
         "float64": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
         **{name: is_integer(bits, not name.startswith("u")) for name, bits in INTEGERS.items()}}
# (last part of the package, type)
SPECIAL = {("resource", "Quantity"): is_quantity, ("intstr", "IntOrString"): lambda value: isinstance(value, str) or is_integer(31)(value),
           ("v1", "Time"): is_time, ("v1", "MicroTime"): is_time, ("v1", "Duration"): PLAIN["string"], ("types", "UID"): PLAIN["string"],
           ("v1", "FieldsV1"): lambda value: isinstance(value, dict), ("runtime", "RawExtension"): lambda value: isinstance(value, dict)}
UNIONS = {(CRDS, "JSON"): (lambda value: True, ""), (CRDS, "JSONSchemaPropsOrArray"): (lambda value: False, "JSONSchemaProps"),
          (CRDS, "JSONSchemaPropsOrBool"): (lambda value: isinstance(value, bool), "JSONSchemaProps"),
          (CRDS, "JSONSchemaPropsOrStringArray"): (lambda value: isinstance(value, list), "JSONSchemaProps")}
