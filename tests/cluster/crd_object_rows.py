"""Status, columns, and several writers of plimsoll's objects."""
import copy
import json
import re

from control_plane import Status
from crd_stage import EXCEPTIONS, POLICIES, TAG, exception, joined
from crd_values import golden_policies, policy

CONDITION = {"type": "Accepted", "status": "True", "reason": "InForce", "message": "", "lastTransitionTime": "2026-08-20T05:58:00Z"}


def status_by_put(stage):
    body = stage.stored(policy("put-main", TAG))
    body["status"] = {"rules": 7}
    body["spec"]["existingViolations"] = "deny"
    given = stage.plane.request("PUT", f"{POLICIES}/put-main", body)
    return f"status {given.get('status')}, {given['spec']['existingViolations']}, generation {given['metadata']['generation']}"


def spec_by_status_put(stage):
    body = stage.stored(policy("put-status", TAG))
    in_force = {"generation": 1, "spec": copy.deepcopy(body["spec"])}
    body["status"] = {"observedGeneration": 1, "rules": 1, "conditions": [CONDITION], "inForce": in_force}
    body["spec"]["existingViolations"] = "deny"
    given = stage.plane.request("PUT", f"{POLICIES}/put-status/status", body)
    same = "as sent" if given["status"] == body["status"] else json.dumps(given["status"])
    return f"status {same}, {given['spec'].get('existingViolations')}, generation {given['metadata']['generation']}"


def status_keys(stage):
    """A spec in force keeps whatever it has; elsewhere in the status nothing is kept that nobody declared."""
    stage.plane.create(POLICIES, policy("status-keys", TAG))
    in_force = {"generation": 3, "spec": {"rules": {"image-tga": {"acton": None, "a": [1, {"b": 0.5}]}}}}
    status = stage.plane.patch(f"{POLICIES}/status-keys/status", json.dumps([
        {"op": "add", "path": "/status", "value": {"inForce": in_force, "rule": 1}}]), content_type="application/json-patch+json")["status"]
    return "spec kept, else dropped" if status == {"inForce": in_force} else json.dumps(status)


def status_refusal(stage, name, status):
    stage.plane.create(POLICIES, policy(name, TAG))
    try:
        stage.plane.patch(f"{POLICIES}/{name}/status", {"status": status})
    except Status as refused:
        return re.sub(r"^.* is invalid: ", "", refused.body["message"])
    return "taken"


def shown(stage, *arguments):
    """Lines without the last column, which is the age."""
    lines = stage.kubectl("get", *arguments).splitlines()
    return " | ".join(" ".join(line.split()[:-1]) for line in lines if line)


def columns_of_policies(stage, *flags):
    name = "columns" + "".join(flags).replace("=", "").replace("-", "")
    stage.plane.create(POLICIES, policy(name, TAG))
    stage.plane.patch(f"{POLICIES}/{name}/status", {"status": {"rules": 9, "exceptions": 3, "expiring": 1, "conditions": [CONDITION]}})
    return shown(stage, "hyp", name, *flags).replace(name, "NAME", 1)


def columns_of_exceptions(stage, *flags):
    name = "columns" + "".join(flags).replace("=", "").replace("-", "")
    stage.plane.create(EXCEPTIONS, exception(name))
    status = {"policies": ["production"], "conditions": [{**CONDITION, "status": "False"}]}
    stage.plane.patch(f"{EXCEPTIONS}/{name}/status", {"status": status})
    return shown(stage, "hyx", name, *flags).replace(name, "NAME", 1)


def category(stage):
    stage.plane.create(POLICIES, policy("in-category", TAG))
    stage.plane.create(EXCEPTIONS, exception("in-category"))
    names = stage.kubectl("get", "plimsoll", "-A", "-o", "name").splitlines()
    return ", ".join(sorted(name for name in names if name.endswith("/in-category")))


def server_side(stage):
    text = golden_policies()["built-in"].replace("name: built-in, labels: {sort: golden}", "name: applied")
    first = stage.kubectl("apply", "--server-side", "-f", "-", given=text)
    again = stage.kubectl("apply", "--server-side", "-f", "-", given=text)
    return ", ".join(joined(one).split()[-1] for one in (first, again))


def two_writers(stage):
    """Each owns a rule; the second may not change what the first has; what the first drops is gone."""
    def write(who, given):
        return stage.plane.kubectl("apply", "--server-side", "--field-manager", who, "-f", "-", given=json.dumps(policy("shared", given)))
    write("one", {"image-tag": {"action": "warn", "mutable": ["latest", "main"]}})
    write("two", {"image-size": {"action": "audit", "maximum": 0.5}})
    both = stage.plane.get(f"{POLICIES}/shared")["spec"]["rules"]
    conflict = write("two", {"image-size": {"action": "audit", "maximum": 0.5}, "image-tag": {"action": "enforce"}})
    place = re.search(r"conflict with \"one\": (\S+)", conflict.stderr)
    write("one", {"image-digest": {"action": "warn"}})
    left = stage.plane.get(f"{POLICIES}/shared")["spec"]["rules"]
    return f"{', '.join(sorted(both))}; conflict at {place and place.group(1)}; {', '.join(sorted(left))}"


def object_rows(stage):
    reasonless = {key: value for key, value in CONDITION.items() if key != "reason"}
    twice = {"conditions": [CONDITION, {**CONDITION, "status": "False"}]}
    return [
        ("PUT of a policy with another spec and a status", "status None, deny, generation 2", lambda: status_by_put(stage)),
        ("PUT of its status with another spec", "status as sent, None, generation 1", lambda: spec_by_status_put(stage)),
        ("keys of the status that nobody declared", "spec kept, else dropped", lambda: status_keys(stage)),
        ("a condition without a reason", "status.conditions[0].reason: Required value",
         lambda: status_refusal(stage, "s1", {"conditions": [reasonless]})),
        ("two conditions of one type", 'status.conditions[1]: Duplicate value: {"type":"Accepted"}',
         lambda: status_refusal(stage, "s2", twice)),
        ("a number of rules that is none", 'status.rules: Invalid value: "string": rules in body must be of type integer: "string"',
         lambda: status_refusal(stage, "s3", {"rules": "many"})),
        ("kubectl get hyp", "NAME ACCEPTED RULES EXCEPTIONS EXPIRING | NAME True 9 3 1", lambda: columns_of_policies(stage)),
        ("kubectl get hyp -o wide", "NAME ACCEPTED RULES EXCEPTIONS EXPIRING REASON | NAME True 9 3 1 InForce",
         lambda: columns_of_policies(stage, "-o=wide")),
        ("kubectl get hyx", "NAME ACCEPTED OWNER EXPIRES | NAME False team-a 2027-01-31", lambda: columns_of_exceptions(stage)),
        ("kubectl get hyx -o wide", 'NAME ACCEPTED OWNER EXPIRES RULES | NAME False team-a 2027-01-31 ["image-tag"]',
         lambda: columns_of_exceptions(stage, "-o=wide")),
        ("kubectl get plimsoll -A", "hygieneexception.plimsoll.dev/in-category, hygienepolicy.plimsoll.dev/in-category",
         lambda: category(stage)),
        ("kubectl apply --server-side of the built-in policy, twice", "serverside-applied, serverside-applied", lambda: server_side(stage)),
        ("two writers, each with a rule of its own",
         "image-size, image-tag; conflict at .spec.rules.image-tag.action; image-digest, image-size",
         lambda: two_writers(stage)),
    ]
