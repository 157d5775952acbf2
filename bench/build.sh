#!/usr/bin/env bash
# Compares `weber kustomize DIR` with the real kustomize on generated trees: whole process, by turns, medians.
#   bench/build.sh [--weber BIN] [--kustomize BIN] [--rounds N] [--shapes "flat overlays …"] [--sizes "100 1000 …"] [--most N] [--limit SECONDS]
# kustomize runs up to --most objects (5000), of one tree no more once that took 6 s, and not at all in a shape whose next size would by its
# growth so far take it longer than --limit (120 s). The defaults take some 8 minutes on a quiet machine, most of them kustomize's.
set -euo pipefail
cd "$(dirname "$0")/.."
weber=build/release/weber
kustomize=$(ls "$HOME"/.cache/weber-tools/kustomize/*/kustomize 2>/dev/null | tail -1 || true)
rounds=5 shapes="flat overlays deep references replacements" sizes="100 1000 5000 20000 100000" most=5000 limit=120
while (($#)); do
  case $1 in
    --weber) weber=$2 ;; --kustomize) kustomize=$2 ;; --rounds) rounds=$2 ;; --shapes) shapes=$2 ;; --sizes) sizes=$2 ;; --most) most=$2 ;;
    --limit) limit=$2 ;;
    *) sed -n 2,5p "$0" >&2; exit 2 ;;
  esac
  shift 2
done
[[ -x $weber ]] || { echo "no $weber: cmake --preset release && ninja -C build/release weber" >&2; exit 2; }
[[ -x $kustomize ]] || echo "no kustomize (tests/cluster/tools.sh builds it): weber alone" >&2
exec python3 - "$weber" "$kustomize" "$rounds" "$shapes" "$sizes" "$most" "$limit" <<'PY'
import math, os, shutil, statistics, subprocess, sys, tempfile, time

weber, kustomize, rounds, shapes, sizes, most, limit = sys.argv[1:]
rounds, most, limit, sizes = int(rounds), int(most), float(limit), [int(s) for s in sizes.split()]
root = tempfile.mkdtemp(prefix="weber-bench-")

def run(command, out):
    """Seconds of the wall clock, seconds of CPU, peak MiB."""
    with open(out, "wb") as stdout, open(os.devnull, "wb") as stderr:
        actions = [(os.POSIX_SPAWN_DUP2, stdout.fileno(), 1), (os.POSIX_SPAWN_DUP2, stderr.fileno(), 2)]
        begin = time.perf_counter() # subprocess would add half a millisecond of Python's own to both
        child = os.posix_spawn(command[0], command, os.environ, file_actions=actions)
        _, status, usage = os.wait4(child, 0)
        wall = time.perf_counter() - begin
    if status:
        sys.exit("failed: " + " ".join(command))
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024

def show(seconds):
    return "%.1f ms" % (seconds * 1000) if seconds < 1 else "%.2f s" % seconds

def median(runs, i):
    return statistics.median(r[i] for r in runs)

def expected(peer, size):
    """Seconds that a run of this size will take, by the growth between the last two sizes."""
    if len(peer) < 2:
        return 0
    (n0, t0), (n1, t1) = peer[-2:]
    return t1 * (size / n1) ** (math.log(t1 / t0) / math.log(n1 / n0))

print("| shape | objects | kustomize | weber | ratio | CPU ratio | kustomize MiB | weber MiB | same bytes |")
print("|---|---|---|---|---|---|---|---|---|")
try:
    for shape in shapes.split():
        points, peer = [], []
        for size in sizes:
            tree = "%s/%s-%d" % (root, shape, size)
            subprocess.run([sys.executable, "bench/generate.py", shape, str(size), tree], check=True)
            compare = os.access(kustomize, os.X_OK) and size <= most and expected(peer, size) <= limit
            ours, theirs = [], []
            for _ in range(rounds * 5 if size < 1000 else rounds if size < 100000 else 3):
                ours.append(run([weber, "kustomize", tree + "/top"], root + "/ours"))
                if compare and (not theirs or sum(r[0] for r in theirs) < 6):
                    theirs.append(run([kustomize, "build", tree + "/top"], root + "/theirs"))
            points.append((size, median(ours, 1)))
            if theirs:
                peer.append((size, median(theirs, 0)))
            row = [shape, str(size), "–", show(median(ours, 0)), "–", "–", "–", "%.0f" % median(ours, 2), "–"]
            if theirs:
                same = open(root + "/ours", "rb").read() == open(root + "/theirs", "rb").read()
                row[2], row[4], row[5] = show(median(theirs, 0)), "%.0f×" % (median(theirs, 0) / median(ours, 0)), "%.0f×" % (median(theirs, 1) / median(ours, 1))
                row[6], row[8] = "%.0f" % median(theirs, 2), "yes" if same else "NO"
            print("| " + " | ".join(row) + " |", flush=True)
            shutil.rmtree(tree)
        large = [(math.log(n), math.log(t)) for n, t in points if n >= 1000 and t > 0]
        if len(large) > 1:
            mx, my = (statistics.mean(v) for v in zip(*large))
            slope = sum((x - mx) * (y - my) for x, y in large) / sum((x - mx) ** 2 for x, _ in large)
            print("| %s, exponent from 1000 on | | | | | | | | n^%.2f |" % (shape, slope), flush=True)
finally:
    shutil.rmtree(root)
PY
