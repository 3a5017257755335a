#!/usr/bin/env bash
# Builds the release image twice, in two fresh directories, the second time without ccache, and compares the digests.
# Usage: reproduce.sh [JOBS]
set -euo pipefail
cd "$(dirname "$0")/../.."

export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y CMakeLists.txt)}
export PLIMSOLL_REVISION=${PLIMSOLL_REVISION:-$(git rev-parse HEAD 2>/dev/null || echo unknown)}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
first=$scratch/a/plimsoll
second=$scratch/in-another-place/with/a/longer/name
mkdir -p "$first" "$second"
tar -c CMakeLists.txt CMakePresets.json LICENSE cmake policy webhook scripts/image | tar -x -C "$first"
tar -C "$first" -c . | tar -x -C "$second"

for directory in "$first" "$second"; do
  if [[ $directory == "$second" ]]; then export CCACHE_DISABLE=1; fi
  echo "== building in $directory${CCACHE_DISABLE:+, without ccache}"
  "$directory/scripts/image/make.sh" "${1:-$(nproc)}" | tail -n 1 | tee "$directory/digest"
done

cmp "$first"/build/image/plimsoll "$second"/build/image/plimsoll || echo "the programs differ"
cmp "$first"/build/image/*.oci.tar "$second"/build/image/*.oci.tar || echo "the archives differ"
cmp --quiet "$first/digest" "$second/digest" || { echo "reproduce.sh: the digests differ"; exit 1; }
echo "reproduce.sh: the same digest twice: $(< "$first/digest")"
