#!/usr/bin/env bash
# Records expected.yaml of every case beside this script with the real kustomize (v5.8.1), never with ours.
# Usage: golden/record.sh /path/to/kustomize
set -euo pipefail
kustomize=${1:?path of kustomize v5.8.1}
[[ $("$kustomize" version) == v5.8.1 ]] || { echo "need v5.8.1" >&2; exit 2; }
for dir in "$(dirname "$0")"/*/; do
  target=$dir/in
  [[ -f $dir/target ]] && target=$dir/in/$(cat "$dir/target")
  "$kustomize" build "$target" >"$dir/expected.yaml"
done
