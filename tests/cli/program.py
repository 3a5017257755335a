"""Runs the built program (the environment variable PLIMSOLL) and keeps files for one test."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

PROGRAM = os.environ.get("PLIMSOLL", "build/dev/plimsoll")


class ProgramTest(unittest.TestCase):
    """A test with a directory of its own as the working directory of the program."""

    maxDiff = None

    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="plimsoll-cli-")
        self.addCleanup(scratch.cleanup)
        self.directory = pathlib.Path(scratch.name)

    def write(self, name, text):
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return name

    def run_program(self, *arguments, stdin="", environment=None):
        variables = {"PATH": os.environ.get("PATH", ""), **(environment or {})}
        for name, value in os.environ.items():
            if name.endswith("SAN_OPTIONS") or name == "LLVM_PROFILE_FILE":
                variables[name] = value
        return subprocess.run(
            [os.path.abspath(PROGRAM), *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            cwd=self.directory,
            env=variables,
            timeout=60,
        )

    def assert_exit(self, result, code):
        self.assertEqual(result.returncode, code, f"{result.stdout}\n{result.stderr}")

    def check_json(self, *arguments, stdin="", code=None):
        result = self.run_program("check", "--output", "json", *arguments, stdin=stdin)
        if code is not None:
            self.assert_exit(result, code)
        return json.loads(result.stdout)


def policy(spec, name="p"):
    """A policy document; `spec` is YAML with two blanks of indentation."""
    return (
        "apiVersion: plimsoll.dev/v1alpha1\nkind: HygienePolicy\n"
        f"metadata: {{name: {name}}}\nspec:\n{spec}"
    )


def pod(name="web", image="nginx", namespace=None, extra=""):
    """A Pod as one line of YAML in flow style."""
    where = f", namespace: {namespace}" if namespace else ""
    return (
        f"{{apiVersion: v1, kind: Pod, metadata: {{name: {name}{where}}}, "
        f'spec: {{containers: [{{name: main, image: "{image}"{extra}}}]}}}}\n'
    )


TAGS = "  rules:\n    image-tag: {action: %s}\n"
