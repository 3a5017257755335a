"""Rows in which plimsoll judges its own image by the strictest policy, and an unfit copy, so that the rows mean something."""

import copy
import json
import re

from content_rows import stanzas
from image_stage import HERE, harness
from layout import digest_of, to_json

# What only a scan report tells, made by a scanner; there is none here.
LEFT_OUT = {"image-scan"}
IMAGE_RULES = ("base-image image-age image-labels image-secrets layer-hygiene").split()
POD_RULES = ("health-check image-digest image-pull-policy image-registry image-tag liveness-probe readiness-probe replicas resources "
             "run-as-root secret-env version-label").split()


def rules_left_out(stage):
    known = set(re.findall(r"^## ([a-z-]+)$", stage.box.run("/usr/bin/plimsoll", "policy", "rules").stdout.decode(), re.M))
    enforced = set(re.findall(r"^    ([a-z-]+):\s*(?:\{action: enforce|\n\s+action: enforce)", (HERE / "strictest.yaml").read_text(), re.M))
    return sorted(known - enforced) + sorted(f"no such rule: {one}" for one in enforced - known)


def verdict(stage, manifest):
    code, report = stage.check(manifest, "--fail-on", "warn", "--scan-reports", "/etc/plimsoll/reports")
    rules = sorted({finding["rule"] for finding in report["objects"][0]["findings"]})
    not_asked = report["objects"][0]["notLookedUp"]
    return code, rules, not_asked, json.dumps(report["objects"][0]["findings"], indent=1)


def own(stage):
    code, rules, not_asked, text = verdict(stage, "own.yaml")
    return f"{code}, findings {len(rules)}, rules not applied {len(not_asked)}" + (f"\n{text}" if rules else "")


def unfit_config(config):
    """As it would be if nobody had cared."""
    made = copy.deepcopy(config)
    made["created"] = "2024-01-01T00:00:00Z"
    made["config"] = {"Entrypoint": ["/usr/bin/plimsoll"], "Env": ["API_TOKEN=a8f5f167f44f4964e6c998dee827110c"]}
    made["history"][0]["created_by"] = "RUN /bin/sh -c apt-get update && apt-get install -y gcc make"
    return to_json(made)


def push_unfit(stage):
    """The same layers under another configuration; returns the digest."""
    config, manifest = unfit_config(stage.image.config), copy.deepcopy(stage.image.manifest)
    manifest.pop("annotations")
    client = stage.registry.client()
    manifest["config"].update(digest=digest_of(config), size=len(config))
    client.upload("plimsoll", digest_of(config), config)
    status, body = client.put_manifest("plimsoll", "9.9.9", to_json(manifest), manifest["mediaType"])
    client.close()
    assert status == 201, body
    return digest_of(to_json(manifest))


def unfit_image(stage):
    stage.write_manifest("unfit.yaml", f"{stage.reference}@{push_unfit(stage)}")
    code, rules, _, _ = verdict(stage, "unfit.yaml")
    return f"{code} {' '.join(one for one in rules if one != 'image-packages')}"


def unfit_pod(stage):
    bare = harness.deployment({"name": "web", "image": "nginx", "imagePullPolicy": "IfNotPresent", "env": [{"name": "DB_PASSWORD", "value": "hunter2hunter2"}]},
                              labels={"app.kubernetes.io/version": "1.0.0"})
    bare["spec"]["replicas"] = 1
    (stage.files / "bare.json").write_text(json.dumps(bare))
    code, rules, _, _ = verdict(stage, "bare.json")
    return f"{code} {' '.join(rules)}"


def rows(stage):
    packages = len(stanzas(stage.image))
    stage.write_report(packages)
    return [
        (50, "pushed by push.sh, the registry has it by the digest of the archive", stage.image.digest, stage.push),
        (51, "what refers to it in the registry is the bill of materials of the image", "True",
         lambda: stage.referrers() == [(stage.image.digest, stage.image.data["/usr/share/sbom/plimsoll.cdx.json"])]),
        (52, "rules that the strictest policy leaves out", str(sorted(LEFT_OUT)), lambda: rules_left_out(stage)),
        (53, "its own Deployment with its own image, by name, tag and digest", "0, findings 0, rules not applied 0", lambda: own(stage)),
        (54, "an unfit copy of the image is refused by", "1 " + " ".join(IMAGE_RULES), lambda: unfit_image(stage)),
        (55, "a bare Deployment is refused by", "1 " + " ".join(POD_RULES), lambda: unfit_pod(stage)),
    ]
