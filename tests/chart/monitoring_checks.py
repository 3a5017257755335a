"""Alerts and the dashboard: figures that the program has, runbooks that are written, custom kinds with what their definitions ask for."""
import json
import re

from chart import ROOT, at, name_of
from invariants import Check, first

WATCHED = ["watched", "asking", "everything"]
FORMS = ("_bucket", "_sum", "_count")
HISTOGRAMS = {"plimsoll_review_duration_seconds"}
OF_API_SERVER = {"apiserver_admission_webhook_fail_open_count", "apiserver_admission_webhook_rejection_count"}
SEVERITIES = {"critical", "warning"}


def sources():
    return "\n".join(path.read_text() for path in sorted((ROOT / "webhook").rglob("*.cc")))


def figures():
    """What may be asked for: every text in quotes of the program is a name without its beginning, or with it."""
    quoted = set(re.findall(r'"([a-z][a-z0-9_]+)"', sources()))
    return {name if name.startswith("plimsoll_") else f"plimsoll_{name}" for name in quoted}


def unknown_figures(expression):
    names = set(re.findall(r"\b(?:plimsoll|apiserver)_[a-z0-9_]+", re.sub(r'"[^"]*"', '""', expression)))
    known = figures() | OF_API_SERVER | {name + form for name in HISTOGRAMS for form in FORMS}
    return sorted(names - known) or ("" if names else "none is asked for")


def balanced(expression):
    ends, open_ones = {")": "(", "]": "[", "}": "{"}, []
    for letter in re.sub(r'"(?:[^"\\]|\\.)*"', "", expression):
        if letter in "([{":
            open_ones.append(letter)
        elif letter in ends and (not open_ones or open_ones.pop() != ends[letter]):
            return False
    return not open_ones


def anchors():
    """Headings of docs/operations.md as links name them."""
    text = (ROOT / "docs" / "operations.md").read_text()
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in re.findall(r"(?m)^#+ (.+)$", text)}


def alerts_of(rendering):
    return [rule for one in rendering.kinds("PrometheusRule") for group in one["spec"]["groups"] for rule in group["rules"]]


def alerts(rendering, _):
    for one in alerts_of(rendering):
        faults = [unknown_figures(one["expr"]), "" if balanced(one["expr"]) else "brackets",
                  "" if re.fullmatch(r"\d+m", one["for"]) else one["for"],
                  "" if one["labels"]["severity"] in SEVERITIES else "severity", "" if one["annotations"]["summary"] else "no summary",
                  "a template is left over" if "{{" in json.dumps(one) else ""]
        yield one["alert"], " ".join(map(str, filter(None, faults)))


def runbooks(rendering, _):
    for one in alerts_of(rendering):
        anchor = one["annotations"]["runbook_url"].rpartition("#")[2].rpartition("/")[2]
        yield one["alert"], "" if anchor in anchors() else f"docs/operations.md has no heading {one['alert']}"


def in_its_namespace(rendering, _):
    """Figures of plimsoll are those of this release."""
    for one in alerts_of(rendering):
        ours = re.findall(r"plimsoll_[a-z0-9_]+(\{[^}]*\})?", re.sub(r'"[^"]*"', lambda found: found.group(0).replace("plimsoll", "p"),
                                                                     one["expr"]))
        yield one["alert"], "" if all("namespace=" in part for part in ours) else one["expr"]


def dashboards(rendering):
    return [json.loads(one["data"]["plimsoll.json"]) for one in rendering.kinds("ConfigMap")
            if one["metadata"]["name"].endswith("-dashboard")]


def dashboard(rendering, _):
    for one in dashboards(rendering):
        panels = [panel for outer in one["panels"] for panel in [outer, *outer.get("panels", [])]]
        ids = [panel["id"] for panel in panels]
        yield "panels", "" if len(ids) == len(set(ids)) and one["uid"] and len(panels) > 10 else f"ids {ids}"
        for panel in panels:
            if panel["type"] != "row":
                asked = [target["expr"] for target in panel["targets"]]
                faults = [str(unknown_figures(expression)) for expression in asked if unknown_figures(expression)]
                faults += [expression for expression in asked if not balanced(expression)]
                source = "" if at(panel, "datasource uid") == "${datasource}" else "another data source"
                yield panel["title"], " ".join([*faults, source, "" if asked else "asks nothing"]).strip()
        for variable in one["templating"]["list"]:
            if variable["type"] == "query":
                yield variable["name"], unknown_figures(variable["query"])


def overlapping(rendering, _):
    """No panel lies on another one, none sticks out."""
    for one in dashboards(rendering):
        taken = {}
        for panel in one["panels"]:
            place = panel["gridPos"]
            cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
            others = {taken[cell] for cell in cells if cell in taken}
            yield panel["title"], f"on {others}" if others else "sticks out" if place["x"] + place["w"] > 24 else ""
            taken.update(dict.fromkeys(cells, panel["title"]))


