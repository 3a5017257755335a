#!/usr/bin/env python3
"""Finds what must not stand in a statement with co_await: lambdas, braces with members, and ?:.

Compilers have miscompiled each of the three; a named local before the statement avoids them all.

  coroutine_statements.py ROOT
  coroutine_statements.py --self-test
"""

import re
import sys
from pathlib import Path

AWAIT = re.compile(r"\bco_await\b")
LAMBDA = re.compile(r"(?<![\w\])\[])\[(?!\[)[^\[\]]*\]\s*(?:\(|\{|mutable\b)")
FILLED_BRACES = re.compile(r"\{\s*[^\s}]")
CONDITION = re.compile(r"\b(?:if|while|switch|for)\s*(?:constexpr\s*)?$")
BLOCK_HEAD = re.compile(r"(?:[;{})]|\b(?:else|try|do|const|noexcept))\s*$|^\s*$")
COMMENT_OR_LITERAL = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<tag>[^(\s]*)\(.*?\)(?P=tag)"|"(?:\\.|[^"\\\n])*"|'
    r"(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'", re.DOTALL)
OPENING = {")": "(", "}": "{", "]": "["}


def bare_code(text):
    """The text with comments blanked and literals emptied; line numbers stay as they are."""
    def blank(match):
        token = match.group(0)
        return ("" if token.startswith("/") else '""') + "\n" * token.count("\n")
    return COMMENT_OR_LITERAL.sub(blank, text)


def matching_opening(code, closing):
    depth = 0
    for at in range(closing, -1, -1):
        if code[at] in OPENING:
            depth += 1
        elif code[at] in "([{":
            depth -= 1
            if depth == 0:
                return at
    return 0


def start_of(code, at):
    """Start of the statement, or of the condition, that holds the co_await at `at`."""
    at -= 1
    while at >= 0:
        char = code[at]
        if char == ";":
            return at + 1
        if char in ")]":
            at = matching_opening(code, at)
        elif char == "}":
            opening = matching_opening(code, at)
            if BLOCK_HEAD.search(code[:opening]):
                return at + 1
            at = opening
        elif char == "{" and BLOCK_HEAD.search(code[:at]):
            return at + 1
        elif char == "(" and CONDITION.search(code[:at]):
            return at + 1
        at -= 1
    return 0


def end_of(code, start, at):
    depth = 0
    for position in range(start, len(code)):
        char = code[position]
        if char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
            if depth < 0:
                return position
        elif char == ";" and depth <= 0 and position > at:
            return position
    return len(code)


def problems_of(name, text):
    code = bare_code(text)
    problems = []
    for match in AWAIT.finditer(code):
        start = start_of(code, match.start())
        statement = code[start:end_of(code, start, match.start())]
        where = f"{name}:{code.count(chr(10), 0, match.start()) + 1}"
        if LAMBDA.search(statement):
            problems.append(f"{where}: a lambda in a statement with co_await; name it first")
        if FILLED_BRACES.search(statement):
            problems.append(f"{where}: braces with members in a statement with co_await; name the value first")
        if "?" in statement:
            problems.append(f"{where}: ?: in a statement with co_await; decide first")
    return problems


def problems_of_tree(root):
    problems, awaits = [], 0
    for path in sorted([*root.glob("webhook/**/*.h"), *root.glob("webhook/**/*.cc"), *root.glob("tests/**/*.cc")]):
        text = path.read_text()
        awaits += len(AWAIT.findall(text))
        problems += problems_of(path.relative_to(root).as_posix(), text)
    if not awaits:
        problems.append("not one co_await was found: is this the right directory?")
    return problems


FORBIDDEN = [
    ("lambda", "void f() { co_await g([&a](int) { return a; }); }"),
    ("lambda", "void f() { auto x = h([a] { return a; }, co_await g()); }"),
    ("braces", "void f() { co_await g(Point{1, 2}); }"),
    ("braces", "void f() { h(Point{1, 2}, co_await g()); }"),
    ("?:", "void f() { auto x = a ? co_await g() : 0; }"),
    ("?:", "void f() { if (co_await g(a ? 1 : 2)) { h(); } }"),
]
FINE = [
    "void f() { auto l = [a] { return a; }; co_await g(l); }",
    "void f() { Point p{1, 2}; co_await g(p); }",
    "void f() { auto [n, e] = co_await g(buffers[0], Token{}); if (e) { return; } }",
    "void f() { if (co_await g()) { h(Point{1, 2}); } }",
    "void f() { while (a) { co_await g(); } auto x = b ? 1 : 2; }",
    "void f() { if (b) { x = c ? 1 : 2; } else { co_await g(); } }",
    "void f() { co_await g(\"a ? [b] { return 1; }\"); }  // co_await x ? y : z",
]


def self_test():
    problems = []
    for what, code in FORBIDDEN:
        if not any(what in problem for problem in problems_of("a.cc", code)):
            problems.append(f"self-test: {what} was not seen in: {code}")
    for code in FINE:
        problems += [f"self-test: {problem}: {code}" for problem in problems_of("a.cc", code)]
    return problems


def main():
    problems = self_test() if sys.argv[1] == "--self-test" else problems_of_tree(Path(sys.argv[1]))
    print("\n".join(problems) if problems else "coroutine statements: clean")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
