"""Makes values.schema.json and README.md of the chart from values.yaml, whose comments are descriptions and lines "# @ {...}" add to the schema.

A key with a default that templates need may not be taken away by null, unless it is marked {"needed": false};
an array or an object may, unless it is marked {"needed": true}.
"""
import json
import pathlib
import re

DRAFT = "http://json-schema.org/draft-07/schema#"
KEY = re.compile(r"^( *)([A-Za-z0-9_./-]+):(?: (.*))?$")


class Wrong(Exception):
    """values.yaml has a line that is not as expected."""


class Value:
    """One key: its path, what stands behind it, what is said about it, and the keys below it."""

    def __init__(self, key, path, indent, text, description, extra):
        self.key, self.path, self.indent, self.text = key, path, indent, text
        self.needed = extra.pop("needed", None)
        self.description, self.extra, self.children = description, extra, []

    def schema(self):
        made = {"description": self.description} if self.description else {}
        if self.is_free():
            made["type"] = "object"  # free keys, with some of them set
        elif self.children:
            made.update(object_of(self.children))
        else:
            made["type"] = kind_of(self.text, self.path)
        return {**made, **self.extra}

    def is_free(self):
        return bool(self.children) and not isinstance(self.extra.get("additionalProperties", True), bool)

    def is_needed(self):
        """Something stands there that is neither an empty text nor an array nor an object of free keys."""
        if self.needed is not None:
            return self.needed
        if self.is_free():
            return False
        return bool(self.children) or (self.text != '""' and kind_of(self.text, self.path) not in ("array", "object"))

    def leaves(self):
        if not self.children:
            yield self
        for child in self.children:
            yield from child.leaves()


def object_of(values):
    needed = [value.key for value in values if value.is_needed()]
    return {"type": "object", "additionalProperties": False, **({"required": needed} if needed else {}),
            "properties": {value.key: value.schema() for value in values}}


def kind_of(text, path):
    if text in ("true", "false"):
        return "boolean"
    if re.fullmatch(r"-?\d+", text):
        return "integer"
    if text.startswith("["):
        return "array"
    if text.startswith("{"):
        return "object"
    if not text:
        raise Wrong(f"{path}: nothing stands behind it")
    return "string"


def read_values(text):
    """The keys of the top, with those below them."""
    root = Value("", "", -1, "", "", {})
    stack, comment, extra = [root], [], {}
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped:
            comment, extra = [], {}
        elif stripped.startswith("# @ "):
            extra.update(json.loads(stripped[4:]))
        elif stripped.startswith("#"):
            comment.append(stripped[1:].strip())
        else:
            found = KEY.match(line)
            if found is None:
                raise Wrong(f"values.yaml:{number}: {line!r} is no key with a value on one line")
            indent, key, behind = len(found.group(1)), found.group(2), found.group(3) or ""
            while stack[-1].indent >= indent:
                stack.pop()
            path = f"{stack[-1].path}.{key}".lstrip(".")
            value = Value(key, path, indent, behind, " ".join(comment), extra)
            stack[-1].children.append(value)
            stack.append(value)
            comment, extra = [], {}
    return root.children


def schema_text(values):
    schema = {"$schema": DRAFT, "title": "Values of the plimsoll chart", **object_of(values)}
    return json.dumps(schema, indent=1) + "\n"


def cell(text):
    return text.replace("|", "\\|")


def rows_of(value):
    """One for each leaf; what is said above a group is said once, before its first leaf."""
    described = f"{value.description}" if value.children else ""
    rows = [f"| **`{value.key}`** | | {cell(described)} |"] if value.children else []
    for leaf in value.leaves():
        allowed = leaf.extra.get("enum")
        what = leaf.description
        choices = f" One of {', '.join(f'`{choice}`' if choice else 'none' for choice in allowed)}." if allowed else ""
        rows.append(f"| `{leaf.path}` | `{cell(leaf.text)}` | {(cell(what) + choices).strip()} |")
    return rows


def page_text(values, template):
    rows = [row for value in values for row in rows_of(value)]
    table = "\n".join(["| value | default | meaning |", "|---|---|---|", *rows])
    return template.replace("<!-- values -->", table)


def pages(chart):
    """The files that are made: path -> text."""
    values = read_values((chart / "values.yaml").read_text())
    template = (pathlib.Path(__file__).parent / "README.template.md").read_text()
    return {chart / "values.schema.json": schema_text(values), chart / "README.md": page_text(values, template)}
