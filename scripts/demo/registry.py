"""A registry with two images in it, for the demo.

  registry.py DIRECTORY    starts it, writes DIRECTORY/registry.json and registries.yaml, ends with its standard input
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests/registry"))
import images  # noqa: E402
import registries  # noqa: E402


def main():
    root = Path(sys.argv[1])
    layout = images.build_all(root / "images", fat_mib=48)
    with registries.Registry() as registry:
        for name, tag in (("fat", "1.4.2"), ("light", "1.5.0")):
            registry.push(layout, name, tag, to="shop/web")
        entry = {"host": registry.host, "private": True, "ca": str(registry.authority.ca)}
        (root / "registries.yaml").write_text(json.dumps(
            {"apiVersion": "plimsoll.dev/v1alpha1", "kind": "RegistryConfig", "spec": {"registries": [entry]}}, indent=2))
        (root / "registry.json").write_text(json.dumps({"host": registry.host}))
        sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main())
