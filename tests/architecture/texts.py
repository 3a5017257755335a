#!/usr/bin/env python3
"""What people read holds together: links lead somewhere, nothing is left unfinished, no test is switched off.

  texts.py ROOT
  texts.py --self-test
"""

import re
import sys
import tempfile
from pathlib import Path

SUFFIXES = {".h", ".cc", ".py", ".sh", ".md", ".txt", ".yaml", ".yml", ".cmake", ".json", ""}
NOT_OURS = {"build", ".git", ".cache", "corpus", "__pycache__", "shared"}

LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)")
# (suffixes, pattern, what it is); the words are put together so that this file passes its own check.
RULES = [
    (SUFFIXES - {".py"}, re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b"), "an open end belongs into an issue"),
    (SUFFIXES, re.compile(r"(?<![\w.$}])/(?:work|home|root(?!/\.(?:npm|cache|m2))|Users)/[\w.]"), "a path of one machine only"),
    ({".cc"}, re.compile(r"\bDIS" r"ABLED_\w+"), "a test that is switched off: repair it or remove it"),
    ({".cc"}, re.compile(r"\bGTEST_SK" r"IP\(\)\s*;"), "a skipped test prints its reason"),
]


def texts(root):
    for path in sorted(root.rglob("*")):
        if NOT_OURS.isdisjoint(path.relative_to(root).parts[:-1]) and path.suffix in SUFFIXES and path.is_file():
            yield path


def problems_of(root, path):
    text = path.read_text(errors="replace")
    name = path.relative_to(root).as_posix()
    for suffixes, pattern, what in RULES:
        if path.suffix in suffixes:
            for match in pattern.finditer(text):
                yield f"{name}:{text.count(chr(10), 0, match.start()) + 1}: {what}: {match.group(0)}"
    if path.suffix == ".md":
        for match in LINK.finditer(text):
            target = match.group(1)
            if "://" not in target and not target.startswith("mailto:") and not (path.parent / target).exists():
                yield f"{name}:{text.count(chr(10), 0, match.start()) + 1}: the link to {target} leads nowhere"


def problems_of_tree(root):
    found = list(texts(root))
    if not found:
        return [f"no texts in {root}"]
    return [problem for path in found for problem in problems_of(root, path)]


def self_test():
    planted = {
        "a.md": "[x](docs/none.md)\n",
        "b.sh": "# TO" "DO: write\n",
        "c.yaml": "path: /ho" "me/me/file\n",
        "d.cc": "TEST(A, DIS" "ABLED_B) {}\n",
        "e.cc": "GTEST_SK" "IP();\n",
    }
    fine = {
        "f.md": "[x](https://example.com/none.md) [y](f.md#part) tests/work/file\n",
        "g.cc": 'GTEST_SK' 'IP() << "no IPv6 here";\n',
    }
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        for name, text in {**planted, **fine}.items():
            (root / name).write_text(text)
        problems = problems_of_tree(root)
        with_nothing = tempfile.TemporaryDirectory(dir=directory)
        empty = problems_of_tree(Path(with_nothing.name))
    missed = [name for name in planted if not any(problem.startswith(name) for problem in problems)]
    wrong = [problem for problem in problems if problem.split(":")[0] in fine]
    if not empty:
        missed.append("an empty tree")
    return [f"self-test: nothing was said of {name}" for name in missed] + [f"self-test: {line}" for line in wrong]


def main():
    problems = self_test() if sys.argv[1] == "--self-test" else problems_of_tree(Path(sys.argv[1]))
    print("\n".join(problems) if problems else "texts: clean")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
