"""Group 11: a newcomer installs plimsoll by the README and sees a Deployment refused, in the words that stand there."""
import re
import subprocess
import time

from cluster import REGISTRY, environment
from stage import ROOT

SECTION = "## Install"
MINUTES = 5


class Readme:
    def __init__(self, stage):
        self.stage, self.said = stage, []
        section = (ROOT / "README.md").read_text().partition(f"\n{SECTION}\n")[2].partition("\n## ")[0]
        blocks = re.findall(r"^```\w*\n(.*?)^```$", section, re.M | re.S)
        self.commands, self.shown = blocks[0].replace("\\\n", " ").replace("REGISTRY", REGISTRY).strip().splitlines(), blocks[1].strip()

    def commands_of_it(self):
        """`make image` has been run: the archive of this run is pushed."""
        return "; ".join(" ".join(line.split()[:2]) for line in self.commands)

    def followed(self):
        self.stage.node.kubectl("delete", "namespace", "shop", timeout=120)
        registry = self.stage.node.registry("none")
        given = environment(self.stage.node, registry, self.stage.directory)
        began = time.monotonic()
        for line in self.commands[1:]:
            line = line.replace("scripts/image/push.sh " + f"{REGISTRY}/plimsoll:0.1.0", f"scripts/image/push.sh {REGISTRY}/plimsoll:0.1.0 {self.stage.archive}")
            done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, env=given, cwd=ROOT, timeout=300)
            self.said.append((done.returncode, done.stdout + done.stderr))
        self.seconds = time.monotonic() - began
        print(f"   from the push to the refusal {self.seconds:.0f} s", flush=True)
        failed = [text[-600:] for code, text in self.said[:-1] if code]
        return f"{failed or 'done'}, within {MINUTES} minutes: {self.seconds < 60 * MINUTES}"

    def refusal(self):
        """All that the README shows, line by line, is what kubectl printed."""
        code, text = self.said[-1]
        missing = [line for line in self.shown.splitlines() if f"{line}\n" not in text]
        return f"exit {code}, " + ("as it stands there" if not missing and self.shown else f"missing {missing} in {text[-1500:]}")

    def rows(self):
        return [
            ("11.1", "the commands of section Install", "make image; scripts/image/push.sh {0}/plimsoll:0.1.0; helm install; kubectl create; kubectl apply"
             .format(REGISTRY), self.commands_of_it),
            ("11.2", "followed, on a cluster that has nothing", f"done, within {MINUTES} minutes: True", self.followed),
            ("11.3", "the Deployment is refused", "exit 1, as it stands there", self.refusal),
        ]


def rows(stage):
    return Readme(stage).rows()
