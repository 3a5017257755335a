"""One real API server, servers of plimsoll in every mode, and their webhook configurations in force; requests and what they give."""
import contextlib
import json
import re
import time
import urllib.parse
import uuid

from admission_objects import BAD, KINDS, POD, POLICY, container, make, make_bad
from control_plane import ADMIN, ControlPlane, free_port
from harness import Server, make_certificate, wait_until
from webhooks import CHANGES_WHAT_IS_JUDGED, WEBHOOK, rule, webhook_configuration

OWN = "plimsoll"  # its own namespace, which is never judged
SERVICE_ADDRESS = "127.20.0.50"  # in the range of the API server's Services
JUDGED = "judged-by"  # the label of a namespace that says which configuration it falls under
SERVERS = {"enforce": "enforce", "warn": "warn", "audit": "audit", "frugal": "enforce", "slow": "enforce"}  # name -> mode
FAILED_OPEN = "failed-open.validating.webhook.admission.k8s.io/"


class Answer:
    """What the API server said: code, body (parsed), warnings, and the id of its audit event."""

    def __init__(self, code, body, warnings, audit_id):
        self.code, self.body, self.warnings, self.audit_id = code, body, warnings, audit_id

    @property
    def message(self):
        return self.body.get("message", "") if isinstance(self.body, dict) else str(self.body)

    @property
    def causes(self):
        return self.body.get("details", {}).get("causes", [])


def warning_texts(headers):
    """The texts of `Warning: 299 - "..."` headers."""
    found = []
    for value in headers.get_all("Warning") or []:
        quoted = re.fullmatch(r'299 \S+ "(.*)"', value.encode("latin-1").decode("utf-8"), re.S)
        found.append(re.sub(r"\\(.)", r"\1", quoted.group(1)) if quoted else f"odd header: {value}")
    return found


def denied_by(message):
    """The rules that a denial names, in order; None where the message is no denial of ours."""
    found = re.search(rf'admission webhook "{re.escape(WEBHOOK)}" denied the request: (.*)', message, re.S)
    return None if found is None else re.findall(r"(?m)^deny ([^:]+):", found.group(1)) or [found.group(1)]


def outcome(answer):
    """"allowed", "allowed, 2 warnings", "denied 403: image-tag", "404 NotFound", "500 failed calling: connection refused"."""
    if answer.code < 300:
        count = len(answer.warnings)
        return "allowed" + (f", {count} warning{'s' if count > 1 else ''}" if count else "")
    rules = denied_by(answer.message)
    if rules is not None:
        return f"denied {answer.code}: {', '.join(rules)}"
    if "failed calling webhook" in answer.message:
        causes = ("connection refused", "context deadline exceeded", "certificate signed by unknown authority")
        return f"{answer.code} failed calling: " + next((cause for cause in causes if cause in answer.message), answer.message)
    return f"{answer.code} {answer.body.get('reason') if isinstance(answer.body, dict) else answer.body}"


