#!/usr/bin/env python3
"""`helm lint` says nothing about the chart, the package renders as the directory does, and NOTES.txt says what a newcomer has to know."""
import json
import re
import tempfile

from chart import CHART, HELMS, KUBERNETES, OWN, documents_of, helm, main, render, side_by_side

PROFILES = ("audit", "enforce", "strict", "ha")
JOINED = [[], *([profile] for profile in PROFILES), ["enforce", "ha"], ["strict", "ha"]]
SILENT = f"exit 0: ==> Linting {CHART} / 1 chart(s) linted, 0 chart(s) failed"
CLOSED = {"failClosed": {"namespaces": ["till", "bank"]}}
DECK = {"policies": {"documents": {"deck": {"rules": {"image-tag": {"action": "enforce"}}}}}}

# values, namespace, what is said, what is not
NOTES = [
    ({}, OWN, ["Mode audit: everything is admitted", "the built-in one is in force", "kubectl explain hygienepolicy.spec",
               "everything is admitted (failurePolicy Ignore)", f"helm test plimsoll -n {OWN} --logs",
               "kubectl delete validatingwebhookconfiguration plimsoll\n", "An uninstall leaves the CustomResourceDefinitions"],
     ["WARNING", "EMERGENCY"]),
    ({"mode": "warn"}, OWN, ["Mode warn: everything is admitted, and users are told"], ["Mode audit", "WARNING"]),
    ({"mode": "enforce", **DECK}, OWN, ["Mode enforce: what a policy with action enforce finds is refused",
                                        "policies of this release (deck)"],
     ["the built-in one"]),
    ({"emergency": {"disabled": True}}, OWN, ["EMERGENCY: emergency.disabled is true, nothing is judged"], ["Mode audit"]),
    (CLOSED, OWN, ["While plimsoll cannot be asked, nothing is admitted in: till, bank."],
     ["everything is admitted (failurePolicy", "WARNING"]),
    ({**CLOSED, "cleanup": {"enabled": False}}, OWN,
     ["WARNING: cleanup.enabled is false: before an uninstall, delete the webhook configuration"], []),
    ({"server": {"replicas": 1}}, OWN, ["WARNING: with one replica there are moments in which nothing is judged"], []),
    ({"crds": {"keep": False}}, OWN, [], ["An uninstall leaves"]),
    ({"policies": {"source": "files"}}, OWN, ["the built-in one is in force"], ["kubectl explain"]),
    ({"fullnameOverride": "keel"}, OWN, ["kubectl delete validatingwebhookconfiguration keel\n", "logs deploy/keel "], []),
    ({}, "default", ["WARNING: nothing is judged in plimsoll's own namespace, which is default now"], []),
]


def chart_version():
    return re.search(r"(?m)^version: (\S+)$", (CHART / "Chart.yaml").read_text()).group(1)


def linted(variable, profiles, *flags):
    files = [flag for profile in profiles for flag in ("-f", CHART / f"values-{profile}.yaml")]
    done = helm("lint", CHART, "--strict", "--kube-version", KUBERNETES, *files, *flags, variable=variable)
    return f"exit {done.returncode}: " + " / ".join(line for line in (done.stdout + done.stderr).splitlines() if line)


def plainly_linted(variable):
    """As a newcomer does it."""
    done = helm("lint", CHART, variable=variable)
    return f"exit {done.returncode}: " + " / ".join(line for line in (done.stdout + done.stderr).splitlines() if line)


def packaged(variable):
    """The package is whole: what it renders is what the directory does."""
    with tempfile.TemporaryDirectory(prefix="plimsoll-chart-") as scratch:
        done = helm("package", CHART, "--destination", scratch, variable=variable)
        archive = re.search(r"saved it to: (\S+)", done.stdout)
        if not archive:
            return done.stderr
        made = helm("template", "plimsoll", archive.group(1), "--namespace", OWN, "--kube-version", KUBERNETES, "-f",
                    CHART / "values-strict.yaml",
                    "-f", "-", variable=variable, values={}).stdout
    same = made == render({}, variable=variable, profiles=["strict"]).text
    return f"{archive.group(1).rpartition('/')[2]}, {'the same' if same else 'another text'}"


def upgraded():
    """`helm template` takes an upgrade for what an install is: nothing depends on which it is."""
    return "the same" if render({}, "--is-upgrade").text == render().text else "another text"


def announced():
    """What Chart.yaml tells a directory of charts: the images, and kind, version and name of each definition."""
    notes = documents_of()((CHART / "Chart.yaml").read_text())[0]["annotations"]
    told = [documents_of()(notes[f"artifacthub.io/{part}"])[0] for part in ("images", "crds")]
    return f"{sorted(one['image'] for one in told[0])} {sorted((one['kind'], one['version'], one['name']) for one in told[1])}"


def installed():
    images = {box["image"] for _, _, spec in render().pods() for box in spec["containers"]}
    kinds = [(one["spec"]["names"]["kind"], version["name"], one["metadata"]["name"]) for one in render().kinds("CustomResourceDefinition")
             for version in one["spec"]["versions"]]
    return f"{sorted(images)} {sorted(kinds)}"


def noted(values, namespace):
    done = helm("install", "plimsoll", CHART, "--namespace", namespace, "--dry-run=client", "-f", "-", values=values)
    return done.stdout.partition("\nNOTES:\n")[2] or f"no notes: {done.stderr}"


def said(text, there, absent):
    fine = all(one in text for one in there) and not any(one in text for one in absent) and "{{" not in text
    return "said, nothing else" if fine else text


def note_rows():
    texts = side_by_side(lambda one: noted(*one[:2]), NOTES)
    for number, ((values, namespace, there, absent), text) in enumerate(zip(NOTES, texts), 50):
        parts = " | ".join([*there, *(f"not {one}" for one in absent)])
        yield (number, f"notes, {json.dumps(values)} in {namespace}: {parts}", "said, nothing else",
               lambda text=text, there=there, absent=absent: said(text, there, absent))


def rows():
    number = 1
    for variable, name in HELMS.items():
        yield number, f"{name}, helm lint", SILENT, lambda variable=variable: plainly_linted(variable)
        for profiles in JOINED:
            number += 1
            yield (number, f"{name}, helm lint --strict, {' + '.join(profiles) or 'defaults'}", SILENT,
                   lambda variable=variable, profiles=profiles: linted(variable, profiles))
        yield (number + 1, f"{name}, helm lint of nonsense says so", "exit 1", lambda variable=variable: linted(
            variable, [], "--set", "mode=loud").partition(":")[0])
        yield (number + 2, f"{name}, helm package and what it renders", f"plimsoll-{chart_version()}.tgz, the same",
               lambda variable=variable: packaged(variable))
        number += 3
    yield number, "an upgrade renders what an install does", "the same", upgraded
    yield number + 1, "images and definitions that Chart.yaml announces are those that are rendered", installed(), announced
    yield from note_rows()


if __name__ == "__main__":
    main("helm lint, package and notes", lambda: list(rows()))
