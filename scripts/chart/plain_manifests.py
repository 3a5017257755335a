"""Makes manifests/base and manifests/overlays, for kustomize, from what the chart renders."""
import re
import subprocess

OVERLAYS = {"audit": ["audit"], "enforce": ["enforce"], "strict": ["strict"], "highly-available": ["enforce", "ha"]}
SAID = "# Made from charts/plimsoll by `make chart`. Change the chart, not this file.\n"
RIGHTS = """# Who may do what. Nothing else is needed, and nothing of it can be left out: each right is tested by taking it away. What begins
# with plimsoll-pull-secrets is there only for namespaces that registries.pullSecretNamespaces names, here shop.
"""
NAMESPACE = """apiVersion: v1
kind: Namespace
metadata:
  name: plimsoll-system
  labels:
    pod-security.kubernetes.io/enforce: restricted
    pod-security.kubernetes.io/warn: restricted
"""


def rendered(helm, chart, profiles, values="cleanup.enabled=false,verify.enabled=false"):
    """[(template, document)]: what is installed, without hooks, definitions and what only Helm knows."""
    files = [flag for profile in profiles for flag in ("-f", chart / f"values-{profile}.yaml")]
    text = subprocess.run([helm, "template", "plimsoll", chart, "--namespace", "plimsoll-system", "--no-hooks", "--set", "crds.install=false",
                           "--set", values, *files], check=True, capture_output=True, text=True).stdout
    documents = []
    for part in re.split(r"(?m)^---\n", text):
        source = re.search(r"^# Source: plimsoll/templates/(\S+)\n", part, re.M)
        lines = [line for line in part.splitlines() if not re.match(r"\s*(helm\.sh/chart:|app\.kubernetes\.io/managed-by:|# Source:)", line)]
        if source and any(line.strip() for line in lines):
            documents.append((source.group(1), "\n".join(lines).strip("\n") + "\n"))
    return documents


def key_of(document):
    kind = re.search(r"^kind: (\S+)$", document, re.M).group(1)
    name_space = re.search(r"^  namespace: (\S+)$", document, re.M)
    return kind, name_space.group(1) if name_space else "", re.search(r"^  name: (\S+)$", document, re.M).group(1)


def file_name(key):
    """("Deployment", "plimsoll-system", "plimsoll") -> "deployment-plimsoll.yaml"."""
    return f"{key[0].lower()}-{key[2]}.yaml"


def kustomization(**lists):
    lines = ["apiVersion: kustomize.config.k8s.io/v1beta1", "kind: Kustomization"]
    for name, entries in lists.items():
        if entries:
            lines += [f"{name}:", *(f"  - {entry}" for entry in entries)]
    return SAID + "\n".join(lines) + "\n"


def base(documents):
    files = {"namespace.yaml": SAID + NAMESPACE}
    for source, document in documents:
        name = source.replace("/", "-")
        files[name] = files[name] + "---\n" + document if name in files else SAID + document
    return {**files, "kustomization.yaml": kustomization(resources=["../crds", *sorted(files)])}


def replacing(document):
    """As a patch that is not merged with what it patches: what the profile leaves out of a spec is gone."""
    return re.sub(r"(?m)^spec:$", "spec:\n  $patch: replace", document)


def overlay(documents, below):
    """What differs from the base: whole objects as patches, which replace what they name, and further objects."""
    made = {key_of(document): document for _, document in documents}
    old = {key_of(document): document for _, document in below}
    gone = [key for key in old if key not in made]
    if gone:
        raise ValueError(f"a profile that removes objects cannot be an overlay: {gone}")
    fresh = [key for key in made if key not in old]
    changed = [key for key in made if key in old and made[key] != old[key]]
    files = {file_name(key): SAID + made[key] for key in fresh}
    files.update({file_name(key): SAID + replacing(made[key]) for key in changed})
    patches = [f"path: {file_name(key)}" for key in changed]
    return {**files, "kustomization.yaml": kustomization(resources=["../../base", *map(file_name, fresh)], patches=patches)}


def rights(helm, chart):
    """Every account of every part, and what it may do."""
    documents = rendered(helm, chart, [], "registries.pullSecretNamespaces={shop},verify.enabled=false")
    return SAID + RIGHTS + "---\n".join(document for source, document in documents if source == "accounts.yaml")


def manifests(helm, chart, directory):
    """The files that are made: path -> text."""
    documents = rendered(helm, chart, [])
    made = {directory / "base" / name: text for name, text in base(documents).items()}
    for name, profiles in OVERLAYS.items():
        files = overlay(rendered(helm, chart, profiles), documents)
        made.update({directory / "overlays" / name / file: text for file, text in files.items()})
    made[directory / "rbac.yaml"] = rights(helm, chart)
    crds = sorted(path.name for path in (directory / "crds").glob("hygiene*.yaml"))
    made[directory / "crds" / "kustomization.yaml"] = kustomization(resources=crds)
    return made
