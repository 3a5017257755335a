#!/usr/bin/env python3
"""What a real API server makes of the CustomResourceDefinitions: what they accept, refuse, keep and show."""
import re
import sys
import time

from control_plane import control_plane_or_end
from crd_object_rows import object_rows
from crd_stage import NAMES, Stage, joined, plimsoll
from crd_value_rows import key_rows, value_rows
from crd_values import API, rules
from harness import check_rows

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"
ANNOTATION_LIMIT = 262144  # bytes of all annotations of an object
EXPLAINED = {
    "hygienepolicy": ("Which rules workloads must keep", "spec <Object>"),
    "hyp.spec": ("What applies where", "controllerCreated <string> enum: warn, enforce, skip"),
    "hyp.spec.rules.image-size": ("Images are light.", "Every node that runs the pod pulls the image", "Fix: multi-stage build",
                                  "podMaximum <Object>"),
    "hyp.spec.rules.image-size.maximum": ("Of one image for one platform, compressed", "A size like 500Mi", "Default: 1Gi."),
    "hyp.spec.rules.replicas.action": ("ENUM: enforce warn audit off", "enforce: refused"),
    "hyx.spec": ("What this namespace asks to be excepted from", "owner <string> -required-"),
}


def established(stage, name):
    conditions = stage.plane.get(f"{DEFINITIONS}/{name}")["status"]["conditions"]
    return ", ".join(sorted(f"{condition['type']} {condition['status']}" for condition in conditions))


def fits(stage, name):
    size = len(stage.plane.get(f"{DEFINITIONS}/{name}")["metadata"]["annotations"][ANNOTATION])
    print(f"{name}: {size} bytes as the annotation of kubectl apply, of {ANNOTATION_LIMIT}", flush=True)
    return "fits" if size < ANNOTATION_LIMIT / 2 else f"{size} bytes"


def told(stage, path, *wanted):
    """Which of the texts `kubectl explain` does not show."""
    text = joined(stage.kubectl("explain", path))
    return "; ".join(one for one in wanted if joined(one) not in text) or "shown"


def fields_without_text(schema, path):
    missing = []
    for name, field in schema.get("properties", {}).items():
        missing += ([] if field.get("description") else [f"{path}.{name}"]) + fields_without_text(field, f"{path}.{name}")
    for below in ("items", "additionalProperties"):
        if isinstance(schema.get(below), dict):
            missing += fields_without_text(schema[below], f"{path}[]")
    return missing


def described(stage):
    """Of what the API server publishes, which is what kubectl explain, editors and clients read."""
    schemas = stage.plane.get(f"/openapi/v3/apis/{API}")["components"]["schemas"]
    missing = []
    for kind in ("HygienePolicy", "HygieneException"):
        properties = schemas[f"dev.plimsoll.v1alpha1.{kind}"]["properties"]
        for part in ("spec", "status"):
            missing += fields_without_text(properties[part], f"{kind}.{part}")
    return ", ".join(missing) or "described"


def rules_described(stage):
    """Title, why, remedy and the meaning of each parameter, as docs/rules.md has them."""
    schema = stage.plane.get(f"/openapi/v3/apis/{API}")["components"]["schemas"]["dev.plimsoll.v1alpha1.HygienePolicy"]
    published = schema["properties"]["spec"]["properties"]["rules"]["properties"]
    missing = []
    for part in re.split(r"(?m)^## ", plimsoll("policy", "rules"))[1:]:
        name, title, why, fix = part.split("\n\n")[:4]
        text = published[name]["description"]
        missing += [f"{name}: {one}" for one in (title, why, fix) if one not in text]
        for line in (line for line in part.splitlines() if line.startswith("| `")):
            parameter, meaning = line.split("`")[1], line.rsplit(" | ", 1)[1].rstrip(" |").replace("\\|", "|")
            if meaning.lower() not in published[name]["properties"][parameter]["description"].lower():
                missing.append(f"{name}.{parameter}: {meaning}")
    return "; ".join(missing) or f"{len(published)} rules"


def definition_rows(stage):
    again = stage.kubectl("apply", "-f", "-", given=stage.definitions)
    return [
        ("kubectl apply -f of both", "created, created", lambda: ", ".join(re.findall(r"created|configured", stage.applied))),
        ("kubectl apply -f of both, again", "unchanged, unchanged", lambda: ", ".join(re.findall(r"unchanged|configured", again))),
        *((f"conditions of {name}", "Established True, NamesAccepted True", lambda name=name: established(stage, name)) for name in NAMES),
        *((f"size of {name}", "fits", lambda name=name: fits(stage, name)) for name in NAMES),
        ("a description at every field that is published", "described", lambda: described(stage)),
        ("every rule and parameter with the text of docs/rules.md", f"{len(rules())} rules", lambda: rules_described(stage)),
        *((f"kubectl explain {path}", "shown", lambda path=path, texts=texts: told(stage, path, *texts))
          for path, texts in EXPLAINED.items()),
    ]


def main():
    began = time.monotonic()
    plane = control_plane_or_end()
    with plane:
        stage = Stage(plane)
        rows = [*definition_rows(stage), *value_rows(stage), *key_rows(stage), *object_rows(stage)]
        code = check_rows("custom resources at a real API server", [(number, *row) for number, row in enumerate(rows, 1)], workers=6)
    print(f"{time.monotonic() - began:.1f} s")
    return code


if __name__ == "__main__":
    sys.exit(main())
