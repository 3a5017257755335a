#!/usr/bin/env python3
"""What a real API server makes of plimsoll's answers: every kind, every way to change it, every way in which a call can fail."""
import contextlib
import sys
import time

import programs
from admission_conditions import Conditions
from admission_failures import Failures
from admission_kinds import Kinds
from admission_kubectl import Kubectl
from admission_pods import Pods
from admission_stage import Stage
from admission_words import Words
from harness import check_rows


def main():
    began = time.monotonic()
    with contextlib.ExitStack() as ends:
        try:
            stage = ends.enter_context(Stage())
        except programs.Unavailable as missing:
            programs.end_without(missing)
        groups = [group(stage) for group in (Kinds, Pods, Words, Failures, Conditions, Kubectl)]
        for group in groups:
            group.prepare()  # what has to be stored before anything is judged
        stage.configure_all()
        for group in groups:
            group.judge()
        print(f"ready after {time.monotonic() - began:.1f} s", flush=True)
        code = check_rows("reviews of a real API server", [row for group in groups for row in group.rows()], workers=6)
    print(f"{time.monotonic() - began:.1f} s")
    return code


if __name__ == "__main__":
    sys.exit(main())
