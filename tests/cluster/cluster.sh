#!/usr/bin/env bash
# A real Kubernetes control plane on loopback, for tests: etcd, kube-apiserver, kube-controller-manager and, unless --no-nodes,
# kube-scheduler and kwok with one fake node, so that workloads become ready in seconds. --bare: etcd and kube-apiserver alone, so that
# nothing but the requests changes objects (WEBER_BARE_CLUSTER is set then). WEBER_TEST_ETCD is etcd's address, for tests that compact it.
#
#   tests/cluster/cluster.sh run [--no-nodes|--bare] -- COMMAND...   start, run COMMAND with KUBECONFIG and WEBER_TEST_KUBECONFIG, stop
#   tests/cluster/cluster.sh start [--no-nodes|--bare]               prints KUBECONFIG=… and WEBER_TEST_CLUSTER=DIR
#   tests/cluster/cluster.sh stop DIR
#
# Everything listens on 127.0.0.1 and lives in one temporary directory. Exit status of `run` is COMMAND's; 3 when there is no Go to
# build the servers with (tools.sh says so).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
nodes=yes
bare=

fail() {
  echo "cluster.sh: $*" >&2
  exit 1
}

free_ports() { # N distinct ports that are free now
  python3 - "$1" <<'PY'
import socket, sys
held = [socket.socket() for _ in range(int(sys.argv[1]))]
for s in held:
    s.bind(("127.0.0.1", 0))
print(*[s.getsockname()[1] for s in held])
PY
}

# Starts a server in the background; its id goes to $dir/pids in start order, its output to $dir/NAME.log.
launch() {
  local name=$1
  shift
  setsid "$@" >"$dir/$name.log" 2>&1 </dev/null &
  echo "$! $name" >>"$dir/pids"
}

alive() {
  local pid name
  while read -r pid name; do
    kill -0 "$pid" 2>/dev/null || {
      tail -n 20 "$dir/$name.log" >&2
      fail "$name ended early, its last lines are above"
    }
  done <"$dir/pids"
}

# Polls a URL until it answers 200, 60 s at most.
wait_ready() {
  local what=$1 deadline=$((SECONDS + 60))
  shift
  until curl -fsS -o /dev/null --max-time 2 "$@" 2>/dev/null; do
    alive
    [ $SECONDS -lt $deadline ] || fail "$what is not ready after 60 s, see $dir"
    sleep 0.1
  done
}

kubectl() { "$KUBECTL" --kubeconfig "$dir/kubeconfig" "$@"; }

tools() {
  local needed=(etcd kube-apiserver)
  [ -n "$bare" ] || needed+=(kube-controller-manager kubectl)
  [ "$nodes$bare" != yes ] || needed+=(kube-scheduler kwok)
  tool_list=$("$here/tools.sh" "${needed[@]}") || exit $?
  KUBECTL=$(tool kubectl)
}
tool() { awk -v n="$1" '$1 == n {print $2}' <<<"$tool_list"; }

write_kubeconfig() {
  local port=$1 token=$2 ca
  ca=$(base64 -w0 "$dir/certs/apiserver.crt")
  cat >"$dir/kubeconfig" <<YAML
apiVersion: v1
kind: Config
current-context: weber-test
clusters:
- name: weber-test
  cluster: {server: "https://127.0.0.1:$port", certificate-authority-data: $ca}
users:
- name: admin
  user: {token: $token}
contexts:
- name: weber-test
  context: {cluster: weber-test, user: admin}
YAML
  chmod 600 "$dir/kubeconfig"
}

