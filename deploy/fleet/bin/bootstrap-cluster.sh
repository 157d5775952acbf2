#!/usr/bin/env bash
# Makes the Secrets of ../bootstrap/secrets.yaml that a cluster lacks. Run once per cluster; again does no harm.
#
#   OP_SERVICE_ACCOUNT_TOKEN=<token> ./bin/bootstrap-cluster.sh --context home
#
# The arguments go to `weber bootstrap secrets` and must name the cluster: --context NAME, --kubeconfig FILE or --state DIR. WEBER names the
# program, default: weber.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
exec "${WEBER:-weber}" bootstrap secrets --filename "$here/bootstrap/secrets.yaml" "$@"
