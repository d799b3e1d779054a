#!/usr/bin/env bash
# Installs Debian packages that are missing; quiet and quick when none is.
#
#   tools/packages.sh build          what ./run needs to build and run
#   tools/packages.sh build check    and what ./check needs to test
set -euo pipefail

build=(
  gcc g++ libc6-dev meson ninja-build pkg-config python3
  libcurl4-openssl-dev libmicrohttpd-dev libsqlite3-dev libjansson-dev
  libyaml-dev libsnappy-dev zlib1g-dev libzstd-dev libre2-dev libsodium-dev libxxhash-dev libmd4c-dev
  ca-certificates tzdata
)
check=(
  libcmocka-dev clang clang-format clang-tidy libclang-rt-14-dev
  chromium chromium-driver fonts-dejavu-core curl git procps spin
)

wanted=()
for group in "$@"; do
  case $group in
    build) wanted+=("${build[@]}") ;;
    check) wanted+=("${check[@]}") ;;
    *) echo "tools/packages.sh: unknown group '$group' (build, check)" >&2; exit 2 ;;
  esac
done
# Any node of at least 18 with npm serves; Debian's is taken when there is none.
if ! command -v npm >/dev/null || ! node -e 'process.exit(+process.versions.node.split(".")[0] < 18 ? 1 : 0)' 2>/dev/null; then
  wanted+=(nodejs npm)
fi

missing=()
for package in "${wanted[@]}"; do
  dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || {
    echo "These Debian packages are missing and there is no sudo to install them:" >&2
    echo "  ${missing[*]}" >&2
    exit 1
  }
  as_root=(sudo)
fi
echo "Installing ${#missing[@]} Debian packages: ${missing[*]}"
"${as_root[@]}" apt-get update -q >/dev/null || echo "apt-get update failed; going on with what apt knows" >&2
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null
