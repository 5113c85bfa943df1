#!/usr/bin/env bash
# The recall of a run has the same bytes for any number of ranks and threads; that of a policy that
# keeps all is 1; HeatKV's, which keeps whole scales, follows from a calibration's masses.
set -euo pipefail
skv=$1 source=$2 work=$3
# shellcheck source=tests/mpi/run_tools.sh
. "$source/tests/mpi/run_tools.sh"
rm -rf "$work"
mkdir -p "$work"
write_job
printf '\xff is not a text\n' >>"$work/prompts.txt" # a row that fails alone

run() {
    # shellcheck disable=SC2086 # words
    $start "$@" </dev/null >"$work/said" 2>&1 || [ $? -eq 3 ] || { cat "$work/said"; exit 1; }
}

run 2 "$skv" calibrate --config "$work/job.json" --out "$work/cal" --queries 0
run 2 "$skv" sample --config "$work/job.json" --out "$work/run" --store bits --threads 1 \
    --paths full,scalekv-10,sliding-100,heat,random-10 --path-definitions "[{\"name\": \"heat\",
        \"policy\": \"heatkv\", \"percent\": 20, \"orders\": \"cal/orders.json\",
        \"options\": {\"strict\": false}}]"

# recall NAME RANKS THREADS
recall() {
    run "$2" "$skv" recall "$work/run" --prompts 100 --queries 0 --threads "$3"
    mkdir "$work/$1"
    mv "$work/run/metrics.json" "$work/run/report.html" "$work/$1/"
}
recall one 1 1
recall ranks3 3 1
diff -r "$work/one" "$work/ranks3" || fail "three ranks differ from one"
recall threads2 1 2
diff -r "$work/one" "$work/threads2" || fail "two threads differ from one"

"$python" - "$work/one/metrics.json" "$work/cal" <<'PYTHON'
import json
import sys

import h5py
import numpy as np

recall = json.load(open(sys.argv[1]))["recall"]
assert (recall["pictures"], recall["queries"]) == (6, 0), recall
share = {p["name"]: np.array(p["by_scale_and_layer"]) for p in recall["paths"]}
for p in recall["paths"]:
    assert abs(p["mean"] - share[p["name"]][1:].mean()) < 1e-12
# sums of probabilities in double: 265 keys and more, each rounded once
for name in ("full", "sliding-100"):
    assert abs(share[name] - 1).max() < 1e-12, name
for name in ("scalekv-10", "random-10"):
    assert (share[name] < 1 + 1e-12).all() and share[name].min() < 0.9, name

f = h5py.File(sys.argv[2] + "/calibration.h5")
order = json.load(open(sys.argv[2] + "/orders.json"))
mass, n = f["mass"][:], f["schedule"][:].prod(1)
kinds, scales, layers, heads, _ = mass.shape
before, sinks, slots = np.cumsum(n) - n, 3, layers * heads
budget = round(1300 * before[-1] / 6425)
for t in range(scales):
    held = np.ones((layers, heads, scales), bool)
    drop = -(-slots * (before[t] - budget) // (before[t] - n[:sinks].sum())) if t > sinks else 0
    for j in range(sinks, t):
        for head, layer in order[j - sinks][: min(max(drop, 0), slots)]:
            held[layer, head, j] = False
    want = (mass[:, t] * held).sum(-1).mean((0, 2))
    assert abs(share["heat"][t] - want).max() < 1e-12, (t, share["heat"][t], want)
assert share["heat"].min() < 0.95
PYTHON
echo "recall: same bytes from 1 and 3 ranks, 1 and 2 threads"