start_cluster() {
  tools
  dir=$(mktemp -d "${TMPDIR:-/tmp}/weber-cluster.XXXXXX")
  : >"$dir/pids"
  local peer_port api_port token
  read -r etcd_port peer_port api_port <<<"$(free_ports 3)"
  token=$(od -An -tx1 -N16 /dev/urandom | tr -d ' \n')
  echo "$token,admin,admin,system:masters" >"$dir/tokens.csv"
  chmod 600 "$dir/tokens.csv"
  openssl genrsa -out "$dir/sa.key" 2048 2>/dev/null

  launch etcd "$(tool etcd)" --data-dir "$dir/etcd" --unsafe-no-fsync --log-level error \
    --listen-client-urls "http://127.0.0.1:$etcd_port" --advertise-client-urls "http://127.0.0.1:$etcd_port" \
    --listen-peer-urls "http://127.0.0.1:$peer_port" --initial-advertise-peer-urls "http://127.0.0.1:$peer_port" \
    --initial-cluster "default=http://127.0.0.1:$peer_port"
  wait_ready etcd "http://127.0.0.1:$etcd_port/health"
  launch kube-apiserver "$(tool kube-apiserver)" --etcd-servers "http://127.0.0.1:$etcd_port" --secure-port "$api_port" \
    --bind-address 127.0.0.1 --advertise-address 127.0.0.1 --cert-dir "$dir/certs" --allow-privileged --authorization-mode RBAC \
    --service-account-key-file "$dir/sa.key" --service-account-signing-key-file "$dir/sa.key" \
    --service-account-issuer https://kubernetes.default.svc --token-auth-file "$dir/tokens.csv" --service-cluster-ip-range 10.96.0.0/16
  wait_ready kube-apiserver -k -H "Authorization: Bearer $token" "https://127.0.0.1:$api_port/readyz"
  write_kubeconfig "$api_port" "$token"
  [ -z "$bare" ] || return 0
  # Its own limit of 20 requests a second would be what every roll-out waits for.
  launch kube-controller-manager "$(tool kube-controller-manager)" --kube-api-qps=500 --kube-api-burst=1000 --kubeconfig "$dir/kubeconfig" --leader-elect=false --secure-port=0 \
    --service-account-private-key-file "$dir/sa.key" --controllers='*,-nodeipam,-cloud-node-lifecycle-controller'
  [ "$nodes" = no ] || start_nodes
  local deadline=$((SECONDS + 60)) # pods cannot be made before their service account
  until kubectl get serviceaccount default -n default >/dev/null 2>&1; do
    alive
    [ $SECONDS -lt $deadline ] || fail "no default service account after 60 s, see $dir"
    sleep 0.1
  done
}

start_nodes() {
  launch kube-scheduler "$(tool kube-scheduler)" --kubeconfig "$dir/kubeconfig" --leader-elect=false --secure-port=0
  # With a lease, as a kubelet has it: kwok's status alone comes every 55 s, the controller-manager takes a node for dead after 50, marks all its Pods not
  # ready, and nothing makes a Pod ready a second time.
  launch kwok "$(tool kwok)" --kubeconfig "$dir/kubeconfig" --manage-all-nodes=true --node-lease-duration-seconds=40
  launch volumes "$here/volumes.sh" "$KUBECTL" "$dir/kubeconfig"
  kubectl apply -f "$here/node.yaml" >/dev/null
}

stop_cluster() {
  local pid name
  [ -f "$dir/pids" ] || fail "$dir is not a cluster of this script"
  while read -r pid name; do
    kill -TERM -- "-$pid" 2>/dev/null || true
    for _ in $(seq 100); do
      kill -0 -- "-$pid" 2>/dev/null || break
      sleep 0.05
    done
    kill -KILL -- "-$pid" 2>/dev/null || true
  done < <(tac "$dir/pids")
  rm -rf "$dir"
}

verb=${1:-}
[ $# -eq 0 ] || shift
case ${1:-} in
  --no-nodes) nodes=no && shift ;;
  --bare) bare=yes && shift ;;
esac
case $verb in
  start)
    dir=
    trap '[ -z "$dir" ] || stop_cluster' ERR EXIT
    start_cluster
    trap - ERR EXIT
    echo "KUBECONFIG=$dir/kubeconfig"
    echo "WEBER_TEST_CLUSTER=$dir"
    ;;
  stop)
    dir=${1:?usage: cluster.sh stop DIR}
    stop_cluster
    ;;
  run)
    [ "${1:-}" = -- ] || fail "usage: cluster.sh run [--no-nodes|--bare] -- COMMAND..."
    shift
    dir=
    trap '[ -z "$dir" ] || stop_cluster' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    start_cluster
    status=0
    [ -z "$bare" ] || export WEBER_BARE_CLUSTER=yes
    KUBECONFIG=$dir/kubeconfig WEBER_TEST_KUBECONFIG=$dir/kubeconfig WEBER_TEST_ETCD=http://127.0.0.1:$etcd_port "$@" || status=$?
    exit $status
    ;;
  *) fail "usage: cluster.sh run [--no-nodes|--bare] -- COMMAND... | start [--no-nodes|--bare] | stop DIR" ;;
esac
