#!/usr/bin/env bash
# Reads and writes 17 MB of manifests through our YAML reader and writer, and through kustomize's (`kustomize cfg cat`), in CPU time.
#   bench/yaml.sh [BUILD] [ROUNDS] [FILE...]      default: build/release 5, and the trees of bench/generate.py
# The medians of ROUNDS: ours read, write and both in MB/s; kustomize's both.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build/release} rounds=${2:-5}
shift $(($# < 2 ? $# : 2))
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
files=("$@")
if [ $# = 0 ]; then
  bench/generate.py flat 2000 "$temporary/flat"
  mapfile -t files < <(find "$temporary/flat" -name '*.yaml' ! -name kustomization.yaml)
fi
"$build/yaml_bench" "$rounds" 17 "${files[@]}" >"$temporary/ours"
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
printf 'weber: read %s MB/s, write %s MB/s, both %s MB/s\n' "$(cut -d' ' -f1 "$temporary/ours" | median)" \
  "$(cut -d' ' -f2 "$temporary/ours" | median)" "$(cut -d' ' -f3 "$temporary/ours" | median)"

kustomize=$(find "${WEBER_TOOLS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/weber-tools}/kustomize" -name kustomize -type f 2>/dev/null | sort | tail -1 || true)
[ -n "$kustomize" ] || { echo "kustomize is not built: tests/cluster/tools.sh kustomize" >&2; exit 0; }
mkdir "$temporary/in"
while [ "$(cat "$temporary"/in/* 2>/dev/null | wc -c)" -lt 17000000 ]; do
  n=$((${n:-0} + 1))
  for file in "${files[@]}"; do cat "$file"; echo ---; done >"$temporary/in/$n.yaml"
done
bytes=$(cat "$temporary"/in/* | wc -c)
for _ in $(seq "$rounds"); do
  TIMEFORMAT='%U %S'
  { time "$kustomize" cfg cat "$temporary/in" >/dev/null 2>&1; } 2>&1 | awk -v bytes="$bytes" '{ print bytes / 1e6 / ($1 + $2) }'
done | median | awk '{ printf "kustomize cfg cat: both %.1f MB/s\n", $1 }'
