"""Services, budgets, monitors and network policies meet exactly the pods they are for, at ports that these have."""
import ipaddress

from chart import OWN, at, name_of
from invariants import Check, all_but, missing, selects
from value_sets import SETS

PARTS = ("serve", "controller", "cleanup", "verify")
NETWORKED = all_but("no network policy")


def part_of(one):
    return at(one, "metadata labels app.kubernetes.io/component")


def pods(rendering):
    """part -> labels of its pods."""
    return {part_of(one): metadata["labels"] for one, metadata, _ in rendering.pods()}


def met(rendering, selector):
    """The parts whose pods a selector meets."""
    return sorted(part for part, labels in pods(rendering).items() if selects(selector, labels))


def port_names(rendering, part):
    spec = next(spec for one, _, spec in rendering.pods() if part_of(one) == part)
    return {port["name"] for box in spec["containers"] for port in box.get("ports", [])}


def own_pods(rendering, _):
    """A Deployment's selector meets its own pods, and does not depend on the version."""
    for one in rendering.kinds("Deployment"):
        selector = one["spec"]["selector"]
        keys = {"app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/component"}
        yield name_of(one), missing(met(rendering, selector), [part_of(one)]) + missing(selector["matchLabels"], keys)


def services(rendering, _):
    for one in rendering.kinds("Service"):
        wanted = ["controller", "serve"] if one["metadata"]["name"].endswith("-metrics") else ["serve"]
        parts = met(rendering, {"matchLabels": one["spec"]["selector"]})
        lacks = [port["targetPort"] for port in one["spec"]["ports"] for part in parts
                 if port["targetPort"] not in port_names(rendering, part)]
        yield name_of(one), missing(parts, wanted) + (f" no port {lacks}" if lacks else "")


