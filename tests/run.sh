#!/usr/bin/env bash
# Builds Weber and runs its tests, from a fresh clone on Debian 12.
#
#   tests/run.sh [--asan] [--no-cluster]
#
#   --asan        afterwards the unit tests once more under AddressSanitizer and UndefinedBehaviorSanitizer
#   --no-cluster  leave out the tests against real Kubernetes servers
#
# What is missing is installed by apt (root or sudo). Where Go is present, real peers (kube-apiserver, etcd, kustomize …) are built once per
# machine and the tests run against them, too; where it is not, those are skipped, counted and named at the end.
# Exit status: 0 all passed, 1 something failed, 2 usage.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
asan= cluster=yes
for word in "$@"; do
  case $word in
    --asan) asan=yes ;;
    --no-cluster) cluster= ;;
    -h | --help)
      sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
      exit 0
      ;;
    *)
      echo "run.sh: unknown option $word; see tests/run.sh --help" >&2
      exit 2
      ;;
  esac
done
jobs=$(nproc)

step() { printf '\n== %s (%d s)\n' "$*" "$SECONDS"; }

# Configures and builds a preset; says nothing but warnings and errors.
build() {
  local preset=$1
  shift
  mkdir -p "build/$preset"
  cmake --preset "$preset" >"build/$preset/configure.log" 2>&1 || {
    tail -n 40 "build/$preset/configure.log"
    exit 1
  }
  ninja -C "build/$preset" --quiet "$@"
}

# Runs ctest in a preset's folder; shows failures as they come, one line every 200 tests otherwise. Summary to $summary.
summary=$(mktemp)
trap 'rm -f "$summary"' EXIT
run_ctest() {
  local preset=$1 status=0
  shift
  # A variable names the launcher: the tests of the real servers run inside a cluster that lives as long as they do.
  ${launcher:-} ctest --test-dir "build/$preset" -j "$jobs" --output-on-failure "$@" 2>&1 |
    awk -v summary="$summary" '
      /^ *[0-9]+% tests passed/ { tail = 1; printf "" > summary }
      tail { print > summary; next }
      /^ +Start +[0-9]+: / { next }
      /^ *[0-9]+\/[0-9]+ Test +#/ { if (++n % 200 == 0) print "  " n " tests done" }
      / Passed +[0-9.]+ sec$/ || /\*\*\*Skipped/ { next }
      /^Internal ctest changing into directory|^Test project|^$/ { next }
      { print }' || status=$?
  return $status
}

# "COUNT reason" of the tests that the last run of a preset skipped.
skip_reasons() {
  awk '/: Skipped$/ { getline why; if (why != "") count[why]++ } END { for (why in count) printf "%6d  %s\n", count[why], why }' \
    "build/$1/Testing/Temporary/LastTest.log" | sort -rn
}

step "packages"
deploy/install-packages.sh deploy/packages.txt tests/packages.txt

step "build (preset dev, $jobs jobs)"
build dev all
step "every public header compiles alone"
build dev all_verify_interface_header_sets

launcher=
if [ -z "$cluster" ]; then
  why_no_cluster="tests against real servers were left out by --no-cluster"
elif ! command -v go >/dev/null; then
  why_no_cluster="no Go on this machine: install Go 1.26 (https://go.dev/dl) and the tests against real servers run, too"
else
  why_no_cluster=
  step "real peers (built once per machine)"
  tests/cluster/tools.sh
  launcher="tests/cluster/cluster.sh run --"
fi

step "tests"
failed=
run_ctest dev || failed=yes
cp "$summary" build/dev/summary.txt
reasons=$(skip_reasons dev)

# Some tests want a server that no controller of its own writes to.
bare=$(awk '/^[0-9]+\/[0-9]+ Test(ing)?: / { name = $0; sub(/^[0-9]+\/[0-9]+ Test(ing)?: /, "", name) } /: Skipped$/ { getline why; if (why ~ /--bare/) print name }' \
  build/dev/Testing/Temporary/LastTest.log | sed 's/[][\\.*^$+?(){}|]/\\&/g' | paste -sd'|')
if [ -n "$launcher" ] && [ -n "$bare" ]; then
  step "tests that want a server without controllers"
  launcher="tests/cluster/cluster.sh run --bare --"
  run_ctest dev -R "^($bare)\$" || failed=yes
  cat "$summary" >>build/dev/summary.txt
  reasons=$(grep -v -e --bare <<<"$reasons" || true)
  reasons+=$'\n'$(skip_reasons dev)
fi

if [ -n "$asan" ]; then
  step "build (preset asan)"
  build asan all
  step "unit tests under sanitizers"
  launcher=
  export LSAN_OPTIONS="suppressions=$root/tests/lsan.supp:print_suppressions=0"
  run_ctest asan || failed=yes
  cat "$summary" >>build/dev/summary.txt
fi

step "skipped tests: how many and why"
if [ -n "${reasons//[[:space:]]/}" ]; then grep . <<<"$reasons"; else echo "  none"; fi
[ -z "$why_no_cluster" ] || echo "  $why_no_cluster"

step "summary"
grep -vE '\(Skipped\)$|^The following tests did not run:$|^$' build/dev/summary.txt
[ -z "$failed" ]
