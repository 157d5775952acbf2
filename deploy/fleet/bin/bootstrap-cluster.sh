#!/usr/bin/env bash
# Makes the Secrets of ../bootstrap/secrets.yaml that a cluster lacks, and the encrypted files of this repository for it (commit them). Run once per
# cluster; again does no harm.
#
#   OP_SERVICE_ACCOUNT_TOKEN=<token> ./bin/bootstrap-cluster.sh --cluster home --context home
#
# --cluster names a directory of clusters/; without it no file is encrypted. The arguments go to `weber bootstrap secrets` and must name the Kubernetes
# cluster, too: --context NAME, --kubeconfig FILE or --state DIR. WEBER names the program, default: weber.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
exec "${WEBER:-weber}" bootstrap secrets --filename "$here/bootstrap/secrets.yaml" "$@"