def budgets(rendering, name):
    """One for each Deployment of several replicas, which a drain of nodes is not stopped by."""
    wanted = {part_of(one): one["spec"]["replicas"] > 1 for one in rendering.kinds("Deployment")}
    found = {}
    for one in rendering.kinds("PodDisruptionBudget"):
        parts = met(rendering, one["spec"]["selector"])
        found[part_of(one)] = parts
        fine = parts == [part_of(one)] and "minAvailable" not in one["spec"] and one["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
        yield name_of(one), "" if fine else f"{parts} {one['spec']}"
    for part, needed in wanted.items():
        yield part, "" if needed == (part in found) else f"needed: {needed}, there: {part in found}"


def monitors(rendering, _):
    """A ServiceMonitor meets one Service, a PodMonitor the pods; both ports are there."""
    for one in rendering.kinds("ServiceMonitor"):
        found = [service for service in rendering.kinds("Service") if selects(one["spec"]["selector"], service["metadata"]["labels"])]
        names = {port["name"] for service in found for port in service["spec"]["ports"]}
        fine = [service["metadata"]["name"] for service in found] == ["plimsoll-metrics"] and one["spec"]["endpoints"][0]["port"] in names
        yield name_of(one), "" if fine else str([name_of(service) for service in found])
    for one in rendering.kinds("PodMonitor"):
        parts = met(rendering, one["spec"]["selector"])
        lacks = [part for part in parts if one["spec"]["podMetricsEndpoints"][0]["port"] not in port_names(rendering, part)]
        yield name_of(one), missing(parts, ["controller", "serve"]) + str(lacks or "")


def policies(rendering, _):
    """Each pod is under one policy, which is that of its part."""
    met_by = {name_of(one): met(rendering, one["spec"]["podSelector"]) for one in rendering.kinds("NetworkPolicy")}
    for part in pods(rendering):
        found = [name for name, parts in met_by.items() if part in parts]
        yield part, "" if len(found) == 1 and found[0].endswith(f"-{part}") and met_by[found[0]] == [part] else str(found)


def peers_meet(rendering, peers, labels, space=OWN):
    """Whether a pod in a namespace is among the peers; of addresses nothing is known."""
    names = {"kubernetes.io/metadata.name": space}
    return any(("namespaceSelector" in one and selects(one["namespaceSelector"], names) or "namespaceSelector" not in one and space == OWN)
               and selects(one.get("podSelector", {}), labels) for one in peers if "ipBlock" not in one)


def policy_of(rendering, part):
    return next(one for one in rendering.kinds("NetworkPolicy") if part_of(one) == part)["spec"]


def way_in(rendering, name):
    """The API server, wherever it is, and the test reach the reviews; monitoring reaches the metrics; nobody reaches what runs once."""
    peered = at(SETS[name][1], "networkPolicy apiServerPeers")
    reviews, metrics = policy_of(rendering, "serve")["ingress"]
    ports = [port["port"] for rule in (reviews, metrics) for port in rule["ports"]]
    yield "ports of serve", missing(ports, port_names(rendering, "serve"))
    senders = {str(one) for one in reviews.get("from", [])}
    yield "reviews", "" if bool(senders) == bool(peered) and {str(one) for one in peered or []} <= senders else str(reviews)
    if "verify" in pods(rendering):
        fine = "from" not in reviews or peers_meet(rendering, reviews["from"], pods(rendering)["verify"])
        yield "reviews of the test", "" if fine else str(reviews)
    for part in ("serve", "controller"):
        rule = policy_of(rendering, part)["ingress"][-1]
        open_to = peers_meet(rendering, rule["from"], {"app": "prometheus"}, "monitoring")
        yield f"metrics of {part}", "" if open_to == (not at(SETS[name][1], "networkPolicy metricsPeers")) else str(rule)
    for part in {"cleanup", "verify"} & set(pods(rendering)):
        spec = policy_of(rendering, part)
        yield f"{part} is reached", "" if "Ingress" in spec["policyTypes"] and not spec.get("ingress") else str(spec)


def numbers(rule):
    return {port["port"] for port in rule["ports"]}


def way_out(rendering, name):
    """To the API server who needs it; to registries serve alone, and to no metadata service; the test to serve."""
    given = at(SETS[name][1], "networkPolicy egress") or {}
    follows = at(SETS[name][1], "policies source") != "files"
    for part in pods(rendering):
        rules = [rule for rule in policy_of(rendering, part)["egress"] if "ports" in rule]
        to_api = any(numbers(rule) == set(given.get("apiServerPorts", [443, 6443])) for rule in rules)
        yield f"{part} to the API server", "" if to_api == (part != "serve" or follows) else str(rules)
        registries = [rule for rule in rules if numbers(rule) == set(given.get("registryPorts", [443]))]
        blocks = [peer["ipBlock"] for rule in registries for peer in rule["to"]]
        fine = (len(blocks) == 2) == (part == "serve") and all(block.get("except") for block in blocks)
        yield f"{part} to registries", "" if fine else str(rules)
        yield f"{part} to names", "" if any(numbers(rule) == {53} for rule in rules) == (part == "serve") else str(rules)
    if "verify" in pods(rendering):
        fine = any(peers_meet(rendering, rule.get("to", []), pods(rendering)["serve"]) and {"https"} == numbers(rule)
                   for rule in policy_of(rendering, "verify")["egress"])
        yield "verify to serve", "" if fine else str(policy_of(rendering, "verify")["egress"])


def ranges(rendering, _):
    """What is excepted from a range lies in it, or the API server refuses the policy."""
    for one in rendering.kinds("NetworkPolicy"):
        blocks = [peer["ipBlock"] for rule in one["spec"].get("egress", []) for peer in rule.get("to", []) if "ipBlock" in peer]
        wrong = [(block["cidr"], part) for block in blocks for part in block.get("except", [])
                 if ipaddress.ip_network(part).version != ipaddress.ip_network(block["cidr"]).version]
        yield name_of(one), str(wrong or "")


def at_one(name, path, value):
    def spoil(rendering):
        *keys, last = path.split()
        place = at(rendering.one(name), " ".join(keys))
        place[int(last) if isinstance(place, list) else last] = value
    return spoil


def to_metadata(rendering):
    del policy_of(rendering, "serve")["egress"][2]["to"][0]["ipBlock"]["except"]


CHECKS = [
    Check(80, "a Deployment selects its own pods, whatever their version", own_pods, at_one(
        "Deployment/plimsoll", "spec selector matchLabels", {"app.kubernetes.io/name": "plimsoll"})),
    Check(81, "Services lead to the right pods, at ports by name", services, at_one("Service/plimsoll", "spec ports 0 targetPort", "web")),
    Check(82, "budgets where there are several replicas, none where there is one", budgets,
          at_one("Deployment/plimsoll", "spec replicas", 1)),
    Check(83, "monitors meet what has the metrics, at ports that are there", monitors,
          at_one("ServiceMonitor/plimsoll", "spec selector", {}),
          planted_in="watched", sets=["watched", "pod monitor", "asking", "everything"]),
    Check(84, "each pod is under the network policy of its part alone", policies,
          at_one("NetworkPolicy/plimsoll-serve", "spec podSelector", {}),
          sets=NETWORKED),
    Check(85, "who reaches what", way_in, at_one("NetworkPolicy/plimsoll-serve", "spec ingress 0 from", [{"podSelector": {}}]),
          sets=NETWORKED),
    Check(86, "who asks whom", way_out, to_metadata, sets=all_but("no network policy", "everything", "narrow network")),
    Check(87, "excepted ranges are of the family of their range", ranges, at_one(
        "NetworkPolicy/plimsoll-serve", "spec egress 2 to 0 ipBlock except", ["fd00::/8"]), sets=NETWORKED),
]
