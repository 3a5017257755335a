"""Rows about what people read: kubectl's lines in every mode, the audit log, and the limits of warnings and denials."""
import json
import re

from admission_objects import BAD, DEPLOYMENT, FINALIZER, KINDS, POD, changed, container, make, make_bad, text
from admission_stage import denied_by, outcome
from harness import review
from webhooks import WEBHOOK

MODES = ("enforce", "warn", "audit")
TAG = 'container "web" image nginx:latest has the mutable tag "latest"'
TAG_FIX = "name the version, as in app:1.4.2, or pin the digest"
PROBE = 'container "web" has no livenessProbe: when it hangs, nothing restarts it'
PROBE_FIX = "add livenessProbe with a cheap check of the process itself, never of what it depends on"
DENIAL = f'admission webhook "{WEBHOOK}" denied the request: deny image-tag: {TAG}\n  fix: {TAG_FIX}'
BOTH = f"{DENIAL}\ndeny liveness-probe: {PROBE}\n  fix: {PROBE_FIX}"
WARNINGS = f"Warning: image-tag: {TAG}; fix: {TAG_FIX}\nWarning: liveness-probe: {PROBE}; fix: {PROBE_FIX}"
EXISTING = f"Warning: image-tag: {TAG} (was so before); fix: {TAG_FIX}\nWarning: liveness-probe: {PROBE} (was so before); fix: {PROBE_FIX}"
FORBIDDEN = "Error from server (Forbidden): "
HOSTILE = ["ngi\nx: all is well", "nginx\x1b[31m:1.0", "nginx:\u202e0.1", "nginx\u200b:1.0", "nginx\x85:1", "\u043dginx:1.0", 'a"b\\c:1',
           "\U0001f6a2" * 200]  # the API server takes them all
MOST_WARNINGS, MOST_RUNES, MOST_MESSAGE, MOST_CAUSES = 10, 240, 4096, 32


def place(mode):
    return f"words-{mode}"


