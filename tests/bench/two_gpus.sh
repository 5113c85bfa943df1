#!/usr/bin/env bash
# Two GPUs in one run beside each of them alone: two_gpus.sh SKV SOURCE [GROUPS_A_RANK]. 2B, ScaleKV
# 10 %, groups of 8, 1024². Pictures a second from the first group written to the last but one of
# each rank, and the tail behind it; about ten minutes.
set -euo pipefail
skv=$1 source=$2 n=${3:-100}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 - "$n" "$work" <<'PYTHON'
import random
import sys

n, work = int(sys.argv[1]), sys.argv[2]
random.seed(1)
words = "a the red old two small photo of cat dog house on under tree river light car night".split()
lines = [" ".join(random.choice(words) for _ in range(12)) + "\n" for _ in range(16 * n)]
open(f"{work}/both.txt", "w").writelines(lines)
open(f"{work}/one.txt", "w").writelines(lines[: 8 * n])
PYTHON

options=(--transformer formula:2b --vae formula:2b --t5 formula:xl
    --spm "$source/tests/data/tiny_t5/spiece.model" --resolution 1M --group-size 8
    --paths scalekv-10 --store "bits,image" --threads 4)

# rate NAME RANKS
rate() {
    python3 - "$work/$1" "$2" <<'PYTHON'
import glob
import os
import sys

run, ranks = sys.argv[1], int(sys.argv[2])
t = sorted(os.stat(f).st_mtime for f in glob.glob(run + "/groups/**/*.h5", recursive=True))
first, last = ranks - 1, len(t) - 1 - ranks
print(f"{len(t)} groups: {(last - first) * 8 / (t[last] - t[first]):.4f} images/s over "
      f"{t[last] - t[first]:.1f} s, tail {t[-1] - t[last]:.2f} s")
PYTHON
    rm -rf "${work:?}/$1"
}

alone() {
    CUDA_VISIBLE_DEVICES=$1 "$skv" sample "${options[@]}" --prompts "$work/one.txt" \
        --out "$work/alone$1" >"$work/log" 2>&1 || { cat "$work/log" && exit 1; }
    echo "GPU $1 alone, $(rate "alone$1" 1)"
}

alone 0
mpirun -n 2 --bind-to none "$skv" sample "${options[@]}" --prompts "$work/both.txt" \
    --out "$work/both" >"$work/log" 2>&1 || { cat "$work/log" && exit 1; }
echo "both in one run, $(rate both 2)"
alone 1
