#!/usr/bin/env bash
# Builds the program as it is shipped, and the release image of it.
# Usage: make.sh [JOBS]; the result is in build/image. SOURCE_DATE_EPOCH and PLIMSOLL_REVISION replace what git says.
set -euo pipefail
cd "$(dirname "$0")/../.."

mkdir -p build/image
log=build/image/build.log
{ cmake --preset image && cmake --build --preset image --target plimsoll -j "${1:-$(nproc)}"; } > "$log" 2>&1 || {
  tail -n 50 "$log"
  exit 1
}
rm -f build/image/plimsoll-*.oci.tar build/image/plimsoll-*.cdx.json
PYTHONDONTWRITEBYTECODE=1 python3 scripts/image/build_image.py --program build/image/plimsoll --output build/image
