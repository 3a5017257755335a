#!/usr/bin/env python3
"""The team's rules that no compiler knows.

  project_rules.py ROOT
  project_rules.py --self-test
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

MAX_LINES = 400
BAD_NAMES = re.compile(r"(^|_)(utils?|common|helpers?|manager|(?<!image_)base(?!_image))(_|\.|$)")

# (where it applies, what must not be there, why)
RULES = [
    (r"^webhook/.*", r"\[[&=]\]", "captures are named one by one"),
    (r"^(policy|webhook)/.*", r"\bdetached\b", "a detached coroutine swallows its exception"),
    (r"^(policy|webhook)/.*", r"<regex>|std::regex", "globs, or RE2 where a regex cannot be avoided"),
    (r"^(policy|webhook)/.*", r"\.at\(|\.get<", "throws on what a stranger sent"),
    (r"^(policy|webhook)/.*", r"\bgetInstance\b|\binstance\(\)", "no singletons"),
    (r"^(policy|webhook)/.*", r"\busing namespace\b", "names say where they come from"),
    (r"^(policy|webhook)/.*", r"#define\b", "no macros"),
    (r"^(policy|webhook|tests)/.*\.(h|cc)$", r"\b(TODO|FIXME|XXX)\b", "an open end belongs into an issue"),
]
# A statement with co_await names its arguments first.
AWAIT_LAMBDA = re.compile(r"co_await[^;]*\[[^\]]*\]\s*(\(|\{|mutable)")
AWAIT_CHOICE = re.compile(r"co_await[^;]*\?[^;]*:[^;]*;")
AWAIT_BRACES = re.compile(r"co_await[^;]*\{\s*\.")


def without_comments(text):
    return re.sub(r"//[^\n]*", "", text)


def statement_problems(name, text):
    problems = []
    code = without_comments(text)
    for pattern, what in ((AWAIT_LAMBDA, "a lambda"), (AWAIT_CHOICE, "?:"), (AWAIT_BRACES, "members in braces")):
        for match in pattern.finditer(code):
            if "::" in match.group(0) and what == "?:" and "?" not in match.group(0).replace("::", ""):
                continue
            line = code.count("\n", 0, match.start()) + 1
            problems.append(f"{name}:{line}: {what} in a statement with co_await; name it first")
    return problems


def header_problems(name, text):
    problems = []
    if not text.startswith("// "):
        problems.append(f"{name}:1: a header opens with a sentence that says what it is for")
    if "#pragma once" not in text:
        problems.append(f"{name}:1: #pragma once is missing")
    return problems


def file_problems(name, text):
    problems = []
    lines = text.splitlines()
    if len(lines) > MAX_LINES:
        problems.append(f"{name}: {len(lines)} lines; {MAX_LINES} are the most")
    if BAD_NAMES.search(Path(name).name):
        problems.append(f"{name}: a file is named by the thing that is in it")
    for where, pattern, why in RULES:
        if not re.match(where, name):
            continue
        for number, line in enumerate(lines, 1):
            if re.search(pattern, line.split("//")[0] if "TODO" not in pattern else line):
                problems.append(f"{name}:{number}: {why}: {line.strip()}")
    if name.endswith(".h"):
        problems += header_problems(name, text)
    return problems + statement_problems(name, text)


def sources(root):
    listed = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-co", "--exclude-standard", "*.h", "*.cc"],
        capture_output=True, text=True, check=False)
    if listed.returncode == 0 and listed.stdout:
        return [name for name in listed.stdout.split("\n") if name and (root / name).is_file()]
    return [path.relative_to(root).as_posix() for path in root.glob("**/*") if path.suffix in (".h", ".cc")]


def problems_of_tree(root):
    problems = []
    for name in sorted(sources(root)):
        problems += file_problems(name, (root / name).read_text())
    return problems


def self_test():
    header = "// Says what it is for.\n#pragma once\n"
    planted = {
        "webhook/a.cc": "auto f = [&] { go(); };\n",
        "webhook/b.cc": "co_spawn(io, run(), detached);\n",
        "policy/c.cc": "std::regex r;\n",
        "policy/d.cc": "auto v = json.at(0);\n",
        "policy/e.cc": "using namespace std;\n",
        "policy/f.cc": "// TODO later\n",
        "policy/g.h": "#pragma once\n",
        "policy/h.h": "// No guard.\n",
        "policy/string_utils.h": header,
        "policy/long.cc": "\n" * (MAX_LINES + 1),
        "webhook/i.cc": "co_await run([x] { return x; });\n",
        "webhook/j.cc": "co_await run(x ? a : b);\n",
        "webhook/k.cc": "co_await run(Options{.a = 1});\n",
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
    print("\n".join(problems) if problems else "project rules: clean")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
