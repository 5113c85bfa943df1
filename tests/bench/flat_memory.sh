#!/usr/bin/env bash
# flat_memory.sh SKV SOURCE [PROMPTS]: a long run of the tiny model (20,000 prompts, bits alone)
# takes no more memory and no more descriptors in its last quarter than in its second. What is
# taken while the first quarter is computed counts as start. Prints both; fails if either grows.
set -euo pipefail
skv=$(realpath "$1") source=$(realpath "$2") n=${3:-20000}
slack=2048 # KiB: a page table, a thread's first use of its memory
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

for ((i = 0; i < n; i++)); do
    echo "a cat in a box, number $i"
done >prompts.txt
"$skv" sample --transformer formula:tiny_f16 --vae formula:tiny_f16 --t5 \
    "$source/tests/data/tiny_t5" --resolution 0.06M --drafters 0 --group-size 2 --paths \
    scalekv-10 --threads 1 --store bits --prompts prompts.txt --out run >/dev/null 2>log &
pid=$!
: >samples
# a line a group, as far as they are seen apart: number, KiB, descriptors
done=0
while [ -d "/proc/$pid/fd" ]; do
    now=$( (find run/groups -name '*.h5' || true) | wc -l)
    if [ "$now" -gt "$done" ]; then
        done=$now
        echo "$done $(awk '/^VmRSS/ {print $2}' "/proc/$pid/status") $(find "/proc/$pid/fd" -type l |
            wc -l)" >>samples || true
    fi
    sleep 0.1
done 2>/dev/null
wait $pid || { cat log; exit 1; }
awk -v groups=$(((n + 1) / 2)) -v slack=$slack '
    # the least of a quarter: writers have files open, and memory in hand, now and then
    function least(list, at, value) { if (!seen[at] || value < list[at]) list[at] = value }
    NF == 3 && $1 < groups { # afterwards run.h5 is gathered
        at = int(4 * $1 / groups)
        least(kib, at, $2)
        least(fds, at, $3)
        seen[at]++
    }
    END {
        if (!seen[1] || !seen[3]) { print "too quick to be watched"; exit 1 }
        printf "%d groups: %d to %d KiB, %d to %d descriptors\n", groups, kib[1], kib[3], fds[1],
            fds[3]
        exit kib[3] > kib[1] + slack || fds[3] > fds[1]
    }' samples
