#!/usr/bin/env python3
"""Tests the release image: what is in it, that it runs alone, and that plimsoll would admit it. Usage: image_test.py ARCHIVE."""

import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
from confined import enter_namespace  # noqa: E402

enter_namespace()
import content_rows  # noqa: E402
import judged_rows  # noqa: E402
import run_rows  # noqa: E402
from image_stage import Stage, harness  # noqa: E402
from unpacked_image import UnpackedImage  # noqa: E402


def test_running(stage):
    """In this order: each row may use what those before it have done."""
    failed = harness.check_rows("plimsoll judges its own image", judged_rows.rows(stage), workers=1)
    server = run_rows.Serving(stage)
    try:
        failed += harness.check_rows("the image alone, read-only, without rights", run_rows.rows(stage, server), workers=1)
    finally:
        if server.alive():
            server.process.kill()
    print(f"\nplimsoll serve in the image: {server.peak} MiB resident at most, one review that asked a registry included")
    return failed


def main():
    with tempfile.TemporaryDirectory(prefix="plimsoll-image-") as directory:
        root = Path(directory, "root")
        root.mkdir(mode=0o755)
        image = UnpackedImage(sys.argv[1], root)
        failed = harness.check_rows("what is in the image", content_rows.rows(image), workers=1)
        stage = Stage(image, directory)
        try:
            failed += test_running(stage)
        finally:
            stage.close()
    size = f"{image.compressed / 1e6:.2f} MB compressed"
    print(f"\n{sys.argv[1]}: {size}, {image.digest}: {'NOT as it should be' if failed else 'all rows passed'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
