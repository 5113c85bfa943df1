#!/usr/bin/env bash
# A calibration's files have the same bytes for any number of ranks and threads, and their figures
# add up.
set -euo pipefail
skv=$1 source=$2 work=$3
# shellcheck source=tests/mpi/run_tools.sh
. "$source/tests/mpi/run_tools.sh"
rm -rf "$work"
mkdir -p "$work"
write_job

# calibrate RANKS NAME OPTION...
calibrate() {
    local ranks=$1 out=$2

    shift 2
    # shellcheck disable=SC2086 # words
    $start "$ranks" "$skv" calibrate --config "$work/job.json" --out "$work/$out" --samples 2 \
        --queries 5 --top 4,1% "$@" </dev/null >"$work/$out.txt" 2>"$work/$out.log"
}

calibrate 1 one --threads 1
calibrate 3 ranks3 --threads 1
diff -r "$work/one" "$work/ranks3" || { echo "three ranks differ from one"; exit 1; }
calibrate 1 threads2 --threads 2
diff -r "$work/one" "$work/threads2" || { echo "two threads differ from one"; exit 1; }

"$python" - "$work/one/calibration.h5" "$work/one/orders.json" "$work/one/heads.json" <<'PYTHON'
import json
import sys

import h5py
import numpy as np

f = h5py.File(sys.argv[1])
n = f["schedule"][:].prod(1)
scales, keys = len(n), np.cumsum(n)
mass, car = f["mass"][:], f["current_ratio"][:]
kinds, _, layers, heads, _ = mass.shape
assert (kinds, f.attrs["pictures"], len(f["row"])) == (2, 12, 12)
assert np.allclose(mass.sum(-1), 1, atol=1e-6)
for s in range(scales):
    assert np.array_equal(car[:, s], mass[:, s, :, :, s])
    assert not mass[:, s, :, :, s + 1 :].any()
    assert (f["entropy"][:, s] <= np.log(keys[s]) + 1e-6).all()
assert (f["column_variance"][:] >= -1e-12).all()
top, share = f["history_topk"][:], f["history_share"][:]
assert (top <= 1 - car + 1e-6).all() and (share <= 1 + 1e-9).all()
picture = f["picture"][:]  # CAR, HTK by K', shares
assert np.allclose(picture[..., 0].mean(0), car.mean(-1), atol=1e-12)
assert np.allclose(picture[..., 1].mean(0), top[0].mean(-1), atol=1e-12)
asi = car.mean(-1) * top[0].mean(-1)
assert np.allclose(f["asi"][0, :, 1:], asi[:, 1:], atol=1e-12)
z = (asi - asi.mean(-1, keepdims=True)) / (asi.std(-1, keepdims=True) + 1e-6)
assert np.allclose(f["z"][0, :, 1:], z[:, 1:], atol=1e-9)
score = f["heatkv_score"][:]
for j in range(scales - 1):
    assert np.allclose(score[j], mass[0, j + 1 :, :, :, j].mean(0), atol=1e-12)
order = json.load(open(sys.argv[2]))
assert len(order) == scales - 4
for j, pairs in enumerate(order):
    values = [score[j + 3, layer, head] for head, layer in pairs]
    assert len({tuple(p) for p in pairs}) == layers * heads and values == sorted(values)
[pairs] = json.load(open(sys.argv[3]))
values = [f["column_variance"][0, -1, layer, head] for head, layer in pairs]
assert len({tuple(p) for p in pairs}) == layers * heads and values == sorted(values)
PYTHON
echo "calibrate: same bytes from 1 and 3 ranks, 1 and 2 threads"
