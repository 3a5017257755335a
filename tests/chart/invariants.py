"""What holds in every value set: each check looks at all of them, and has to find the fault that is planted for it."""
import copy

from chart import name_of, side_by_side
from value_sets import SETS, rendered


class Spoilt:
    """A copy of a rendering's objects, to plant a fault in."""

    def __init__(self, rendering):
        self.text = rendering.text
        self.objects = copy.deepcopy(rendering.objects)

    kinds, one, pods = (getattr(type(rendered("default")), name) for name in ("kinds", "one", "pods"))


class Check:
    """`look(rendering, name of the value set)` yields (what was looked at, "" or what is wrong with it)."""

    def __init__(self, number, what, look, spoil, planted_in="default", sets=None):
        self.number, self.what, self.look, self.spoil = number, what, look, spoil
        self.planted_in, self.sets = planted_in, sets or list(SETS)

    def holds(self):
        """Of each value set something has to be looked at."""
        wrong = []
        for name in self.sets:
            found = list(self.look(rendered(name), name))
            wrong += [f"{name}: nothing to look at"] if not found else [f"{name}: {one}: {fault}" for one, fault in found if fault]
        return f"in {len(self.sets)} value sets" if not wrong else "\n            ".join(wrong[:12])

    def finds(self):
        spoilt = Spoilt(rendered(self.planted_in))
        self.spoil(spoilt)
        return "found" if any(fault for _, fault in self.look(spoilt, self.planted_in)) else "not found"

    def rows(self):
        yield self.number, self.what, f"in {len(self.sets)} value sets", self.holds
        yield self.number + 0.5, f"{self.what}: a planted fault", "found", self.finds


def first(rendering, kind):
    return rendering.kinds(kind)[0]


def all_but(*names):
    return [name for name in SETS if name not in names]


def missing(found, wanted):
    """"" where both are the same."""
    lacks, more = sorted(set(wanted) - set(found)), sorted(set(found) - set(wanted))
    return "; ".join(text for text in (f"lacks {lacks}" if lacks else "", f"has {more}" if more else "") if text)


def selects(selector, labels):
    """A label selector as Kubernetes reads it."""
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    for one in selector.get("matchExpressions") or []:
        there, values = one["key"] in labels, one.get("values") or []
        holds = {"In": there and labels.get(one["key"]) in values, "NotIn": labels.get(one["key"]) not in values,
                 "Exists": there, "DoesNotExist": not there}[one["operator"]]
        if not holds:
            return False
    return True


def prepare():
    """Renders every set, two at a time."""
    side_by_side(rendered, list(SETS))


__all__ = ["Check", "all_but", "first", "missing", "name_of", "prepare", "selects"]
