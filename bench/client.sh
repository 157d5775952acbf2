#!/usr/bin/env bash
# Applies a second: our client against h2load (Debian: nghttp2-client), by turns, with the same PATCHes on the same server.
#   bench/client.sh [--real] [--rounds 5] [--seconds 3] [--build build/release]
# Without --real the server is the embedded one on a Unix socket (HTTP/1.1); with it a kube-apiserver (HTTP/2 over TLS; needs Go).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
real= rounds=5 seconds=3 build=$root/build/release
while [ $# -gt 0 ]; do
  case $1 in
    --real) real=yes; shift ;;
    --rounds) rounds=$2; shift 2 ;;
    --seconds) seconds=$2; shift 2 ;;
    --build) build=$2; shift 2 ;;
    *) echo "client.sh: unknown flag $1" >&2; exit 2 ;;
  esac
done
bench=$build/client_bench
[ -x "$bench" ] || { echo "client.sh: build it first: ninja -C $build client_bench" >&2; exit 1; }
command -v h2load >/dev/null || { echo "client.sh: no h2load: apt-get install nghttp2-client" >&2; exit 1; }
if [ -n "$real" ] && [ -z "${WEBER_TEST_KUBECONFIG:-}" ]; then
  exec "$root/tests/cluster/cluster.sh" run --bare -- "$0" --real --rounds "$rounds" --seconds "$seconds" --build "$build"
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/weber-bench.XXXXXX")
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
objects=64 in_flight=48
# h2load sends one body to all addresses, so it leaves the name out: the address has it.
printf '%s' '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"labels":{"app":"bench"}},"data":{"text":"a few words of configuration"}}' >"$work/body"
if [ -n "$real" ]; then
  target=(--kubeconfig "$WEBER_TEST_KUBECONFIG")
  url=$(sed -n 's/.*server: "\([^"]*\)".*/\1/p' "$WEBER_TEST_KUBECONFIG")
  token=$(sed -n 's/.*token: \([^}]*\)}.*/\1/p' "$WEBER_TEST_KUBECONFIG")
  shapes=("-c 1 -m $in_flight" "-c 4 -m $((in_flight / 4))")
else
  mkfifo "$work/stdin"
  "$bench" --serve "$work/socket" <"$work/stdin" >"$work/ready" &
  server=$!
  exec 9>"$work/stdin"
  until grep -q ready "$work/ready"; do sleep 0.05; done
  target=(--socket "$work/socket")
  url=http://localhost
  token=
  shapes=("-c $in_flight -m 1 --h1 --base-uri=unix:$work/socket")
fi
for ((i = 0; i < objects; i++)); do echo "$url/api/v1/namespaces/default/configmaps/bench-$i?fieldManager=bench&force=true"; done >"$work/uris"

# Applies a second by h2load; every answer must be a 2xx.
load() {
  h2load $1 -D "$seconds" --warm-up-time=1 -i "$work/uris" -d "$work/body" -H ':method: PATCH' -H 'content-type: application/apply-patch+yaml' \
    ${token:+-H "authorization: Bearer $token"} >"$work/out"
  awk '/^finished in/ {rate = $4} /^status codes:/ {ok = $3; bad = $5 + $7 + $9} END {if (bad + 0 > 0 || ok == 0) exit 1; printf "%.0f\n", rate}' "$work/out" ||
    { cat "$work/out" >&2; exit 1; }
}
median() { sort -n | awk '{v[NR] = $1} END {print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }

"$bench" "${target[@]}" --objects $objects --seconds 0.1 >/dev/null 2>&1 # makes the objects
for ((round = 0; round < rounds; round++)); do
  for i in "${!shapes[@]}"; do load "${shapes[$i]}" >>"$work/h2load.$i"; done
  "$bench" "${target[@]}" --objects $objects --in-flight $in_flight --seconds "$seconds" >>"$work/ours" 2>"$work/cpu"
  "$bench" "${target[@]}" --objects $objects --in-flight $in_flight --seconds "$seconds" --raw >>"$work/raw" 2>"$work/cpu-raw"
done
ours=$(median <"$work/ours") raw=$(median <"$work/raw") best=0
for i in "${!shapes[@]}"; do
  rate=$(median <"$work/h2load.$i")
  echo "h2load ${shapes[$i]%% --h1*}: $rate applies/s"
  best=$(awk -v a="$best" -v b="$rate" 'BEGIN {print (a > b) ? a : b}')
done
echo "weber client: $ours applies/s (transport alone $raw); $(cat "$work/cpu") ($(cat "$work/cpu-raw"))"
awk -v a="$best" -v b="$ours" -v c="$raw" 'BEGIN {printf "h2load / weber: %.2f (transport alone %.2f), goal at most 1.3\n", a / b, a / c}'
