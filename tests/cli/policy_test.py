"""plimsoll policy and the program's own options."""

import pathlib
import unittest

from program import TAGS, ProgramTest, policy

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Program(ProgramTest):
    def test_version_and_help(self):
        version = self.run_program("--version")
        self.assert_exit(version, 0)
        self.assertRegex(version.stdout, r"^plimsoll \d+\.\d+\.\d+\n$")
        for arguments in ([], ["--help"], ["check", "--help"], ["policy", "--help"],
                          ["policy", "validate", "--help"], ["serve", "--help"]):
            with self.subTest(arguments=arguments):
                result = self.run_program(*arguments)
                self.assert_exit(result, 0)
                self.assertIn("Usage: plimsoll", result.stdout)
        self.assertIn("helm template", self.run_program("check", "--help").stdout)
        self.assertIn("Exit codes", self.run_program("check", "--help").stdout)

    def test_wrong_usage(self):
        for arguments in (["chekc"], ["policy"], ["policy", "validate"], ["--nope"]):
            with self.subTest(arguments=arguments):
                self.assert_exit(self.run_program(*arguments), 2)


class Policy(ProgramTest):
    def test_the_default_policy_validates(self):
        shown = self.run_program("policy", "show")
        self.assert_exit(shown, 0)
        self.write("default.yaml", shown.stdout)
        result = self.run_program("policy", "validate", "default.yaml")
        self.assert_exit(result, 0)
        self.assertEqual(result.stdout, "default: fine, 9 rules on, 0 exceptions\n")

    def test_show_prints_files_as_they_are(self):
        text = "# ours\n" + policy(TAGS % "warn")
        self.write("p.yaml", text)
        self.assertEqual(self.run_program("policy", "show", "--policy", "p.yaml").stdout, text)
        self.write("q.yaml", policy(TAGS % "warn", "q"))
        both = self.run_program("policy", "show", "--policy", "p.yaml", "--policy", "q.yaml")
        self.write("both.yaml", both.stdout)
        self.assert_exit(self.run_program("policy", "validate", "both.yaml"), 0)

    def test_mistakes_have_places(self):
        self.write("d/a.yaml", policy("  rules:\n    image-tga: {action: warn}\n  mach: {}\n"))
        self.write("d/b.yaml", policy("  rules:\n    image-tag: {action: yes}\n", "b"))
        result = self.run_program("policy", "validate", "d")
        self.assert_exit(result, 2)
        self.assertEqual(result.stdout, "")
        lines = result.stderr.splitlines()
        self.assertEqual(lines[0], 'd/a.yaml:6:5: unknown rule "image-tga"; did you mean '
                                   '"image-tag"?')
        self.assertEqual(lines[1], 'd/a.yaml:7:3: unknown key "mach"; did you mean "match"?')
        self.assertTrue(lines[2].startswith("d/b.yaml:6:25: must be "), lines[2])
        self.assertEqual(len(lines), 3)

    def test_the_page_of_rules_is_up_to_date(self):
        result = self.run_program("policy", "rules")
        self.assert_exit(result, 0)
        self.assertEqual(result.stdout, (ROOT / "docs" / "rules.md").read_text(),
                         "run: plimsoll policy rules > docs/rules.md")

    def test_the_definitions_of_custom_resources_are_up_to_date(self):
        files = {"hygienepolicy": "hygienepolicies.yaml", "hygieneexception": "hygieneexceptions.yaml"}
        texts = []
        for kind, name in files.items():
            with self.subTest(kind=kind):
                result = self.run_program("policy", "crds", kind)
                self.assert_exit(result, 0)
                texts.append(result.stdout)
                self.assertEqual(result.stdout, (ROOT / "manifests" / "crds" / name).read_text(),
                                 f"run: plimsoll policy crds {kind} > manifests/crds/{name}")
        self.assertEqual(self.run_program("policy", "crds").stdout, "---\n".join(texts))
        self.assert_exit(self.run_program("policy", "crds", "policy"), 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
