#!/usr/bin/env bash
# Runs every fuzz target for a while, two at a time. Usage: fuzz.sh SECONDS
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-20}

cmake --preset asan > /dev/null
cmake --build --preset asan -j "$(nproc)" --target fuzz_targets
mkdir -p build/fuzz/found

run_one() {
  local target=$1 seconds=$2 name
  name=$(basename "$target")
  mkdir -p "build/fuzz/corpus/$name"
  local seeds=()
  [[ -d tests/fuzz/corpus/$name ]] && seeds=("tests/fuzz/corpus/$name")
  local options=()
  [[ -f tests/fuzz/dictionaries/$name.dict ]] && options=("-dict=tests/fuzz/dictionaries/$name.dict")
  if "$target" "${options[@]}" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1 \
      -artifact_prefix="build/fuzz/found/$name-" "build/fuzz/corpus/$name" "${seeds[@]}" > "build/fuzz/$name.log" 2>&1; then
    echo "fuzz: $name: $(sed -n 's/^stat::number_of_executed_units: *//p' "build/fuzz/$name.log") inputs, nothing found"
  else
    tail -n 40 "build/fuzz/$name.log"
    echo "fuzz: $name: FAILED; the input is in build/fuzz/found/"
    return 1
  fi
}
export -f run_one

ls build/asan/*_fuzz | xargs -P 2 -I {} bash -c 'run_one "$@"' _ {} "$seconds"
echo "fuzz: all targets ran for $seconds s each"
