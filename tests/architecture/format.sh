#!/usr/bin/env bash
# Fails where clang-format would change a source. Usage: format.sh ROOT
set -euo pipefail
cd "$1"
files=$(git ls-files -co --exclude-standard '*.h' '*.cc')
echo "$files" | xargs clang-format-19 --dry-run -Werror
echo "format: $(echo "$files" | wc -l) files are as clang-format wants them"
