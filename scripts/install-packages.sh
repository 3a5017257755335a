#!/usr/bin/env bash
# Installs the Debian 12 packages that a group of commands needs and that are missing.
# Usage: install-packages.sh build|demo|test|bench|image|e2e
set -euo pipefail

build=(clang-19 clang-tidy-19 clang-format-19 libclang-rt-19-dev cmake ninja-build ccache pkg-config git
       libboost1.81-dev libssl-dev nlohmann-json3-dev libyaml-cpp-dev libspdlog-dev libfmt-dev
       libsimdjson-dev prometheus-cpp-dev libcli11-dev zlib1g-dev libzstd-dev libgtest-dev libgmock-dev openssl curl python3)
demo=(python3 curl openssl docker-registry)
test=(python3 python3-yaml curl openssl docker-registry apache2-utils skopeo zstd)
bench=(wrk hey nginx-light valgrind strace python3 docker-registry skopeo)
image=(lld-19 llvm-19 binutils ca-certificates python3 openssl docker-registry skopeo iproute2)
e2e=("${image[@]}" python3-yaml apache2-utils curl containerd runc containernetworking-plugins iptables util-linux mount)

case "${1:-}" in
  build) wanted=("${build[@]}") ;;
  demo) wanted=("${demo[@]}") ;;
  test) wanted=("${test[@]}") ;;
  bench) wanted=("${bench[@]}") ;;
  image) wanted=("${image[@]}") ;;
  e2e) wanted=("${e2e[@]}") ;;
  *) echo "usage: $0 build|demo|test|bench|image|e2e" >&2; exit 2 ;;
esac

missing=()
for package in "${wanted[@]}"; do
  state=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
  [[ $state == "install ok installed" ]] || missing+=("$package")
done
(( ${#missing[@]} == 0 )) && exit 0

echo "== installing for '$1', by apt: ${missing[*]}"
as_root=()
if (( $(id -u) != 0 )); then
  command -v sudo > /dev/null || {
    echo "install-packages.sh: run as root, or install sudo, or install these packages yourself: ${missing[*]}" >&2
    exit 1
  }
  as_root=(sudo)
fi
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { "${as_root[@]}" apt-get update -qq && "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"; } > "$log" 2>&1; then
  tail -n 5 "$log" >&2
  echo "install-packages.sh: apt could not install all of: ${missing[*]} (Debian 12 has them all in main)" >&2
  exit 1
fi
