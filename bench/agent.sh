#!/usr/bin/env bash
# `weber agent` and Flux's kustomize-controller by turns, each on a fresh kube-apiserver: seconds until all Kustomizations are Ready, CPU, memory, API requests.
#
#   bench/agent.sh [--weber BIN] [--controller BIN|none] [--scenario ready|chain|commit|interval|failing] [--sizes "200 1000"] [--cap SECONDS]
#
#   ready     N Kustomizations of one artifact, each ServiceAccount + Deployment (0 replicas) + Service + Ingress, wait: true; ratios at the end (sizes: 200)
#   chain     N that each depend on the one before (20)
#   commit    N as in `ready`, then a commit that touches one of them (300)
#   interval  N of 500 ConfigMaps each; then all are asked to reconcile though nothing changed (20: 10,000 objects)
#   failing   N of one ConfigMap each, every tenth is refused by the API server (1000)
#
# Only `ready` runs kustomize-controller, too, and gives it up after --cap seconds (600). Needs the real peers (tests/cluster/tools.sh).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
weber=$root/build/release/weber controller= scenario=ready sizes= cap=600
while (($#)); do
  case $1 in
    --weber) weber=$2 ;; --controller) controller=$2 ;; --scenario) scenario=$2 ;; --sizes) sizes=$2 ;; --cap) cap=$2 ;;
    *) sed -n 2,12p "$0" >&2; exit 2 ;;
  esac
  shift 2
done
case $scenario in
  ready) sizes=${sizes:-200} ;; chain) sizes=${sizes:-20} ;; commit) sizes=${sizes:-300} ;; interval) sizes=${sizes:-20} ;; failing) sizes=${sizes:-1000} ;;
  *) sed -n 2,12p "$0" >&2; exit 2 ;;
esac
[ -x "$weber" ] || { echo "agent.sh: no $weber: cmake --preset release && ninja -C build/release weber" >&2; exit 2; }
if [ "$scenario" != ready ]; then controller=none
elif [ -z "$controller" ]; then controller=$("$root/tests/cluster/tools.sh" kustomize-controller | cut -d' ' -f2); fi
figures=$(mktemp)
trap 'rm -f "$figures"' EXIT
one() { "$root/tests/cluster/cluster.sh" run --no-nodes -- python3 "$here/agent_run.py" "$scenario" "$1" "$2" "$cap" 3>>"$figures"; }
printf '| scenario | N | program | seconds | CPU s | peak MiB | requests | requests / Kustomization | |\n|---|---|---|---|---|---|---|---|---|\n'
for n in $sizes; do
  one "$n" "$(realpath "$weber")"
  [ "$controller" = none ] || one "$n" "$(realpath "$controller")"
done
awk '{ key = $1 " " $2; time[key] = $3; cpu[key] = $4; made[key] = $6; ready[key] = $7; if ($1 == "weber") size[$2] = 1 }
  END { for (n in size) { f = "kustomize-controller " n; w = "weber " n; if (!(f in time)) continue
    printf "N = %d: %s%.1fx less time, %.0fx less CPU, %.1fx fewer requests a Kustomization\n", n, ready[f] < n ? "more than " : "", time[f] / time[w], cpu[f] / cpu[w], made[f] / made[w] } }' "$figures"
