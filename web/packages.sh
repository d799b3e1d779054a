#!/bin/sh
# usage: packages.sh NPM STAMP package.json package-lock.json .npmrc
# Fetches the packages the lock file names into the stamp's folder: nothing of theirs is run,
# and each is compared with its checksum.
set -eu
npm=$1
stamp=$2
shift 2
folder=$(dirname "$stamp")
for file in "$@"; do
  cp "$file" "$folder/"
done
cd "$folder"
if ! "$npm" ci --ignore-scripts --no-audit --no-fund --prefer-offline >packages.log 2>&1; then
  cat packages.log >&2
  echo "npm could not fetch the dashboard's packages. Without a network: meson configure -Dweb=disabled" >&2
  exit 1
fi
touch "$(basename "$stamp")"
