#!/usr/bin/env bash
# Runs programs of this folder: run.sh e2e|cluster|node_selftest ARGUMENT... See each one's first lines.
set -euo pipefail
cd "$(dirname "$0")/../.."
support=tests/support
export PYTHONPATH=$support/control_plane:$support/node:$support/helm:tests/integration:tests/registry PYTHONDONTWRITEBYTECODE=1
exec python3 "tests/e2e/$1.py" "${@:2}"
