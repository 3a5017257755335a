"""The bench programs still work: every phase of every review, and the answers that are measured."""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import fixtures

PROGRAM = os.environ.get("REVIEW_BENCH", "build/release/review_bench")
# What the built-in policy says to each.
EXPECTED_WARNINGS = {"pod-2k": 0, "deployment-12k": 0, "update-24k": 0, "pod-64k": 0, "careless-12k": 10}


class Smoke(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="plimsoll-bench-")
        self.addCleanup(self.folder.cleanup)
        self.sizes = fixtures.write_all(pathlib.Path(self.folder.name))

    def run_program(self, phase, count, name):
        return subprocess.run([PROGRAM, phase, str(count), f"{self.folder.name}/{name}.json"],
                              capture_output=True, text=True, check=False, timeout=30)

    def test_sizes_are_what_the_names_say(self):
        for name, size in self.sizes.items():
            nominal = int(name.rsplit("-", 1)[1].rstrip("k")) * 1000
            self.assertLess(abs(size - nominal) / nominal, 0.15, f"{name} has {size} bytes")

    def test_every_phase_of_every_review(self):
        for name in self.sizes:
            for phase in ("read", "evaluate", "answer"):
                result = self.run_program(phase, 2, name)
                self.assertEqual((result.returncode, result.stderr), (0, ""), f"{name} {phase}")

    def test_answers_are_allowed_with_as_many_warnings_as_expected(self):
        for name, warnings in EXPECTED_WARNINGS.items():
            result = self.run_program("answer", 0, name)
            self.assertEqual(result.returncode, 0, result.stderr)
            response = json.loads(result.stderr)["response"]
            self.assertTrue(response["allowed"])
            self.assertEqual(len(response.get("warnings", [])), warnings, f"{name}: {response}")

    def test_reading_allocates_nothing(self):
        for name in self.sizes:
            result = self.run_program("read", 0, name)
            self.assertEqual(float(result.stdout.split()[0]), 0, name)


if __name__ == "__main__":
    unittest.main()
