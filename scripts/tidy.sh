#!/usr/bin/env bash
# clang-tidy over our sources: all of them, or those that changed since a revision.
# Usage: tidy.sh all | tidy.sh since REVISION
set -euo pipefail
cd "$(dirname "$0")/.."

case "${1:-}" in
  all) files=$(git ls-files 'policy/*.cc' 'webhook/*.cc') ;;
  since) files=$(git diff --name-only --diff-filter=d "$2" -- 'policy/*.cc' 'webhook/*.cc'
                 headers=$(git diff --name-only --diff-filter=d "$2" -- 'policy/*.h' 'webhook/*.h')
                 for header in $headers; do [[ -f ${header%.h}.cc ]] && echo "${header%.h}.cc"; done || true) ;;
  *) echo "usage: $0 all | since REVISION" >&2; exit 2 ;;
esac
files=$(echo "$files" | sort -u | sed '/^$/d')
if [[ -z $files ]]; then echo "tidy: nothing to look at"; exit 0; fi

[[ -f build/tidy/compile_commands.json ]] || cmake --preset tidy > /dev/null
echo "tidy: $(echo "$files" | wc -l) files"
echo "$files" | xargs -P "$(nproc)" -n 1 clang-tidy-19 -p build/tidy --quiet 2> >(grep -vE 'warnings? generated|Suppressed|Use -header-filter' >&2)
echo "tidy: clean"
