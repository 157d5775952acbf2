#!/usr/bin/env bash
# Installs the Debian packages named in the given files that this machine lacks. Nothing is missing: nothing is done, no root needed.
#
#   deploy/install-packages.sh FILE...     one package a line, # begins a comment
#
# Exit status: 0 all there, 1 they could not be installed.
set -euo pipefail

missing=()
for package in $(sed 's/#.*//' "$@"); do
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

command -v apt-get >/dev/null || {
  echo "install-packages.sh: this is no Debian; what is needed goes by these names there: ${missing[*]}" >&2
  exit 1
}
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || {
    echo "install-packages.sh: run this as root: apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  }
  as_root=(sudo)
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "installing ${#missing[@]} Debian packages: ${missing[*]}"
if ! { "${as_root[@]}" apt-get update -qq &&
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
  tail -n 30 "$log" >&2
  echo "install-packages.sh: apt-get failed, its last lines are above" >&2
  exit 1
fi
