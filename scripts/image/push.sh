#!/usr/bin/env bash
# Pushes the release image with skopeo, and its bill of materials as a referrer of it.
# Usage: push.sh REGISTRY/REPOSITORY:TAG [ARCHIVE]
# Credentials: `skopeo login`, or a file named by REGISTRY_AUTH_FILE. CERT_DIR: directory with the registry's ca.crt.
set -euo pipefail
cd "$(dirname "$0")/../.."

target=${1:?usage: push.sh REGISTRY/REPOSITORY:TAG [ARCHIVE]}
[[ ${target##*/} == *:* ]] || { echo "push.sh: $target names no tag" >&2; exit 2; }
repository=${target%:*}
archive=${2:-$(ls build/image/plimsoll-*.oci.tar)}
to=() from=()
if [[ -n ${CERT_DIR:-} ]]; then
  to=(--dest-cert-dir "$CERT_DIR")
  from=(--cert-dir "$CERT_DIR")
fi
copy=(skopeo --insecure-policy copy --quiet "${to[@]}")

"${copy[@]}" --preserve-digests "oci-archive:$archive" "docker://$target"

layout=$(mktemp -d)
trap 'rm -rf "$layout"' EXIT
read -r bill tag <<< "$(PYTHONDONTWRITEBYTECODE=1 python3 scripts/image/bill_artifact.py "$archive" "${archive%.oci.tar}.cdx.json" "$layout")"
"${copy[@]}" --preserve-digests "oci:$layout:bill" "docker://$repository@$bill"

# What others have attached stays: skopeo cannot add to such an index without losing what it does not know.
if before=$(skopeo inspect --raw "${from[@]}" "docker://$repository:$tag" 2> /dev/null); then
  [[ $before == *"$bill"* ]] || echo "push.sh: $repository:$tag is left as it is; the bill of materials is $bill" >&2
else
  "${copy[@]}" --multi-arch index-only "oci:$layout:referrers" "docker://$repository:$tag"
fi
echo "push.sh: $repository@${tag/-/:}, its bill of materials $bill"
