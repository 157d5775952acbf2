#!/usr/bin/env bash
# One line of bench/agent.sh's table, inside a cluster. Arguments: N, weber or kustomize-controller, the program.
set -euo pipefail
n=$1 kind=$2 program=$3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
kubectl=$(ls "$HOME"/.cache/weber-tools/kubectl/*/kubectl | tail -1)
dir=$(mktemp -d)
pids=()
cleanup() {
  ((${#pids[@]} == 0)) || kill "${pids[@]}" 2>/dev/null || true
  rm -rf "$dir"
}
trap cleanup EXIT

python3 "$here/agent_tree.py" "$n" "$dir"
tar -C "$dir/source" -czf "$dir/artifact.tar.gz" .
digest=sha256:$(sha256sum "$dir/artifact.tar.gz" | cut -d' ' -f1)
python3 - "$dir" >"$dir/port" 2>/dev/null <<'PY' &
import functools, http.server, sys
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1]))
print(server.server_port, flush=True)
server.serve_forever()
PY
pids+=($!)
until [ -s "$dir/port" ]; do sleep 0.05; done
port=$(cat "$dir/port")

"$kubectl" apply --server-side -k "$root/deploy/install/crds" >/dev/null
"$kubectl" wait --for=condition=Established crd --all >/dev/null
"$kubectl" create -f "$dir/source.yaml" >/dev/null
"$kubectl" patch gitrepository fleet --subresource=status --type=merge >/dev/null -p "{\"status\":{\"artifact\":{\"url\":\"http://127.0.0.1:$port/artifact.tar.gz\",
 \"digest\":\"$digest\",\"revision\":\"main@sha1:1\",\"path\":\"x\",\"lastUpdateTime\":\"2026-01-01T00:00:00Z\"}}}"
"$kubectl" create -f "$dir/kustomizations.yaml" >/dev/null

requests() { "$kubectl" get --raw /metrics | awk '/^apiserver_request_total/ && !/verb="WATCH"/ { sum += $NF } END { printf "%d", sum }'; }
before=$(requests)
begin=$(date +%s.%N)
if [ "$kind" = weber ]; then
  "$program" agent --kubeconfig "$KUBECONFIG" --controllers kustomization --concurrent 10 --metrics-addr "" --health-addr "" >"$dir/log" 2>&1 &
else
  RUNTIME_NAMESPACE=default "$program" --concurrent=10 --enable-leader-election=false --health-addr=127.0.0.1:0 --metrics-addr=127.0.0.1:0 >"$dir/log" 2>&1 &
fi
agent=$!
pids+=("$agent")
# One watch tells of readiness, so that looking costs the server nothing.
mkfifo "$dir/seen"
timeout 1800 "$kubectl" get kustomizations --watch -o 'jsonpath={.metadata.name} {.status.conditions[?(@.type=="Ready")].status}{"\n"}' >"$dir/seen" 2>/dev/null &
pids+=($!)
declare -A ready=()
while read -r name status; do
  [ "$status" != True ] || ready[$name]=1
  ((${#ready[@]} < n)) || break
done <"$dir/seen"
end=$(date +%s.%N)
cpu=$(awk -v hz="$(getconf CLK_TCK)" '{ print ($14 + $15) / hz }' "/proc/$agent/stat")
peak=$(awk '/VmHWM/ { print $2 / 1024 }' "/proc/$agent/status")
count=$(($(requests) - before))
awk -v n="$n" -v kind="$kind" -v t="$(echo "$end - $begin" | bc)" -v cpu="$cpu" -v peak="$peak" -v count="$count" \
  'BEGIN { printf "| %d | %s | %.1f | %.2f | %.0f | %d | %.1f |\n", n, kind, t, cpu, peak, count, count / n }'
