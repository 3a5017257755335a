#!/usr/bin/env python3
"""Posts every recorded AdmissionReview to a `plimsoll serve` under its policy; the answer is as the case says, twice."""

import concurrent.futures
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT.parent / "integration"))
import harness  # noqa: E402

KEYS = {"allowed", "causes", "message_contains", "warnings", "warnings_contain", "annotations", "annotations_contain", "never"}


def compare(name, wanted, seen):
    return [] if wanted == seen else [f"{name}: expected {wanted}, seen {seen}"]


def lacking(name, wanted, text):
    return [f"{name}: {part!r} is not in {text!r}" for part in wanted if part not in text]


def denial_problems(expected, status):
    causes = status.get("details", {}).get("causes", [])
    return (compare("code", 403, status.get("code")) + compare("reason", "Forbidden", status.get("reason"))
            + compare("causes", sorted(expected.get("causes", [])), sorted(f"{c['reason']} {c['field']}" for c in causes))
            + lacking("message", expected.get("message_contains", []), status.get("message", "")))


def problems_of(expected, request, answer):
    """What differs between a case's expectations and the whole answer."""
    response = answer["response"]
    warnings = response.get("warnings", [])
    annotations = response.get("auditAnnotations", {})
    problems = [f"unknown expectation {key}" for key in expected.keys() - KEYS]
    problems += compare("apiVersion", request["apiVersion"], answer["apiVersion"])
    problems += compare("kind", "AdmissionReview", answer["kind"])
    problems += compare("uid", request["request"]["uid"], response["uid"])
    problems += compare("allowed", expected["allowed"], response["allowed"])
    problems += ["it has a patch"] if "patch" in response else []
    if not response["allowed"] and not expected["allowed"]:
        problems += denial_problems(expected, response["status"])
    problems += compare("number of warnings", expected.get("warnings", len(warnings)), len(warnings))
    problems += lacking("warnings", expected.get("warnings_contain", []), "\n".join(warnings))
    problems += compare("number of annotations", expected.get("annotations", len(annotations)), len(annotations))
    problems += lacking("annotations", expected.get("annotations_contain", []), "\n".join(annotations.values()))
    return problems + [f"the answer holds {text!r}" for text in expected.get("never", []) if text in json.dumps(answer)]


def run_case(folder):
    expected = json.loads((folder / "expected.json").read_text())
    body = (folder / "review.json").read_bytes()
    with harness.Server(policy=(folder / "policy.yaml").read_text()) as server:
        answers = [server.post(body) for _ in range(2)]
        log = server.log_path.read_text()
    status, _, text = answers[0]
    if status != 200:
        return [f"HTTP {status}: {text!r}"]
    problems = problems_of(expected, json.loads(body), json.loads(text))
    problems += [] if answers[1][2] == text else ["the second answer differs from the first"]
    return problems + [f"the log holds {text!r}" for text in expected.get("never", []) if text in log]


def guarded(folder):
    try:
        return [f"{folder.name}: {problem}" for problem in run_case(folder)]
    except Exception as error:  # one broken case must not hide the others
        return [f"{folder.name}: {type(error).__name__}: {error}"]


def main():
    cases = sorted(path.parent for path in ROOT.glob("admission/*/review.json"))
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        problems = [problem for found in pool.map(guarded, cases) for problem in found]
    print("\n".join(problems))
    print(f"golden: {len(cases)} reviews, {len(problems)} problems")
    return 1 if problems or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
