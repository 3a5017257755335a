"""What the schemas accept, with which words they refuse, and which misspelt keys they keep for plimsoll to tell of."""
import json
import re
import tempfile
from pathlib import Path

from crd_stage import EXCEPTED, EXCEPTIONS, POLICIES, TAG, exception, plimsoll
from crd_values import API, EVERYTHING, SELECTOR, golden_policies, kind_of, policy, read, rules, with_values
from harness import Server, review

FULL = exception("w", match={"kinds": ["apps/Deployment"], "images": ["quay.io/*"], "labelSelector": SELECTOR}, policies=["production"])


def agreement(stage, rule, parameters):
    """Every parameter with values of every type: what the reader takes is stored as it is, and no wrong type is taken."""
    pairs = [(parameter, value) for parameter in parameters for value in parameter.values]
    cases = [(parameter, value, policy(f"v{number}", {rule: {"action": "warn", parameter.name: value}}))
             for number, (parameter, value) in enumerate(pairs)]
    problems = []
    for (parameter, value, body), said in zip(cases, read([body for _, _, body in cases])):
        trouble = stage.trouble(body)
        if trouble and not said:
            problems.append(f"{parameter.name}: {json.dumps(value)} is fine, but: {trouble}")
        if not trouble and any(value is wrong for wrong in parameter.wrong()):
            problems.append(f"{parameter.name}: {json.dumps(value)} is taken")
    return "; ".join(problems) or f"every wrong type refused: {', '.join(parameter.name for parameter in parameters)}"


def rule_row(stage, rule, parameters):
    return (f"{rule}: values of every type for every parameter", f"every wrong type refused: {', '.join(one.name for one in parameters)}",
            lambda: agreement(stage, rule, parameters))


def agreement_elsewhere(stage, key):
    """The same for what is below one key of the spec."""
    spec = {"rules": TAG}
    cases = [(path, replaced, other, {**policy(f"v{number}", {}), "spec": {**spec, key: made}})
             for number, (path, replaced, other, made) in enumerate(with_values(EVERYTHING[key]))]
    problems = []
    for (path, replaced, other, body), said in zip(cases, read([body for _, _, _, body in cases])):
        trouble = stage.trouble(body)
        if trouble and not said:
            problems.append(f"{key}{path}: {json.dumps(other)} is fine, but: {trouble}")
        if not trouble and said and kind_of(other) != kind_of(replaced):
            problems.append(f"{key}{path}: {json.dumps(other)} is taken")
    return "; ".join(problems) or "every wrong type refused"


def exceptions_agree(stage):
    """The same for HygieneException, of which the reader is asked by way of plimsoll's webhook."""
    problems = []
    identity = {"group": "plimsoll.dev", "version": "v1alpha1"}
    of = {"kind": {**identity, "kind": "HygieneException"}, "resource": {**identity, "resource": "hygieneexceptions"}}
    with Server() as server:
        for path, replaced, other, spec in with_values(FULL["spec"]):
            body = {**FULL, "spec": spec}
            asked = review(body)
            asked["request"].update(of)
            said = server.ask(asked).get("status", {}).get("message")
            trouble = stage.trouble(body)
            if trouble and not said:
                problems.append(f"spec{path}: {json.dumps(other)} is fine, but: {trouble}")
            if not trouble and said and kind_of(other) != kind_of(replaced):
                problems.append(f"spec{path}: {json.dumps(other)} is taken")
    return "; ".join(problems) or "every wrong type refused"


def round_trip(stage, *way):
    """All of them to the API server by kubectl and back to plimsoll's reader; the two readings must be the same."""
    texts = golden_policies()
    made = len(stage.kubectl(*way, "-f", "-", given="\n---\n".join(texts.values())).splitlines())
    listed = stage.plane.get(POLICIES + "?labelSelector=sort%3Dgolden")
    stage.plane.delete(POLICIES + "?labelSelector=sort%3Dgolden")
    with tempfile.TemporaryDirectory() as directory:
        before, after = Path(directory, "before.yaml"), Path(directory, "after.json")
        before.write_text("\n---\n".join(texts.values()))
        after.write_text(json.dumps(listed))
        readings = [sorted(plimsoll("policy", "validate", path).splitlines()) for path in (before, after)]
    same = readings[0] == readings[1]
    taken = "all" if made == len(texts) == len(listed["items"]) == len(readings[1]) else made
    return f"{taken} taken, read back {'alike' if same else 'otherwise'}"


