#!/usr/bin/env bash
# Shows the main job: a real server, real reviews over TLS, and the same verdicts on the command line.
# Usage: run.sh PLIMSOLL
set -euo pipefail
program=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
server=
registry=
trap '[[ -n $server ]] && kill "$server" 2> /dev/null; exec 9>&-; [[ -n $registry ]] && wait "$registry" 2> /dev/null; rm -rf "$work"' EXIT

echo "== a registry (docker-registry, TLS) with a fat image and a light one"
mkfifo "$work/until"
python3 "$here/registry.py" "$work" < "$work/until" &
registry=$!
exec 9> "$work/until"
for _ in $(seq 600); do
  [[ -s $work/registry.json ]] && break
  kill -0 "$registry" 2> /dev/null || break
  sleep 0.05
done
[[ -s $work/registry.json ]] || { echo "make demo: the registry did not start"; exit 1; }

echo "== a serving certificate (openssl, P-256)"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=plimsoll-demo \
  -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$work/tls.key" -out "$work/tls.crt" 2> /dev/null

echo "== plimsoll serve --policy scripts/demo/policy.yaml --registries registries.yaml"
"$program" serve --cert "$work/tls.crt" --key "$work/tls.key" --policy "$here/policy.yaml" \
  --registries "$work/registries.yaml" \
  --listen 127.0.0.1:0 --health-listen 127.0.0.1:0 --shutdown-delay 0s > "$work/log" &
server=$!
for _ in $(seq 100); do
  address=$(sed -n 's/.*"event":"listening","address":"\([^"]*\)".*/\1/p' "$work/log")
  [[ -n $address ]] && break
  sleep 0.05
done
[[ -n $address ]] || { echo "make demo: the server did not start"; cat "$work/log"; exit 1; }
echo "   reviews are posted to https://$address/validate"

python3 "$here/reviews.py" make "$work"
wrong=0
for name in unfit fit label pod fat light; do
  curl --silent --show-error --fail --cacert "$work/tls.crt" -H 'Content-Type: application/json' \
    --data-binary "@$work/$name.json" "https://$address/validate?timeout=10s" > "$work/answer"
  python3 "$here/reviews.py" show "$name" "$work/answer" || wrong=1
done

echo
echo "== the same at the desk: plimsoll check --policy scripts/demo/policy.yaml"
cd "$here"
status=0
"$program" check --policy policy.yaml unfit.yaml fit.yaml || status=$?
[[ $status == 1 ]] || wrong=1

host=$(sed 's/.*"host": "\([^"]*\)".*/\1/' "$work/registry.json")
echo
echo "== what the fat image is made of: plimsoll image $host/shop/web:1.4.2"
"$program" image --registries "$work/registries.yaml" "$host/shop/web:1.4.2" || wrong=1

kill -TERM "$server"
wait "$server" || wrong=1
server=
if [[ $wrong != 0 ]]; then echo "make demo: FAILED: a verdict is not as it should be"; exit 1; fi
echo
echo "make demo: all verdicts are as they should be"