class Stage:
    """Everything is started by `with`, and ends with it."""

    def __init__(self):
        self.ends = contextlib.ExitStack()
        self.plane, self.servers = None, {}

    def __enter__(self):
        try:
            for name, mode in SERVERS.items():
                self.servers[name] = self.ends.enter_context(Server(policy=POLICY, mode=mode))
            # Ended first: a server that is told to end leaves idle connections to their owner.
            self.plane = self.ends.enter_context(ControlPlane())
        except BaseException:
            self.ends.close()
            raise
        return self

    def __exit__(self, *given):
        return self.ends.__exit__(*given)

    def configure(self, name, server, target=None, certificate=None, **options):
        """Judges the namespaces that are labelled with the name."""
        bundle = self.plane.ca_bundle(certificate or server.certificate)
        made = webhook_configuration(f"plimsoll-{name}", target or f"https://127.0.0.1:{server.port}/validate", bundle,
                                     own_namespace=OWN, namespace_labels={JUDGED: name}, **options)
        self.plane.create("/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations", made)

    def configure_service(self):
        """As in a cluster: reached through a Service in its own namespace, with a certificate for the Service's name."""
        certificate, key = self.plane.authority.issue("webhook", "/CN=plimsoll", f"DNS:plimsoll.{OWN}.svc")
        server = self.servers["service"] = self.ends.enter_context(Server(
            "--listen", f"{SERVICE_ADDRESS}:0", "--cert", certificate, "--key", key, "--drain-timeout", "1s", policy=POLICY))
        self.plane.create(f"/api/v1/namespaces/{OWN}/services", {
            "metadata": {"name": "plimsoll"}, "spec": {"clusterIP": SERVICE_ADDRESS, "ports": [{"port": server.port}]}})
        target = {"namespace": OWN, "name": "plimsoll", "path": "/validate", "port": server.port}
        self.configure("service", server, target, self.plane.authority.certificate)

    def configure_all(self):
        """`enforce` comes last: the API server learns of them in order."""
        enforce, slow = self.servers["enforce"], self.servers["slow"]
        other = make_certificate(enforce.directory.name, "other")[0]
        for word in ("Fail", "Ignore"):
            self.configure(f"dead-{word.lower()}", enforce, f"https://127.0.0.1:{free_port()}/validate", failure_policy=word)
            self.configure(f"slow-{word.lower()}", slow, failure_policy=word, timeout_seconds=1)
            self.configure(f"stranger-{word.lower()}", enforce, certificate=other, failure_policy=word)
        self.configure_service()
        self.configure("wide", enforce, rules=[{**rule("*", "*/*"), "apiVersions": ["*"], "operations": ["*"]}])
        self.configure("frugal", self.servers["frugal"], match_conditions=[CHANGES_WHAT_IS_JUDGED])
        for name in ("warn", "audit", "enforce"):
            self.configure(name, self.servers[name])
        for name in ("slow-fail", "slow-ignore", "service", "frugal", "warn", "audit", "enforce"):
            self.wait_in_force(name)

    def wait_in_force(self, name, seconds=30):
        server = self.servers[name.split("-")[0]]
        namespace = self.namespace(f"try-{name}", name)
        before = server.metric("plimsoll_reviews_total")

        def reached():
            self.post(make_bad(POD, "try"), namespace, dry_run=True)
            return server.metric("plimsoll_reviews_total") > before
        wait_until(reached, seconds)

    def namespace(self, name, judged_by=None):
        """`judged_by`: the name of a configuration; without it nothing there is judged."""
        self.plane.namespace(name, **({JUDGED: judged_by} if judged_by else {}))
        return name

    def judge_from_now_on(self, namespace, name):
        """Until now nothing in the namespace was judged, or by another configuration."""
        self.plane.patch(f"/api/v1/namespaces/{namespace}", {"metadata": {"labels": {JUDGED: name}}})
        wait_until(lambda: self.post(make(POD, "try", container(BAD)), namespace, dry_run=True).code == 403)

    def call(self, method, path, body=None, content_type="application/json", user=None, groups=("system:masters",), audit_id=None):
        headers = {"Authorization": f"Bearer {ADMIN}", "Content-Type": content_type, "Audit-ID": audit_id or str(uuid.uuid4())}
        data = body if body is None or isinstance(body, (str, bytes)) else json.dumps(body)
        connection = self.plane.connection()
        try:
            connection.putrequest(method, path)
            for name, value in headers.items():
                connection.putheader(name, value)
            if user:
                connection.putheader("Impersonate-User", user)
                for group in groups:
                    connection.putheader("Impersonate-Group", group)
            content = b"" if data is None else data if isinstance(data, bytes) else data.encode()
            connection.putheader("Content-Length", str(len(content)))
            connection.endheaders(content)
            answer = connection.getresponse()
            return self._answer(answer, headers["Audit-ID"])
        finally:
            connection.close()

    @staticmethod
    def _answer(answer, audit_id):
        data = answer.read()
        try:
            body = json.loads(data)
        except ValueError:
            body = data.decode(errors="replace")
        return Answer(answer.status, body, warning_texts(answer.headers), audit_id)

    def post(self, thing, namespace, dry_run=False, **options):
        kind = next(kind for kind in KINDS if kind.name == thing["kind"])
        return self.call("POST", kind.path(namespace) + ("?dryRun=All" if dry_run else ""), thing, **options)

    def get(self, kind, namespace, name):
        return self.call("GET", kind.path(namespace, name)).body

    def exists(self, kind, namespace, name):
        return self.call("GET", kind.path(namespace, name)).code == 200

    def put(self, kind, namespace, thing, part="", **options):
        return self.call("PUT", kind.path(namespace, thing["metadata"]["name"], part), thing, **options)

    def patch(self, kind, namespace, name, body, content_type="application/merge-patch+json", part="", **options):
        query = "?" + urllib.parse.urlencode({"fieldManager": "tests", "force": "true"}) if "apply" in content_type else ""
        return self.call("PATCH", kind.path(namespace, name, part) + query, body, content_type=content_type, **options)

    def delete(self, kind, namespace, name):
        return self.call("DELETE", kind.path(namespace, name) + "?propagationPolicy=Background")

    def store(self, thing, namespace):
        """Stored while nothing judges it; what the API server made of it."""
        answer = self.post(thing, namespace)
        if answer.code != 201:
            raise AssertionError(f"{thing['kind']} {thing['metadata']}: {outcome(answer)}: {answer.message[:300]}")
        return answer.body

    def annotations(self, audit_id=None, seconds=10, **of):
        """The audit annotations of one event, by its id or by what its objectRef holds and its verb; "" before the keys of ours."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for event in reversed(self.plane.audit_events()):
                said = {**event.get("objectRef", {}), "verb": event["verb"]}
                wanted = event["auditID"] == audit_id if audit_id else all(said.get(key) == value for key, value in of.items())
                if wanted:
                    return event.get("annotations", {})
            time.sleep(0.1)
        raise AssertionError(f"no audit event of {audit_id or of}")

    def decisions(self, **which):
        """Of one event only plimsoll's annotations, without the webhook's name."""
        prefix = WEBHOOK + "/"
        return {key.removeprefix(prefix): value for key, value in self.annotations(**which).items() if key.startswith(prefix)}

    def failed_open(self, **which):
        return [value for key, value in self.annotations(**which).items() if key.startswith(FAILED_OPEN)]
