#!/usr/bin/env python3
"""Each value of the chart shows where it should, and Helm 3 renders the same text as Helm 4."""
import difflib
import json

from chart import at, leaves, main, merged, nested, render, values_of_chart
from effects import APART, CHOICES, EFFECTS, GONE, THERE, UNUSED, everything
from value_sets import SETS, rendered

LEAVES = {value.path: (keys, value) for keys, value in leaves(values_of_chart())}
KEYS = {path: keys for path, (keys, _) in LEAVES.items()}


def sight(rendering, place, path):
    """What stands there: for an object as a whole THERE or GONE."""
    one = rendering.one(place)
    if not path:
        return THERE if one else GONE
    return at(one, path.removesuffix("+"))


def shows(rendering, place, path, expected):
    seen = sight(rendering, place, path)
    return expected in (seen or ()) if path.endswith("+") else seen == expected and (type(seen) is type(expected))


def said(place, path, expected):
    return f"{place} {path}: {json.dumps(expected)}" if path else f"{place} is {expected}"


def shown(path):
    """The places that have the value; with a value of the default kind none of them may have had it."""
    value, sights, given = EFFECTS[path]
    before, after = render(given), render(merged(given, nested(KEYS[path], value)))
    if sights == UNUSED:
        return "no effect" if before.text == after.text else "an effect"
    seen = []
    for place, where, expected in sights:
        if not shows(after, place, where, expected):
            seen.append(f"{said(place, where, sight(after, place, where))} instead of {json.dumps(expected)}")
        elif shows(before, place, where, expected) and expected != THERE:
            seen.append(f"{said(place, where, expected)}, without it too")
        else:
            seen.append(said(place, where, expected))
    return "; ".join(seen) + ("" if before.text != after.text else "; nothing changed")


def wanted(path):
    sights = EFFECTS[path][1]
    return "no effect" if sights == UNUSED else "; ".join(said(*one) for one in sights)


def effect_rows():
    missing = [path for path in LEAVES if path not in EFFECTS]
    stale = [path for path in EFFECTS if path not in LEAVES]
    yield 1, "values without a line in effects.py; lines about values that are none", "[] []", lambda: f"{missing} {stale}"
    for number, path in enumerate((path for path in LEAVES if path in EFFECTS), 100):
        yield number, f"{path}: {json.dumps(EFFECTS[path][0])}", wanted(path), lambda path=path: shown(path)


def choice_rows():
    """Every other choice of an enumerated value, every other state of a switch."""
    number = 300
    for path, (keys, value) in LEAVES.items():
        choices = value.extra.get("enum", [True, False] if value.text in ("true", "false") else [])
        for choice in choices:
            if json.dumps(choice).strip('"') != value.text.strip('"') and path != "enabled":
                values = merged(EFFECTS[path][2] if path in EFFECTS else {}, CHOICES.get((path, choice), {}))
                yield (number, f"{path}: {json.dumps(choice)}", "rendered, something changed",
                       lambda keys=keys, values=values, choice=choice: changed(values, merged(values, nested(keys, choice))))
                number += 1


def changed(before, after):
    old = {key: value for key, value in before.items() if key != "certificates"}  # a Secret's name without its mode is refused
    return f"rendered, {'nothing' if render(old).text == render(after).text else 'something'} changed"


def same(values, *flags, profiles=()):
    """What Helm 3 makes of it beside Helm 4."""
    one, other = (render(values, *flags, variable=variable, profiles=profiles).sorted_text() for variable in ("HELM", "HELM3"))
    return "the same" if one == other else "\n".join(list(difflib.unified_diff(one.splitlines(), other.splitlines(), lineterm=""))[:20])


def same_rows():
    together = [path for path in EFFECTS if path not in APART]
    yield 400, f"Helm 3 and Helm 4, {len(together)} values at once", "the same", lambda: same(everything(KEYS, together))
    for number, path in enumerate(sorted(APART), 401):
        yield number, f"Helm 3 and Helm 4, {path}", "the same", lambda path=path: same(everything(KEYS, [path]))
    for number, (name, (profiles, values)) in enumerate(SETS.items(), 440):
        yield (number, f"Helm 3 and Helm 4, value set {name}", "the same",
               lambda profiles=profiles, values=values: same(values, profiles=profiles))


def repeated(name):
    """Two runs of Helm: nothing in it depends on the run."""
    return "the same" if rendered(name).text == rendered(name, "--set", "enabled=true").text else "another text"


def rows():
    again = [(480 + number, f"rendered twice, value set {name}", "the same", lambda name=name: repeated(name))
             for number, name in enumerate(SETS)]
    return [*effect_rows(), *choice_rows(), *same_rows(), *again]


if __name__ == "__main__":
    main("every value has its effect", rows)