def null_by(stage, name, *flags):
    text = json.dumps(policy(name, {"image-size": {"action": "warn", "maximum": None}}))
    stage.kubectl("apply", *flags, "-f", "-", given=text)
    return "kept" if "maximum" in stage.plane.get(f"{POLICIES}/{name}")["spec"]["rules"]["image-size"] else "dropped"


def said_of(stage, body, path=POLICIES):
    """The API server's message without its beginning."""
    message = stage.refusal("POST", path + "?dryRun=All", body)
    return re.sub(r"^Hygiene\w+\.plimsoll\.dev \"[^\"]*\" is invalid: ", "", message) or "taken"


NO_DAY = "in body should match '^[0-9]{4}-[0-9]{2}-[0-9]{2}$'"
OWNERLESS = {key: value for key, value in EXCEPTED.items() if key != "owner"}
WORDS = [  # what is wrong, the policy, what the API server says
    ("a word that is no action", policy("w", {"image-tag": {"action": "enforec"}}),
     'spec.rules.image-tag.action: Unsupported value: "enforec": supported values: "enforce", "warn", "audit", "off", "false"'),
    ("no action", policy("w", {"image-tag": {}}), "spec.rules.image-tag.action: Required value"),
    ("action: true", policy("w", {"image-tag": {"action": True}}),
     'spec.rules.image-tag.action: Unsupported value: true: supported values: "enforce", "warn", "audit", "off", "false"'),
    ("a plain word for a rule", policy("w", {"image-tag": "warn"}),
     'spec.rules.image-tag: Invalid value: "string": spec.rules.image-tag in body must be of type object: "string"'),
    ("a choice that is none", policy("w", {"health-check": {"action": "warn", "accept": ["prob"]}}),
     'spec.rules.health-check.accept[0]: Unsupported value: "prob": supported values: "probe", "image"'),
    ("existingViolations: enforce", policy("w", TAG, existingViolations="enforce"),
     'spec.existingViolations: Unsupported value: "enforce": supported values: "warn", "deny"'),
    ("controllerCreated: audit", policy("w", TAG, controllerCreated="audit"),
     'spec.controllerCreated: Unsupported value: "audit": supported values: "warn", "enforce", "skip"'),
    ("onUnknown: {scan: enforce}", policy("w", TAG, onUnknown={"scan": "enforce"}),
     'spec.onUnknown.scan: Unsupported value: "enforce": supported values: "deny", "warn", "audit", "off", "false"'),
    ("a number below its least", policy("w", {"replicas": {"action": "warn", "minimum": 0}}),
     "spec.rules.replicas.minimum: Invalid value: 0: spec.rules.replicas.minimum in body should be greater than or equal to 1"),
    ("no rules", {**policy("w", {}), "spec": {}}, "spec.rules: Required value"),
    ("no spec", {"apiVersion": API, "kind": "HygienePolicy", "metadata": {"name": "w"}}, "spec: Required value"),
    ("an exception without an owner", policy("w", TAG, exceptions=[OWNERLESS]),
     "spec.exceptions[0].owner: Required value"),
    ("namespaceExceptions without longest", policy("w", TAG, namespaceExceptions={"rules": ["image-tag"]}),
     "spec.namespaceExceptions.longest: Required value"),
    ("a day of another form", policy("w", TAG, exceptions=[{**EXCEPTED, "expires": "31.1.2027"}]),
     f'spec.exceptions[0].expires: Invalid value: "31.1.2027": spec.exceptions[0].expires {NO_DAY}'),
    ("a HygieneException that has all", FULL, "taken"),
    ("a HygieneException without a match", exception("w"), "taken"),
    ("a HygieneException with one rule that is no list", exception("w", rules="image-tag"),
     'spec.rules: Invalid value: "string": spec.rules in body must be of type array: "string"'),
    ("a HygieneException of another day", exception("w", expires="next week"),
     f'spec.expires: Invalid value: "next week": spec.expires {NO_DAY}'),
    ("an empty HygieneException", {**exception("w"), "spec": {}},
     "[spec.expires: Required value, spec.owner: Required value, spec.reason: Required value, spec.rules: Required value]"),
]


def word_row(stage, what, body, expected):
    def see():
        message = said_of(stage, body, POLICIES if body["kind"] == "HygienePolicy" else EXCEPTIONS)
        if message.startswith("["):  # in no order
            message = f"[{', '.join(sorted(message.strip('[]').split(', ')))}]"
        return message
    return what, expected, see


