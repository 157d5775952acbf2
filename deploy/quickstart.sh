#!/usr/bin/env bash
# From a fresh clone on Debian 12 to a reconciled fleet: installs what the build needs, builds Weber, copies deploy/fleet to build/fleet, makes its secrets
# (bin/bootstrap-cluster.sh: one of them encrypted in a file of that copy) and reconciles it to an embedded API server (no cluster needed, none is touched).
# Running it again is quick and says `unchanged`; your edits in build/fleet stay.
#
#   deploy/quickstart.sh [CLUSTER]     default: home; see deploy/fleet/clusters
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
cluster=${1:-home}
[ -d "deploy/fleet/clusters/$cluster" ] || {
  echo "quickstart.sh: there is no deploy/fleet/clusters/$cluster; choose one of: $(ls deploy/fleet/clusters | xargs)" >&2
  exit 2
}

deploy/install-packages.sh deploy/packages.txt

echo "building Weber (preset release; a few minutes the first time)"
mkdir -p build/release
cmake --preset release >build/release/configure.log 2>&1 || {
  tail -n 40 build/release/configure.log >&2
  exit 1
}
ninja -C build/release --quiet weber

weber=build/release/weber
fleet=build/fleet
state=build/fleet-state/$cluster
[ -d "$fleet" ] || cp -r deploy/fleet "$fleet"
mkdir -p build/fleet-state

# Only placeholders of 1Password here: nothing ever asks it.
OP_SERVICE_ACCOUNT_TOKEN=${OP_SERVICE_ACCOUNT_TOKEN:-none} WEBER=$weber "$fleet/bin/bootstrap-cluster.sh" --cluster "$cluster" --state "$state"
"$weber" reconcile --once --path "$fleet" --cluster "$cluster" --state "$state"

cat <<EOT

The fleet is reconciled. Next:
  $weber reconcile --once --path $fleet --cluster $cluster --state $state
                                                                         again: everything is unchanged
  edit $fleet/apps/redis/deployment.yaml, run that again          what you changed is configured
  $weber get kustomizations --state $state                               what is where
  $weber tree kustomization flux-system --state $state                   who made what
  $weber reconcile --once --path $fleet --cluster $cluster --kubeconfig FILE --dry-run
                                                                         what would change in a real cluster
EOT