# kind -> paths that have to be there, (path, type)
NEEDED = {
    "ServiceMonitor": [("spec selector matchLabels", dict), ("spec endpoints 0 port", str), ("spec endpoints 0 path", str),
                       ("spec endpoints 0 interval", str)],
    "PodMonitor": [("spec selector matchLabels", dict), ("spec podMetricsEndpoints 0 port", str), ("spec podMetricsEndpoints 0 path", str)],
    "PrometheusRule": [("spec groups 0 name", str), ("spec groups 0 rules 0 alert", str), ("spec groups 0 rules 0 expr", str)],
    "Certificate": [("spec secretName", str), ("spec issuerRef name", str), ("spec issuerRef kind", str),
                    ("spec privateKey algorithm", str), ("spec usages 0", str)],
    "Issuer": [],
    "GrafanaDashboard": [("spec configMapRef name", str), ("spec configMapRef key", str), ("spec instanceSelector", dict)],
}
VERSIONS = {"ServiceMonitor": "monitoring.coreos.com/v1", "PodMonitor": "monitoring.coreos.com/v1",
            "PrometheusRule": "monitoring.coreos.com/v1",
            "Certificate": "cert-manager.io/v1", "Issuer": "cert-manager.io/v1",
            "GrafanaDashboard": "grafana.integreatly.org/v1beta1"}
ALLOWED = {"ServiceMonitor": {"selector", "endpoints"}, "PodMonitor": {"selector", "podMetricsEndpoints"}, "PrometheusRule": {"groups"},
           "Certificate": {"secretName", "dnsNames", "privateKey", "usages", "issuerRef", "isCA", "commonName", "duration", "renewBefore"},
           "Issuer": {"selfSigned", "ca"},
           "GrafanaDashboard": {"configMapRef", "instanceSelector", "allowCrossNamespaceImport"}}


def custom_kinds(rendering, _):
    for one in rendering.kinds(*NEEDED):
        kind = one["kind"]
        lacks = [path for path, wanted in NEEDED[kind] if not isinstance(at(one, path), wanted)]
        more = set(one["spec"]) - ALLOWED[kind]
        yield name_of(one), "" if not lacks and not more and one["apiVersion"] == VERSIONS[kind] else f"{lacks} {more} {one['apiVersion']}"


def certificate(rendering, _):
    """For the name that the API server asks, in the Secret that the pods mount, of an authority that stays when it is renewed."""
    spec, service = rendering.one("Certificate/plimsoll")["spec"], first(rendering, "ValidatingWebhookConfiguration")["webhooks"][0]["clientConfig"]["service"]
    mounted = at(rendering.one("Deployment/plimsoll"), "spec template spec volumes 0 secret secretName")
    fine = spec["dnsNames"] == [f"{service['name']}.{service['namespace']}.svc"] and spec["secretName"] == mounted
    yield "the certificate", "" if fine and spec["privateKey"].get("rotationPolicy") == "Always" and "server auth" in spec["usages"] else str(spec)
    issuer = rendering.one(f"{spec['issuerRef']['kind']}/{spec['issuerRef']['name']}")["spec"]
    signing = [one["spec"] for one in rendering.kinds("Certificate") if one["spec"]["secretName"] == issuer.get("ca", {}).get("secretName")]
    fine = len(signing) == 1 and signing[0].get("isCA") and "selfSigned" in rendering.one(f"Issuer/{signing[0]['issuerRef']['name']}")["spec"]
    yield "its authority", "" if fine else f"{issuer} {signing}"


def misspell(rendering):
    alerts_of(rendering)[0]["expr"] = "absent(plimsoll_sertificate_days_left)"


def unwritten(rendering):
    alerts_of(rendering)[0]["annotations"]["runbook_url"] = "https://plimsoll.dev/docs/operations.md#nowhere"


def elsewhere(rendering):
    alerts_of(rendering)[0]["expr"] = "absent(plimsoll_certificate_days_left)"


def in_dashboard(change):
    def spoil(rendering):
        config = next(one for one in rendering.kinds("ConfigMap") if one["metadata"]["name"].endswith("-dashboard"))
        made = json.loads(config["data"]["plimsoll.json"])
        change(made["panels"])
        config["data"]["plimsoll.json"] = json.dumps(made)
    return spoil


CHECKS = [
    Check(90, "alerts ask for figures that there are, and say how bad it is", alerts, misspell, "watched", WATCHED),
    Check(91, "each alert has its runbook, a heading of docs/operations.md", runbooks, unwritten, "watched", WATCHED),
    Check(92, "alerts look at this release alone", in_its_namespace, elsewhere, "watched", WATCHED),
    Check(93, "the dashboard asks for figures that there are", dashboard, in_dashboard(lambda panels: panels[1]["targets"][0].update(
        expr="sum(plimsoll_revues_total)")), "watched", WATCHED),
    Check(94, "its panels lie beside each other", overlapping,
          in_dashboard(lambda panels: panels[2]["gridPos"].update(panels[1]["gridPos"])),
          "watched", WATCHED),
    Check(95, "monitors and rules are what the Prometheus operator asks for", custom_kinds, lambda rendering: first(
        rendering, "ServiceMonitor")["spec"].pop("endpoints"), "watched", [*WATCHED, "pod monitor"]),
    Check(96, "certificates and issuers are what cert-manager asks for", custom_kinds, lambda rendering: first(
        rendering, "Certificate")["spec"].pop("secretName"), "cert-manager", ["cert-manager"]),
    Check(97, "the certificate of cert-manager is for the Service, in the Secret that is mounted", certificate, lambda rendering: rendering.one(
        "Certificate/plimsoll")["spec"].update(dnsNames=["plimsoll.default.svc."]), "cert-manager", ["cert-manager"]),
    Check(98, "the certificate of cert-manager does not sign itself", certificate, lambda rendering: rendering.one(
        "Certificate/plimsoll")["spec"]["issuerRef"].update(name="plimsoll-self-signed"), "cert-manager", ["cert-manager"]),
]
