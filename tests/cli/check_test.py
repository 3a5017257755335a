"""plimsoll check: what it prints, and what it exits with."""

import os
import pty
import re
import subprocess
import unittest

from program import PROGRAM, TAGS, ProgramTest, pod, policy

OBJECT_KEYS = ["file", "line", "source", "apiVersion", "kind", "namespace", "name", "verdict",
               "findings", "notLookedUp"]
FINDING_KEYS = ["rule", "action", "container", "containerClass", "path", "line", "column", "found",
                "limit", "message", "remedy", "policies", "exception", "existing", "unknown"]
SUMMARY_KEYS = ["objects", "denied", "warned", "allowed", "skipped", "unreadable"]


class ExitCodes(ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("deny.yaml", policy(TAGS % "enforce"))
        self.write("warn.yaml", policy(TAGS % "warn"))
        self.write("bad.yaml", pod(image="nginx"))
        self.write("good.yaml", pod(image="nginx:1.27.1"))

    def test_table(self):
        table = [
            (["--policy", "deny.yaml", "good.yaml"], 0),
            (["--policy", "deny.yaml", "bad.yaml"], 1),
            (["--policy", "deny.yaml", "good.yaml", "bad.yaml"], 1),
            (["--policy", "warn.yaml", "bad.yaml"], 0),
            (["--policy", "warn.yaml", "--fail-on", "warn", "bad.yaml"], 1),
            (["--policy", "warn.yaml", "--fail-on", "warn", "good.yaml"], 0),
            (["--policy", "deny.yaml", "--mode", "warn", "bad.yaml"], 0),
            (["--policy", "deny.yaml", "--mode", "warn", "--fail-on", "warn", "bad.yaml"], 1),
            (["--policy", "deny.yaml", "--mode", "audit", "--fail-on", "warn", "bad.yaml"], 0),
            ([], 2),
            (["--mode", "off", "good.yaml"], 2),
            (["--fail-on", "audit", "good.yaml"], 2),
            (["--no-such-option", "good.yaml"], 2),
            (["--policy", "none.yaml", "good.yaml"], 2),
            (["--policy", "good.yaml", "good.yaml"], 2),
            (["--namespaces", "none.yaml", "good.yaml"], 2),
            (["none.yaml"], 3),
            (["--policy", "deny.yaml", "bad.yaml", "none.yaml"], 3),
        ]
        for arguments, code in table:
            with self.subTest(arguments=arguments):
                result = self.run_program("check", *arguments)
                self.assert_exit(result, code)
                if code >= 2:
                    self.assertNotEqual(result.stderr, "")
                if code == 2:
                    self.assertEqual(result.stdout, "")

    def test_the_others_are_judged_when_one_is_unreadable(self):
        self.write("broken.yaml", pod() + "---\nkind: [\n---\n" + pod(name="second"))
        result = self.check_json("--policy", "deny.yaml", "broken.yaml", "none.yaml", "good.yaml",
                                 code=3)
        self.assertEqual(result["summary"], {"objects": 3, "denied": 2, "warned": 0, "allowed": 1,
                                             "skipped": 0, "unreadable": 2})

    def test_nothing_to_check(self):
        result = self.run_program("check", "-")
        self.assert_exit(result, 0)
        self.assertIn("nothing to check", result.stderr)
        self.assertEqual(result.stdout, "0 objects: 0 denied, 0 warned, 0 allowed, 0 skipped, "
                                        "0 unreadable\n")

    def test_full_output_device_is_an_error(self):
        with open("/dev/full", "w") as full:
            result = subprocess.run([os.path.abspath(PROGRAM), "check", "good.yaml"], stdout=full,
                                    stderr=subprocess.PIPE, cwd=self.directory, timeout=60)
        self.assertEqual(result.returncode, 3)
        self.assertIn(b"standard output", result.stderr)


class Text(ProgramTest):
    def test_helm_stream(self):
        self.write("p.yaml", policy("  rules:\n    image-tag: {action: enforce}\n"
                                    "    replicas: {action: warn}\n"))
        stream = (
            "---\n# Source: web/templates/service.yaml\napiVersion: v1\nkind: Service\n"
            "metadata: {name: web}\n---\n# Source: web/templates/deployment.yaml\n"
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: 1\n"
            "  template:\n    spec:\n      containers:\n      - name: main\n        image: nginx\n"
        )
        result = self.run_program("check", "--policy", "p.yaml", "-n", "prod", "-", stdin=stream)
        self.assert_exit(result, 1)
        lines = result.stdout.splitlines()
        self.assertEqual(lines[0], "Deployment prod/web (web/templates/deployment.yaml): denied")
        self.assertTrue(lines[1].startswith('  stdin:18:16: deny image-tag: container "main" '),
                        lines[1])
        self.assertTrue(lines[2].startswith("    fix: "), lines[2])
        self.assertTrue(any(re.match(r"  stdin:13:\d+: warn replicas: ", line) for line in lines),
                        result.stdout)
        self.assertEqual(lines[-1],
                         "2 objects: 1 denied, 0 warned, 0 allowed, 1 skipped, 0 unreadable")
        self.assertEqual(result.stderr, "")

    def test_worst_objects_first(self):
        self.write("p.yaml", policy("  match: {names: [warned]}\n" + TAGS % "warn", "a") + "---\n" +
                   policy("  match: {names: [denied]}\n" + TAGS % "enforce", "b"))
        self.write("m.yaml", pod("fine", "a:1.2.3") + "---\n" + pod("warned") + "---\n" +
                   pod("denied"))
        text = self.run_program("check", "--policy", "p.yaml", "m.yaml").stdout
        self.assertLess(text.index("default/denied"), text.index("default/warned"))
        self.assertNotIn("default/fine", text)

    def test_names_cannot_forge_lines_or_colours(self):
        self.write("p.yaml", policy(TAGS % "enforce"))
        manifest = ('{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a\\u001b[31m\\n0 '
                    'objects"}, "spec": {"containers": [{"name": "x\\ny", "image": "b\\nc"}]}}')
        text = self.run_program("check", "--policy", "p.yaml", "-", stdin=manifest).stdout
        self.assertNotIn("\x1b", text)
        self.assertFalse(any(line.startswith("0 objects") for line in text.splitlines()), text)

    def colours(self, environment):
        """The output with a terminal as standard output."""
        self.write("p.yaml", policy(TAGS % "enforce"))
        self.write("m.yaml", pod())
        master, slave = pty.openpty()
        process = subprocess.Popen(
            [os.path.abspath(PROGRAM), "check", "--policy", "p.yaml", "m.yaml"], stdout=slave,
            cwd=self.directory, env={"PATH": os.environ.get("PATH", ""), **environment})
        os.close(slave)
        output = b""
        while True:
            try:
                chunk = os.read(master, 65536)
            except OSError:  # Linux reports the closed other end so
                break
            if not chunk:
                break
            output += chunk
        os.close(master)
        self.assertEqual(process.wait(timeout=60), 1)
        return b"\x1b[" in output

    def test_colour_only_on_terminals_that_want_it(self):
        self.assertTrue(self.colours({"TERM": "xterm"}))
        self.assertFalse(self.colours({"TERM": "xterm", "NO_COLOR": "1"}))
        self.assertFalse(self.colours({"TERM": "dumb"}))
        result = self.run_program("check", "--policy", "p.yaml", "m.yaml",
                                  environment={"TERM": "xterm"})
        self.assertNotIn("\x1b", result.stdout)


class Json(ProgramTest):
    def test_keys_and_values(self):
        self.write("p.yaml", policy(TAGS % "enforce"))
        self.write("m.yaml", pod(namespace="prod") + "---\nkind: ConfigMap\napiVersion: v1\n")
        report = self.check_json("--policy", "p.yaml", "m.yaml", code=1)
        self.assertEqual(list(report), ["schemaVersion", "summary", "objects"])
        self.assertEqual(report["schemaVersion"], 1)
        self.assertEqual(list(report["summary"]), SUMMARY_KEYS)
        self.assertEqual(list(report["summary"].values()), [2, 1, 0, 0, 1, 0])
        self.assertEqual(len(report["objects"]), 1)
        judged = report["objects"][0]
        self.assertEqual(list(judged), OBJECT_KEYS)
        self.assertEqual([judged[key] for key in OBJECT_KEYS[:-2]],
                         ["m.yaml", 1, None, "v1", "Pod", "prod", "web", "deny"])
        finding = judged["findings"][0]
        self.assertEqual(list(finding), FINDING_KEYS)
        self.assertEqual(finding["rule"], "image-tag")
        self.assertEqual(finding["action"], "enforce")
        self.assertEqual(finding["container"], "main")
        self.assertEqual(finding["containerClass"], "container")
        self.assertEqual(finding["path"], "spec.containers[0].image")
        self.assertEqual(finding["policies"], ["p"])
        self.assertIsNone(finding["exception"])
        self.assertFalse(finding["existing"])
        self.assertIsNone(finding["unknown"])

    def test_lists_are_unfolded_with_their_positions(self):
        self.write("p.yaml", policy(TAGS % "enforce"))
        self.write("m.yaml", "apiVersion: v1\nkind: List\nitems:\n- " + pod("a") + "- " +
                   pod("b", "x:1.2.3") + "- {apiVersion: v1, kind: PodList, items: [" +
                   pod("c").strip() + "]}\n")
        report = self.check_json("--policy", "p.yaml", "m.yaml", code=1)
        self.assertEqual([(o["name"], o["line"], o["verdict"]) for o in report["objects"]],
                         [("a", 4, "deny"), ("b", 5, "allow"), ("c", 6, "deny")])
        self.assertEqual(report["objects"][2]["findings"][0]["line"], 6)

    def test_malformed_fields_are_findings_and_the_rest_is_judged(self):
        self.write("p.yaml", policy(TAGS % "warn"))
        self.write("m.yaml", pod(extra=", ports: 8080"))
        report = self.check_json("--policy", "p.yaml", "m.yaml", code=1)
        findings = report["objects"][0]["findings"]
        self.assertEqual(sorted((f["rule"], f["action"]) for f in findings),
                         [("image-tag", "warn"), ("malformed", "enforce")])
        report = self.check_json("--policy", "p.yaml", "--mode", "audit", "m.yaml", code=0)
        self.assertEqual(report["objects"][0]["verdict"], "allow")

    def test_exceptions_and_expired_ones(self):
        rule = ("  exceptions:\n  - {rules: [image-tag], match: {names: [%s]}, owner: team-a, "
                "reason: planned, expires: %s}\n")
        self.write("p.yaml", policy(TAGS % "enforce" + rule % ("web", "2999-12-31")))
        self.write("old.yaml", policy(TAGS % "enforce" + rule % ("web", "2020-01-31")))
        self.write("m.yaml", pod())
        finding = self.check_json("--policy", "p.yaml", "m.yaml", code=0)["objects"][0]["findings"][0]
        self.assertEqual(finding["exception"], {"owner": "team-a", "reason": "planned",
                                                "expires": "2999-12-31", "expired": False})
        self.assertEqual(finding["action"], "audit")
        finding = self.check_json("--policy", "old.yaml", "m.yaml", code=1)["objects"][0]["findings"][0]
        self.assertEqual(finding["exception"]["expired"], True)
        self.assertEqual(finding["exception"]["expires"], "2020-01-31")
        text = self.run_program("check", "--policy", "old.yaml", "m.yaml").stdout
        self.assertIn("the exception of team-a (planned) expired after 2020-01-31", text)

    def test_a_secret_is_never_printed(self):
        self.write("p.yaml", policy("  rules:\n    secret-env: {action: enforce}\n"))
        self.write("m.yaml", pod(image="a:1.2.3",
                                 extra=", env: [{name: DB_PASSWORD, value: s3cr3t-Value}]"))
        for output in ("text", "json"):
            result = self.run_program("check", "--policy", "p.yaml", "-o", output, "m.yaml")
            self.assert_exit(result, 1)
            self.assertIn("DB_PASSWORD", result.stdout)
            self.assertNotIn("s3cr3t", result.stdout + result.stderr)


class Namespaces(ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("p.yaml", policy("  match: {namespaceSelector: {matchLabels: {tier: gold}}}\n" +
                                    TAGS % "enforce"))
        self.gold = "{apiVersion: v1, kind: Namespace, metadata: {name: prod, labels: {tier: gold}}}"
        self.write("m.yaml", pod(namespace="prod"))

    def test_unknown_labels_are_a_usage_error_that_names_the_namespace(self):
        result = self.run_program("check", "--policy", "p.yaml", "m.yaml")
        self.assert_exit(result, 2)
        self.assertIn('labels of namespace "prod" are not known', result.stderr)
        self.assertEqual(result.stdout, "")

    def test_labels_from_the_input_wherever_they_stand(self):
        stream = pod(namespace="prod") + "---\n" + self.gold
        report = self.check_json("--policy", "p.yaml", "-", stdin=stream, code=1)
        self.assertEqual(report["summary"]["denied"], 1)

    def test_labels_from_a_file(self):
        self.write("n.yaml", "apiVersion: v1\nkind: List\nitems:\n- " + self.gold + "\n")
        self.check_json("--policy", "p.yaml", "--namespaces", "n.yaml", "m.yaml", code=1)

    def test_the_name_label_is_always_known(self):
        self.write("q.yaml", policy("  match: {namespaceSelector: {matchLabels: "
                                    "{kubernetes.io/metadata.name: prod}}}\n" + TAGS % "enforce"))
        self.write("o.yaml", pod(namespace="other"))
        report = self.check_json("--policy", "q.yaml", "m.yaml", "o.yaml", code=1)
        self.assertEqual([o["verdict"] for o in report["objects"]], ["deny", "allow"])

    def test_default_namespace(self):
        self.write("q.yaml", policy("  match: {namespaces: [prod]}\n" + TAGS % "enforce"))
        self.write("o.yaml", pod())
        self.check_json("--policy", "q.yaml", "o.yaml", code=0)
        report = self.check_json("--policy", "q.yaml", "-n", "prod", "o.yaml", code=1)
        self.assertEqual(report["objects"][0]["namespace"], "prod")


class Inputs(ProgramTest):
    def test_directories(self):
        self.write("p/p.yaml", policy(TAGS % "enforce"))
        self.write("m/b.yaml", pod("b"))
        self.write("m/a/a.json", '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, '
                                 '"spec": {"containers": [{"name": "x", "image": "y"}]}}')
        self.write("m/readme.md", "# no manifest")
        os.symlink("..", self.directory / "m" / "a" / "loop")
        report = self.check_json("--policy", "p", "m", code=1)
        self.assertEqual([o["file"] for o in report["objects"]], ["m/a/a.json", "m/b.yaml"])

    def test_what_is_no_object(self):
        result = self.run_program("check", "-", stdin="replicas: 2\n---\n- a\n---\ntext\n")
        self.assert_exit(result, 3)
        self.assertIn("stdin:1:1: no kind", result.stderr)
        self.assertIn("stdin:3:1: not an object", result.stderr)
        self.assertIn("1 skipped, 2 unreadable", result.stdout)

    def test_encodings(self):
        self.write("p.yaml", policy(TAGS % "enforce"))
        text = pod().replace(", kind", ",\r\n kind")
        self.write("bom.yaml", b"\xef\xbb\xbf" + text.encode())
        self.check_json("--policy", "p.yaml", "bom.yaml", code=1)
        self.write("utf16.yaml", text.encode("utf-16"))
        result = self.run_program("check", "utf16.yaml")
        self.assert_exit(result, 3)
        self.assertIn("utf16.yaml:1:1: UTF-16", result.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
