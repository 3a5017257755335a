#!/usr/bin/env python3
"""Checks the direction of #include lines between folders, and what policy/ may include at all.

  layering.py ROOT
  layering.py --self-test
"""

import re
import sys
import tempfile
from pathlib import Path

# Each folder may include itself and what stands before it; folders on one level do not see each
# other, but for the two that build on a neighbour by design.
LEVELS = [
    ["policy"],
    ["telemetry"],
    ["net", "documents", "layers"],
    ["registry", "cluster"],
    ["scan", "policy_sources"],
    ["facts", "certificates"],
    ["admission", "audit", "controller"],
    ["cli"],
    ["main"],
]
LEVEL = {folder: level for level, folders in enumerate(LEVELS) for folder in folders}
POLICY_FORBIDDEN = re.compile(
    r"#include\s+<(boost|openssl|spdlog|fmt|yaml-cpp|prometheus|CLI|thread|mutex|atomic|filesystem|fstream|iostream|future|unistd|sys/)"
)
CLOCK = re.compile(r"\b(system_clock|steady_clock|high_resolution_clock)\b|\btime\(\s*(nullptr|0|NULL)\s*\)|\bgetenv\b")


def folder_of(path):
    parts = path.split("/")
    if parts[0] == "policy":
        return "policy"
    if parts[0] == "webhook":
        return parts[1] if len(parts) > 2 else "main"
    return None


def problems_of_file(name, text):
    problems = []
    here = folder_of(name)
    for number, line in enumerate(text.splitlines(), 1):
        where = f"{name}:{number}"
        ours = re.match(r'#include "([^"]+)"', line)
        if ours:
            there = folder_of(ours.group(1))
            if there is None or there not in LEVEL:
                problems.append(f"{where}: {ours.group(1)} is in no known folder")
            elif there != here and LEVEL[there] >= LEVEL[here]:
                problems.append(f"{where}: {here} must not include {there}")
        if here == "policy" and POLICY_FORBIDDEN.match(line):
            problems.append(f"{where}: policy/ is pure: {line.strip()}")
        if here == "policy" and "<simdjson.h>" in line and name != "policy/json.h":
            problems.append(f"{where}: the parser is reached through policy/json.h alone")
        if here == "policy" and CLOCK.search(line):
            problems.append(f"{where}: policy/ has no clock and no environment: {line.strip()}")
    return problems


def problems_of_tree(root):
    problems = []
    for path in sorted([*root.glob("policy/**/*.[hc]*"), *root.glob("webhook/**/*.[hc]*")]):
        if path.suffix not in (".h", ".cc"):
            continue
        name = path.relative_to(root).as_posix()
        folder = folder_of(name)
        if folder not in LEVEL:
            problems.append(f"{name}: the folder {folder} has no place in the layers")
            continue
        problems += problems_of_file(name, path.read_text())
    return problems


def self_test():
    planted = {
        "policy/a.cc": '#include <thread>\n',
        "policy/b.cc": '#include "webhook/net/server.h"\n',
        "policy/c.cc": 'auto now = std::chrono::system_clock::now();\n',
        "policy/d.cc": '#include <simdjson.h>\n',
        "webhook/net/e.cc": '#include "webhook/documents/document.h"\n',
        "webhook/telemetry/f.cc": '#include "webhook/net/server.h"\n',
        "webhook/odd/g.cc": '\n',
    }
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        for name, text in planted.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        found = problems_of_tree(root)
    missed = [name for name in planted if not any(problem.startswith(name) for problem in found)]
    return [f"self-test: nothing was said of {name}" for name in missed]


def main():
    problems = self_test() if sys.argv[1] == "--self-test" else problems_of_tree(Path(sys.argv[1]))
    print("\n".join(problems) if problems else "layering: clean")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