def value_rows(stage):
    return [
        *(rule_row(stage, rule, parameters) for rule, parameters in rules().items() if parameters),
        *((f"{key}: values of every type at every place of it", "every wrong type refused", lambda key=key: agreement_elsewhere(stage, key))
          for key in EVERYTHING),
        ("HygieneException: values of every type at every place of it", "every wrong type refused", lambda: exceptions_agree(stage)),
        ("kubectl create of every golden policy", "all taken, read back alike", lambda: round_trip(stage, "create")),
        ("`action: off`, which YAML reads as false", "taken", lambda: said_of(stage, policy("w", {"image-tag": {"action": False}}))),
        ("a policy that has every key", "taken", lambda: said_of(stage, {**policy("w", {}), "spec": EVERYTHING})),
        ("null by kubectl apply, which drops it", "dropped", lambda: null_by(stage, "null-client")),
        ("null by kubectl apply --server-side", "kept", lambda: null_by(stage, "null-server", "--server-side")),
        *(word_row(stage, *row) for row in WORDS),
    ]


MISSPELT = [  # level, spec, what plimsoll says of it
    ("spec", policy("k", TAG, exception=[]), 'unknown key "exception"; did you mean "exceptions"?'),
    ("spec.rules", policy("k", {"image-tga": {"action": "warn", "mutable": ["a"]}}),
     'unknown rule "image-tga"; did you mean "image-tag"?'),
    ("a rule", policy("k", {"image-tag": {"action": "warn", "mutabel": ["a"]}}), 'unknown key "mutabel"; did you mean "mutable"?'),
    ("a rule without parameters", policy("k", {"image-digest": {"action": "warn", "onUnknwon": {}}}),
     'unknown key "onUnknwon"; did you mean "onUnknown"?'),
    ("a rule's onUnknown", policy("k", {"image-tag": {"action": "warn", "onUnknown": {"scna": "warn"}}}),
     'unknown key "scna"; did you mean "scan"?'),
    ("a rule's ignore", policy("k", {"image-scan": {"action": "warn", "ignore": [
        {"id": "CVE-1", "reason": "r", "expires": "2027-01-31", "reasn": {"a": [1]}}]}}), 'unknown key "reasn"; did you mean "reason"?'),
    ("spec.match", policy("k", TAG, match={"namespace": ["a"]}), 'unknown key "namespace"; did you mean "namespaces"?'),
    ("spec.match.labelSelector", policy("k", TAG, match={"labelSelector": {"matchLabel": {"a": "b"}}}),
     'unknown key "matchLabel"; did you mean "matchLabels"?'),
    ("one of matchExpressions", policy("k", TAG, match={"labelSelector": {"matchExpressions": [
        {"key": "a", "operator": "In", "values": ["b"], "vales": ["c"]}]}}), 'unknown key "vales"; did you mean "values"?'),
    ("an entry of spec.exclude", policy("k", TAG, exclude=[{"image": ["a"]}]), 'unknown key "image"; did you mean "images"?'),
    ("an entry of spec.exceptions", policy("k", TAG, exceptions=[{**EXCEPTED, "ownr": "b"}]),
     'unknown key "ownr"; did you mean "owner"?'),
    ("an exception's match", policy("k", TAG, exceptions=[{**EXCEPTED, "match": {"name": ["a"]}}]),
     'unknown key "name"; did you mean "names"?'),
    ("spec.onUnknown", policy("k", TAG, onUnknown={"outages": "warn"}), 'unknown key "outages"; did you mean "outage"?'),
    ("spec.namespaceExceptions", policy("k", TAG, namespaceExceptions={"rules": ["image-tag"], "longest": "30d", "namespace": ["a"]}),
     'unknown key "namespace"; did you mean "namespaces"?'),
]


def kept(stage, body, path=POLICIES):
    given = stage.stored(body, path)
    return given, "kept" if given["spec"] == body["spec"] else f"stored as {json.dumps(given['spec'])}"


def misspelt_row(stage, number, level, body, said):
    body = {**body, "metadata": {"name": f"k{number}"}}

    def see():
        given, word = kept(stage, body)
        return f"{word}: {read([given])[0]}"
    return f"a misspelt key in {level}", f"kept: {said}", see


def key_rows(stage):
    return [
        *(misspelt_row(stage, number, *row) for number, row in enumerate(MISSPELT)),
        ("a misspelt key in the spec of a HygieneException", "kept", lambda: kept(stage, exception("k1", policy=["a"]), EXCEPTIONS)[1]),
        ("namespaces in the match of a HygieneException", "kept",
         lambda: kept(stage, exception("k2", match={"namespaces": ["a"], "names": ["b"]}), EXCEPTIONS)[1]),
    ]
