#!/usr/bin/env python3
"""Every file, row and unit test that docs/security.md names is there, and every threat and mitigation has its line.

  security_page.py ROOT
  security_page.py --self-test
"""

import re
import sys
import tempfile
from pathlib import Path

PAGE = "docs/security.md"
WANTED = [f"T{number}" for number in range(1, 19)] + [f"M{number}" for number in range(1, 11)]

# `tests/x.py`, perhaps with its rows (numbers), then texts in quotes that stand in it.
FILE = re.compile(r"`((?:tests|manifests|policy|webhook)/[\w./-]+)`((?: rows? \d+(?:, \d+)*)?)((?:,?\s+\"[^\"]+\")*)((?:, rows? \d+(?:, \d+)*)?)")
UNIT = re.compile(r"`(\w+)_tests: (\w+)\.(\w+)`")


def problems_of_file(root, match):
    name, rows, texts, more = match.groups()
    path = root / name
    if not path.exists():
        yield f"{name} does not exist"
        return
    said = path.read_text(errors="replace") if path.is_file() else ""
    for number in re.findall(r"\d+", rows + more):
        if not re.search(rf'(?:^\s*|\(){number},\s*f?"', said, re.MULTILINE):
            yield f"{name} has no row {number}"
    for text in re.findall(r'"([^"]+)"', texts):
        if text not in said:
            yield f'{name} says nowhere "{text}"'


def problems_of_unit(root, match):
    program, suite, name = match.groups()
    folder = root / "tests/unit" / ("policy" if program == "policy" else f"webhook/{program}")
    test = re.compile(rf"\bTEST(?:_F|_P)?\(\s*{suite},\s*{name}\)")
    if not any(test.search(path.read_text()) for path in folder.glob("*.cc")):
        yield f"{folder.relative_to(root)} has no test {suite}.{name}"


def problems_of(root):
    page = (root / PAGE).read_text()
    found = list(FILE.finditer(page)), list(UNIT.finditer(page))
    if not all(found):
        yield f"{PAGE}: no file or no unit test is named in it"
    for matches, problems in zip(found, (problems_of_file, problems_of_unit)):
        for match in matches:
            line = page.count("\n", 0, match.start()) + 1
            for problem in problems(root, match):
                yield f"{PAGE}:{line}: {problem}"
    for wanted in WANTED:
        lines = re.findall(rf"^\| {wanted} \|.*$", page, re.MULTILINE)
        if len(lines) != 1:
            yield f"{PAGE}: {len(lines)} lines about {wanted}"
    # What is written in another way than above would go unchecked.
    named = sum(len(re.findall(pattern, page)) for pattern in (r"`tests/[\w./-]+`", r"`\w+_tests: "))
    seen = sum(match.group(1).startswith("tests/") for match in found[0]) + len(found[1])
    if named != seen:
        yield f"{PAGE}: {named - seen} tests are named in a way that nobody can check"


GOOD = '`tests/a.py` rows 1, 2, "a row", "b row"; `tests/a.py` "a row", row 2; `net_tests: Suite.Name`\n'
TABLE = "".join(f"| {wanted} | text |\n" for wanted in WANTED)
PLANTED = {  # page -> what is said of it
    GOOD + TABLE: [],
    GOOD + TABLE.replace("| M3 |", "| |"): ["0 lines about M3"],
    GOOD + TABLE + "`tests/gone.py`": ["tests/gone.py does not exist"],
    GOOD + TABLE + "`tests/a.py` row 3": ["has no row 3"],
    GOOD + TABLE + '`tests/a.py`\n"c row"': ['says nowhere "c row"'],
    GOOD + TABLE + '`tests/a.py` "a row", row 7': ["has no row 7"],
    GOOD + TABLE + "`net_tests: Suite.Other`": ["has no test Suite.Other"],
    GOOD + TABLE + "`scan_tests: Suite.Name`": ["has no test Suite.Name"],
    GOOD + TABLE + "`net_tests: Suite`": ["1 tests are named in a way"],
    TABLE: ["no file or no unit test"],
}


def self_test():
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        for name, text in (("tests/a.py", '    (1, "a row"),\n(2, "b row"),\n'), ("tests/unit/webhook/net/a_test.cc", "TEST_F(Suite, Name) {}\n")):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        (root / "docs").mkdir()
        for page, wanted in PLANTED.items():
            (root / PAGE).write_text(page)
            said = list(problems_of(root))
            if len(said) != len(wanted) or any(one not in "\n".join(said) for one in wanted):
                yield f"self-test: {said} instead of {wanted}"


def main():
    problems = list(self_test()) if sys.argv[1] == "--self-test" else list(problems_of(Path(sys.argv[1])))
    print("\n".join(problems) if problems else "security page: clean")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
