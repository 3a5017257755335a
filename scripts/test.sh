#!/usr/bin/env bash
# Runs ctest; where tests fail, what failed within each of them comes last, for whoever sees only the end of the output.
# Usage: test.sh PRESET CTEST-ARGUMENT...
set -euo pipefail
cd "$(dirname "$0")/.."

code=0
ctest --preset "$1" "${@:2}" || code=$?
if [[ $code = 0 ]]; then exit; fi
echo
echo "what failed within the tests:"
awk '/^[0-9]+\/[0-9]+ Test: /    { test = $3; count = 0; wanted = 0 }
     /^all rows$/                { wanted = -1 }  # they are told once, before
     wanted > 0 && NF            { told[++count] = "    " $0; wanted-- }
     wanted >= 0 && /^FAIL |Failure$|ERROR: |runtime error: |^[A-Za-z.]+(Error|Exception): / { told[++count] = $0; wanted = 2 }
     /^Test (Failed|timed out)/  { print test ": " $0; for (i = 1; i <= count && i <= 9; i++) print "  " substr(told[i], 1, 300) }' \
  "build/$1/Testing/Temporary/LastTest.log" | head -n 40
exit "$code"
