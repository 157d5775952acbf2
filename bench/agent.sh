#!/usr/bin/env bash
# N Kustomizations of one artifact, each ServiceAccount + Deployment (0 replicas) + Service + Ingress with wait: true, on a real kube-apiserver:
# how long `weber agent` takes until all are Ready, with its CPU time, memory and API requests; then the same for kustomize-controller, if one is named.
#
#   bench/agent.sh [--weber BIN] [--controller KUSTOMIZE_CONTROLLER] [--sizes "200 1000"]
#
# Needs the real peers (tests/cluster/tools.sh). Figures of kustomize-controller v1.9.6 on 2 cores, measured once: bench/README.md.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
weber=$root/build/release/weber controller= sizes="200"
while (($#)); do
  case $1 in
    --weber) weber=$2 ;; --controller) controller=$2 ;; --sizes) sizes=$2 ;;
    *) sed -n 2,8p "$0" >&2; exit 2 ;;
  esac
  shift 2
done
[ -x "$weber" ] || { echo "agent.sh: no $weber: cmake --preset release && ninja -C build/release weber" >&2; exit 2; }
weber=$(realpath "$weber")
printf '| N | program | seconds | CPU s | peak MiB | requests | requests / Kustomization |\n|---|---|---|---|---|---|---|\n'
for n in $sizes; do
  "$root/tests/cluster/cluster.sh" run --no-nodes -- bash "$here/agent_run.sh" "$n" weber "$weber"
  [ -z "$controller" ] || "$root/tests/cluster/cluster.sh" run --no-nodes -- bash "$here/agent_run.sh" "$n" kustomize-controller "$(realpath "$controller")"
done
