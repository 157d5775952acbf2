#!/usr/bin/env bash
# Builds the real peers of the tests (kube-apiserver, etcd, kustomize, …) from the Go module registry, once per machine.
#
#   tests/cluster/tools.sh [NAME...]   builds what is missing, prints "NAME PATH" for each; default: what the test suite needs
#   tests/cluster/tools.sh --list      names
#
# Cache: ${XDG_CACHE_HOME:-$HOME/.cache}/weber-tools/NAME/VERSION/NAME
# Exit status: 0 all there, 1 a build failed, 2 usage, 3 no Go on this machine.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${WEBER_TOOLS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/weber-tools}

k8s=v1.36.3
component_version="-X k8s.io/component-base/version.gitVersion=$k8s -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=36 -X k8s.io/component-base/version.gitTreeState=clean"

# Our programs over kustomize-controller's packages and cel-go; their versions are their texts.
oracle=$(cat "$here"/tools/flux/main.go "$here"/tools/flux/go.mod | sha256sum | cut -c1-12)
cel_oracle=$(cat "$here"/tools/celoracle/*.go "$here"/tools/celoracle/go.mod | sha256sum | cut -c1-12)

# name  version  module-folder  package  extra ldflags
catalogue() {
  cat <<TABLE
kustomize|v5.8.1|kustomize|sigs.k8s.io/kustomize/kustomize/v5|-X sigs.k8s.io/kustomize/api/provenance.version=v5.8.1
etcd|v3.6.4|etcd|go.etcd.io/etcd/server/v3|
kube-apiserver|$k8s|kubernetes|k8s.io/kubernetes/cmd/kube-apiserver|$component_version
kube-controller-manager|$k8s|kubernetes|k8s.io/kubernetes/cmd/kube-controller-manager|$component_version
kube-scheduler|$k8s|kubernetes|k8s.io/kubernetes/cmd/kube-scheduler|$component_version
kwok|v0.7.0|kwok|sigs.k8s.io/kwok/cmd/kwok|
kubectl|$k8s|kubernetes|k8s.io/kubernetes/cmd/kubectl|$component_version
sops|v3.13.2|flux|github.com/getsops/sops/v3/cmd/sops|-X github.com/getsops/sops/v3/version.Version=3.13.2
age|v1.3.1|flux|filippo.io/age/cmd/age|-X main.Version=v1.3.1
age-keygen|v1.3.1|flux|filippo.io/age/cmd/age-keygen|-X main.Version=v1.3.1
flux-oracle|$oracle|flux|.|
celoracle|$cel_oracle|celoracle|.|
kustomize-controller|v1.9.6|kustomize-controller|github.com/fluxcd/kustomize-controller|
flux|v2.9.5|flux-cli|github.com/fluxcd/flux2/v2/cmd/flux|-X main.VERSION=2.9.5
helm|v3.22.0|helm|helm.sh/helm/v3/cmd/helm|-X helm.sh/helm/v3/internal/version.version=v3.22.0
TABLE
}
default_names="kustomize etcd kube-apiserver kube-controller-manager kube-scheduler kwok kubectl sops age age-keygen flux-oracle celoracle kustomize-controller flux helm"

if [ "${1:-}" = --list ]; then
  catalogue | cut -d'|' -f1
  exit 0
fi

# go build, with what a module needs beyond its go.mod. Arguments: module folder, flags and package.
compile() {
  local module=$1
  shift
  export CGO_ENABLED=0
  if [ "$module" != flux-cli ]; then
    (cd "$here/tools/$module" && nice go build -p 2 -trimpath "$@" >&2)
    return
  fi
  # The flux CLI embeds the manifests of a release, which its module lacks: a vendored copy gets an empty one.
  local copy status=0
  copy=$(mktemp -d "$cache/.flux-cli.XXXXXX")
  (
    cd "$copy" && cp "$here/tools/$module"/go.* . && go mod vendor -e >&2 &&
      mkdir -p vendor/github.com/fluxcd/flux2/v2/cmd/flux/manifests &&
      echo '# Not part of the module.' >vendor/github.com/fluxcd/flux2/v2/cmd/flux/manifests/none.yaml &&
      nice go build -mod=vendor -p 2 -trimpath "$@" >&2
  ) || status=$?
  rm -rf "$copy"
  return $status
}

# Builds one tool into the cache. Built beside its place and renamed: a killed build leaves nothing that looks whole.
build() {
  local name=$1 version=$2 module=$3 package=$4 ldflags=$5
  local dir=$cache/$name/$version
  if [ ! -x "$dir/$name" ]; then
    command -v go >/dev/null || {
      echo "tools.sh: $name is not built and there is no Go here: install Go 1.26 (https://go.dev/dl) and run again" >&2
      exit 3
    }
    mkdir -p "$dir"
    echo "tools.sh: building $name $version (once per machine)" >&2
    local temporary
    temporary=$(mktemp "$dir/.build.XXXXXX")
    if ! compile "$module" -ldflags="-s -w $ldflags" -o "$temporary" "$package"; then
      rm -f "$temporary"
      echo "tools.sh: could not build $name $version: see the messages above" >&2
      exit 1
    fi
    chmod 755 "$temporary"
    mv "$temporary" "$dir/$name"
  fi
  echo "$name $dir/$name"
}

names=${*:-$default_names}
mkdir -p "$cache"
# Builds one at a time: a second caller waits for the first and then finds everything built. Who lacks nothing waits for nobody.
for name in $names; do
  IFS='|' read -r _ version _ <<<"$(catalogue | grep "^$name|" || true)"
  [ -x "$cache/$name/$version/$name" ] || {
    exec 9>"$cache/.lock"
    flock 9
    break
  }
done

for name in $names; do
  line=$(catalogue | grep "^$name|" || true)
  if [ -z "$line" ]; then
    echo "tools.sh: no tool named '$name'; known: $(catalogue | cut -d'|' -f1 | tr '\n' ' ')" >&2
    exit 2
  fi
  IFS='|' read -r name version module package ldflags <<<"$line"
  build "$name" "$version" "$module" "$package" "$ldflags"
done