class Words:
    def __init__(self, stage):
        self.stage = stage

    def prepare(self):
        for mode in MODES:
            self.stage.namespace(place(mode), mode)
        self.stage.namespace("words-stored")
        for name in ("named", "applied"):
            self.stage.store(make_bad(DEPLOYMENT, name), "words-stored")

    def judge(self):
        self.stage.judge_from_now_on("words-stored", "enforce")
        self.stage.store(make(DEPLOYMENT, "good"), place("enforce"))
        self.stage.namespace("words-tightened", "audit")
        for kind in KINDS:
            self.stage.store(make_bad(kind, "audited", finalizers=[FINALIZER]), "words-tightened")
        self.stage.judge_from_now_on("words-tightened", "enforce")

    def kubectl(self, namespace, *arguments, given=None):
        """The exit code, and stderr with the texts above by their names."""
        done = self.stage.plane.kubectl(*arguments, "-n", namespace, given=given)
        shown = done.stderr.strip()
        for name in ("BOTH", "DENIAL", "WARNINGS", "EXISTING"):
            shown = shown.replace(globals()[name], f"<{name}>")
        return f"exit {done.returncode}: {shown or 'nothing on stderr'}"

    def given(self, mode, *arguments, thing):
        return self.kubectl(place(mode), *arguments, "-f", "-", given=text(thing))

    def warnings_as_errors(self):
        said = self.given("warn", "create", "--warnings-as-errors", thing=make_bad(DEPLOYMENT, "w3"))
        return "exit 1, 2 warnings received" if said.startswith("exit 1: <WARNINGS>") and "2 warnings received" in said else said

    def tightened(self, kind):
        """Stored while the mode was audit; now it is enforce."""
        named = outcome(self.stage.patch(kind, "words-tightened", "audited", {"metadata": {"labels": {"team": "a"}}}))
        another = outcome(self.stage.post(make_bad(kind, "another"), "words-tightened"))
        self.stage.delete(kind, "words-tightened", "audited")
        freed = outcome(self.stage.patch(kind, "words-tightened", "audited", {"metadata": {"finalizers": None}}))
        left = "still there" if self.stage.exists(kind, "words-tightened", "audited") else "gone"
        return f"label {named}; another one {another}; deleted and freed {freed}, {left}"

    # The audit log.
    def logged(self, mode, thing, **options):
        answer = self.stage.post(thing, place(mode), **options)
        said = self.stage.decisions(audit_id=answer.audit_id)
        revision = said.pop("policy-revision", None)
        if said and not re.fullmatch(r"[0-9a-f]{12}", revision or ""):
            return f"odd revision {revision}"
        return outcome(answer) + "; " + ("; ".join(f"{key}: {said[key]}" for key in sorted(said)) or "no annotations")

    def logged_existing(self):
        answer = self.stage.patch(DEPLOYMENT, "words-stored", "named", {"metadata": {"labels": {"team": "b"}}})
        return self.stage.decisions(audit_id=answer.audit_id)["rules"]

    def log_keys(self):
        """A key that the API server does not like is left out, and only its own log tells."""
        log = (self.stage.plane.directory / "kube-apiserver.log").read_text()
        return "nothing of annotations in the API server's log" if "audit annotation" not in log else log[-500:]

    # Limits.
    @staticmethod
    def long(count, image="registry.example.com/" + "a-long-path/" * 12 + "app:latest"):
        """Containers whose names are as long as they may be."""
        name = lambda number: f"c{number:03}-".ljust(63, "x")
        return make(DEPLOYMENT, "long", *(container(image, name(number), probe=False) for number in range(count)))

    def warned(self, thing):
        """What came of the warnings through the API server, compared with what plimsoll said to it."""
        answer = self.stage.post(thing, place("warn"))
        said = self.stage.servers["warn"].ask(review(thing, kind=thing["kind"]))["warnings"]
        problems = [f"{len(line)} runes" for line in answer.warnings if len(line) > MOST_RUNES]
        if len(answer.warnings) > MOST_WARNINGS or answer.warnings != said:
            problems.append(f"{len(answer.warnings)} of {len(said)}: {answer.warnings}")
        longest = "the longest over 200 runes" if max(map(len, said)) > 200 else "all short"
        last = f", the last: {said[-1]}" if len(said) == MOST_WARNINGS else ""
        return f"{answer.code}, {problems or f'{len(said)} as plimsoll wrote them'}, {longest}{last}"

    def denied(self, thing):
        answer = self.stage.post(thing, place("enforce"))
        message = answer.message.partition("denied the request: ")[2]
        size = "within 4096 bytes" if len(message.encode()) <= MOST_MESSAGE else f"{len(message.encode())} bytes"
        last = message.rsplit("\n", 1)[-1]
        causes = "32 causes" if len(answer.causes) == MOST_CAUSES else f"{len(answer.causes)} causes"
        total = len(denied_by(answer.message)) + int(re.match(r"and (\d+) more findings$", last).group(1))
        return f"{answer.code}, {size}, {causes}, {total} findings told or counted"

    def long_log(self):
        """The annotation of an object with many findings stays small."""
        answer = self.stage.post(self.long(60), place("audit"))
        said = self.stage.decisions(audit_id=answer.audit_id)
        return f"{outcome(answer)}; {said['rules']}"

    def hostile(self, number, image):
        """Nothing of it reaches a terminal raw, and nothing is dropped on the way."""
        thing = make(POD, f"hostile-{number}", container(image))
        seen = []
        for mode in ("warn", "enforce"):
            answer = self.stage.post(thing, place(mode))
            told = answer.warnings if mode == "warn" else [cause["message"] for cause in answer.causes]
            raw = [line for line in told if not line.isprintable()]
            done = self.stage.plane.kubectl("create", "-n", place(mode), "--dry-run=server", "-f", "-", given=json.dumps(
                {**thing, "metadata": {"name": "hostile-other"}}))
            shown = "raw on the terminal" if "\x1b" in done.stderr or "\u202e" in done.stderr else ""
            seen.append(f"{outcome(answer)} {raw or ''}{shown}".strip())
        return "; ".join(seen)

    def kubectl_rows(self):
        bad, worse = make_bad(DEPLOYMENT, "bad"), changed(DEPLOYMENT, make(DEPLOYMENT, "good"), BAD)
        creating, replacing = (f'exit 1: {FORBIDDEN}error when {word} "STDIN": ' for word in ("creating", "replacing"))
        enforce = [
            ("create", creating + "<BOTH>", ["create"], bad), ("apply", creating + "<BOTH>", ["apply"], bad),
            ("apply --server-side", f"exit 1: {FORBIDDEN}<BOTH>", ["apply", "--server-side"], bad),
            ("apply --dry-run=server", creating + "<BOTH>", ["apply", "--dry-run=server"], bad),
            ("replace", replacing + "<DENIAL>", ["replace"], worse),
            ("diff", f"exit 2: {FORBIDDEN}error when patching \"STDIN\": <DENIAL>", ["diff"], worse)]
        rows = [(f"enforce: kubectl {what}", expected, lambda words=words, thing=thing: self.given("enforce", *words, thing=thing))
                for what, expected, words, thing in enforce]
        rows.append(("enforce: kubectl set image", "exit 1: error: failed to patch image update to pod template: <DENIAL>",
                     lambda: self.kubectl(place("enforce"), "set", "image", "deployment/good", "web=nginx:latest")))
        rows.append(("enforce: kubectl label, of what was stored with violations", "exit 0: <EXISTING>",
                     lambda: self.kubectl("words-stored", "label", "deployment/applied", "team=c")))
        rows += [
            ("warn: kubectl create", "exit 0: <WARNINGS>", lambda: self.given("warn", "create", thing=make_bad(DEPLOYMENT, "w1"))),
            ("warn: kubectl apply", "exit 0: <WARNINGS>", lambda: self.given("warn", "apply", thing=make_bad(DEPLOYMENT, "w2"))),
            ("warn: kubectl create --warnings-as-errors", "exit 1, 2 warnings received", self.warnings_as_errors),
            ("warn: a good one", "exit 0: nothing on stderr", lambda: self.given("warn", "create", thing=make(DEPLOYMENT, "w4"))),
            ("audit: kubectl create", "exit 0: nothing on stderr",
             lambda: self.given("audit", "create", thing=make_bad(DEPLOYMENT, "a1")))]
        return rows

    def tightened_rows(self):
        rows = []
        for kind in KINDS:
            warned = f"allowed, {'2 warnings' if kind.runs_on else '1 warning'}"
            rows.append((f"{kind.name} stored in mode audit, now enforce",
                         f"label {warned}; another one denied 403: {kind.reasons}; deleted and freed {warned}, gone",
                         lambda kind=kind: self.tightened(kind)))
        return rows

    def log_rows(self):
        both = lambda word: f"rules: image-tag ({word}), liveness-probe ({word})"
        denied = "denied 403: image-tag, liveness-probe; decision: deny; mode: enforce; " + both("enforce")
        return [
            ("audit log of a denial", denied, lambda: self.logged("enforce", make_bad(DEPLOYMENT, "l1"))),
            ("audit log of a denied dry run", denied, lambda: self.logged("enforce", make_bad(DEPLOYMENT, "l2"), dry_run=True)),
            ("audit log in mode warn", "allowed, 2 warnings; decision: warn; mode: warn; " + both("warn"),
             lambda: self.logged("warn", make_bad(DEPLOYMENT, "l3"))),
            ("audit log in mode audit", "allowed; decision: allow; mode: audit; " + both("audit"),
             lambda: self.logged("audit", make_bad(DEPLOYMENT, "l4"))),
            ("audit log of a good object", "allowed; no annotations", lambda: self.logged("enforce", make(DEPLOYMENT, "l5"))),
            ("audit log of what an exception covers",
             "allowed; decision: allow; exceptions: image-tag: team-a until 2099-12-31, liveness-probe: team-a until 2099-12-31; "
             "mode: enforce; rules: image-tag (audit, excepted), liveness-probe (audit, excepted)",
             lambda: self.logged("enforce", make_bad(DEPLOYMENT, "legacy-1"))),
            ("audit log of a label change of what was stored with violations",
             "image-tag (warn, existing), liveness-probe (warn, existing)", self.logged_existing),
            ("audit log of 120 findings", "allowed; image-tag (audit), liveness-probe (audit)", self.long_log)]

    def limit_rows(self):
        return [
            ("warnings of 60 containers with long names and images",
             "201, 10 as plimsoll wrote them, the longest over 200 runes, the last: and 111 more warnings",
             lambda: self.warned(self.long(60))),
            ("warnings of 4 containers with images of 1,000 characters", "201, 8 as plimsoll wrote them, the longest over 200 runes",
             lambda: self.warned({**self.long(4, "r.example/" + "b" * 980 + ":latest"), "metadata": {"name": "long-images"}})),
            ("denial of 60 containers with long names and images", "403, within 4096 bytes, 32 causes, 120 findings told or counted",
             lambda: self.denied(self.long(60))),
            ("denial of 400 containers", "403, within 4096 bytes, 32 causes, 800 findings told or counted",
             lambda: self.denied(self.long(400))),
            *((f"image {ascii(image)[:40]}", "allowed, 1 warning; denied 403: image-reference",
               lambda number=number, image=image: self.hostile(number, image)) for number, image in enumerate(HOSTILE))]

    def rows(self):
        last = ("annotations that the API server did not take", "nothing of annotations in the API server's log", self.log_keys)
        groups = (("e", [*self.kubectl_rows(), *self.tightened_rows(), *self.log_rows(), last]), ("f", self.limit_rows()))
        return [(f"{letter}{number}", *row) for letter, rows in groups for number, row in enumerate(rows, 1)]
