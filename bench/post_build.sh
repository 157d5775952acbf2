#!/usr/bin/env bash
# Substitution over 10,000 objects and decryption of 1,000 files: ours and kustomize-controller's own code (flux-oracle), by turns.
#
#   bench/post_build.sh [BUILD-DIRECTORY] [ROUNDS]     default: build/release 5
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
ours=${1:-build/release}/post_build_bench
rounds=${2:-5}
theirs=$(tests/cluster/tools.sh flux-oracle | cut -d' ' -f2)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

"$ours" objects 10000 >"$dir/objects.yaml"
echo '{"namespace":"apps","cluster_name":"home","domain":"home.example.org","zone":"eu-1"}' >"$dir/values.json"
"$ours" files "$dir/files" "$dir/key" 1000

median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
compare() { # NAME MODE INPUT VALUES-OR-KEY TIMES-A-PROCESS
  local name=$1 mode=$2 input=$3 key=$4 each=$5
  : >"$dir/a" && : >"$dir/b"
  for _ in $(seq "$rounds"); do
    "$ours" "$mode" "$input" "$key" "$each" >>"$dir/a"
    "$theirs" "bench-$mode" "$input" "$key" "$each" >>"$dir/b"
  done
  local a b
  a=$(median <"$dir/a") b=$(median <"$dir/b")
  awk -v n="$name" -v a="$a" -v b="$b" 'BEGIN { printf "%-36s weber %8.1f ms   kustomize-controller %9.1f ms   %6.1fx\n", n, a * 1000, b * 1000, b / a }'
}

compare "substitution, 10,000 objects" substitute "$dir/objects.yaml" "$dir/values.json" 1
compare "decryption, 1,000 files" decrypt "$dir/files" "$dir/key" 3 # both sides are processes that stay
