"""The second part of group 9: upgrades from the values of the first release, back again, and from Helm 3 to Helm 4."""
import base64
import json
import shutil

from stage import CONFIGURATION, OWN, bad_container, deployment, values

FIRST, NEWEST = "0.0.1", "0.1.0"
REFUSED = "refused: image-tag, liveness-probe, readiness-probe, resources"
GIVEN = {"failClosed": {"namespaces": ["shop"]}, "exemptNamespaces": ["open"], "crds": {"keep": False},
         "server": {"shutdownDelaySeconds": 1, "drainTimeoutSeconds": 3, "podLabels": {"team": "platform"}}}


class Releases:
    """The first release is this chart with another version: what is given and what the controller has written has to outlive an upgrade."""

    def __init__(self, stage, uninstall):
        self.stage, self.node, self.uninstall = stage, stage.node, uninstall
        self.first, self.certificate = stage.directory / "first-release", None

    def chart(self):
        if not self.first.exists():
            shutil.copytree(self.stage.chart, self.first)
            text = (self.first / "Chart.yaml").read_text()
            (self.first / "Chart.yaml").write_text(text.replace(f"\nversion: {NEWEST}", f"\nversion: {FIRST}"))
        return self.first

    def helm(self, verb, *arguments, three=False):
        done = self.stage.helm(verb, "plimsoll", *arguments, "-n", OWN, "--wait", "--timeout", "150s", three=three)
        if done.returncode != 0:
            raise AssertionError(f"helm {verb}: {done.stderr.strip()[-1500:]}")
        return done.stdout

    def file(self, name, given):
        path = self.stage.directory / f"{name}.yaml"
        path.write_text(given if isinstance(given, str) else json.dumps(given))
        return path

    def state(self):
        """The release's version, verdicts by its values, and whether the certificate and what is trusted are what they were."""
        secret = self.node.get(f"/api/v1/namespaces/{OWN}/secrets/plimsoll-tls")
        live = self.node.get(CONFIGURATION)
        bundles = {base64.b64decode(entry["clientConfig"].get("caBundle", "")) for entry in live["webhooks"]}
        seen = [live["metadata"]["labels"]["helm.sh/chart"].rpartition("-")[2],
                self.stage.comes_to(REFUSED, deployment("bad", bad_container())),
                f"open: {self.stage.verdict(deployment('bad', bad_container()), 'open', '--dry-run=server')}"]
        same = secret["data"]["tls.crt"] == self.certificate and bundles == {base64.b64decode(secret["data"]["ca.crt"])}
        labels = {pod["metadata"]["labels"].get("team") for pod in self.stage.running()}
        return "; ".join((*seen, "same certificate, trusted" if same else "another certificate", f"pods of {', '.join(map(str, labels))}"))

    # Rows.

    def installed(self):
        self.uninstall.begin()
        given = self.file("first-values", values("enforce", **GIVEN, image={"registry": "localhost"}))
        self.helm("install", self.chart(), "-f", given, three=True)
        self.stage.comes_to(REFUSED, deployment("bad", bad_container()))
        self.certificate = self.node.get(f"/api/v1/namespaces/{OWN}/secrets/plimsoll-tls")["data"]["tls.crt"]
        return self.state()

    def reused(self):
        self.helm("upgrade", self.stage.chart, "--reuse-values", three=True)
        return self.state()

    def rolled_back(self):
        self.helm("rollback", "1", three=True)
        return self.state()

    def with_file(self):
        """What `helm get values` says of it, given to another Helm."""
        said = self.stage.helm("get", "values", "plimsoll", "-n", OWN, "--revision", "1", "-o", "yaml").stdout
        self.helm("upgrade", self.stage.chart, "-f", self.file("got-values", said))
        return self.state()

    def with_all(self):
        """All values of the first release, as somebody has them who copied the file."""
        shown = self.file("all-values", self.stage.helm("show", "values", self.chart()).stdout)
        self.helm("upgrade", self.stage.chart, "-f", shown, "-f", self.stage.directory / "got-values.yaml")
        return self.state()

    def rolled_back_by_four(self):
        self.helm("rollback", "1")
        return self.state()

    def healed(self):
        self.node.kubectl("patch", "validatingwebhookconfiguration", "plimsoll", "--type=json", "-p",
                          '[{"op": "replace", "path": "/webhooks/0/timeoutSeconds", "value": 3}]')
        self.node.wait_until(lambda: self.node.get(CONFIGURATION)["webhooks"][0]["timeoutSeconds"] == 10, 60, "it is healed")

    def after_a_heal(self):
        """A field that the controller has put right gets another value."""
        self.healed()
        return self.with_another_time()

    def with_another_time(self, *flags):
        self.helm("upgrade", self.stage.chart, "--reuse-values", "--set", "webhook.timeoutSeconds=7", *flags)
        times = {entry["timeoutSeconds"] for entry in self.node.get(CONFIGURATION)["webhooks"]}
        return f"{times} s; {self.state()}"

    def conflict(self):
        """By server-side apply what somebody else has written is a conflict, as the chart's README says, and so is the way out."""
        self.healed()
        try:
            return f"no conflict: {self.with_another_time()}"
        except AssertionError as error:
            named = 'conflict with "plimsoll-controller"' in str(error) and "timeoutSeconds" in str(error)
            told = "a conflict, with writer and field" if named else str(error)
        return f"{told}; --force-conflicts: {self.with_another_time('--force-conflicts')}"

    def removed(self):
        self.helm("uninstall")
        return self.uninstall.labelled()

    def made_by_four(self):
        """The same of a release that Helm 4 made, by server-side apply."""
        self.helm("install", self.chart(), "-f", self.stage.directory / "first-values.yaml")
        self.stage.comes_to(REFUSED, deployment("bad", bad_container()))
        self.certificate = self.node.get(f"/api/v1/namespaces/{OWN}/secrets/plimsoll-tls")["data"]["tls.crt"]
        self.helm("upgrade", self.stage.chart, "--reuse-values")
        return self.state()

    def rows(self):
        kept = f"{REFUSED}; open: admitted; same certificate, trusted; pods of platform"
        return [
            ("9.18", f"the first release, {FIRST}, by Helm 3", f"{FIRST}; {kept}", self.installed),
            ("9.19", "helm upgrade --reuse-values, Helm 3", f"{NEWEST}; {kept}", self.reused),
            ("9.20", "helm rollback, Helm 3", f"{FIRST}; {kept}", self.rolled_back),
            ("9.21", "helm upgrade -f with the values of the first release, Helm 4 on a release of Helm 3", f"{NEWEST}; {kept}",
             self.with_file),
            ("9.22", "helm upgrade -f with all values of the first chart", f"{NEWEST}; {kept}", self.with_all),
            ("9.23", "helm rollback, Helm 4", f"{FIRST}; {kept}", self.rolled_back_by_four),
            ("9.24", "helm upgrade to another value of a field that the controller has put right, Helm 4", f"{{7}} s; {NEWEST}; {kept}",
             self.after_a_heal),
            ("9.25", "helm uninstall, Helm 4 of a release of Helm 3", "nothing; with the release's label besides: 0", self.removed),
            ("9.26", "installed and upgraded by Helm 4", f"{NEWEST}; {kept}", self.made_by_four),
            ("9.27", "the same as 9.24 on a release of Helm 4",
             f"a conflict, with writer and field; --force-conflicts: {{7}} s; {NEWEST}; {kept}", self.conflict),
            ("9.28", "helm uninstall, Helm 4", "nothing; with the release's label besides: 0", self.removed),
        ]
