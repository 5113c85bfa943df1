# shellcheck shell=bash
# Under ulimit -v the program ends with a sentence; OpenBLAS alone would try for ever.
for kib in 160000 180000 200000 260000 400000; do
    status=0
    (ulimit -v "$kib" && exec timeout 10 "$SKV" bench --threads 2) >out 2>&1 || status=$?
    [ "$status" -eq 1 ] || echo "ulimit -v $kib: exit status $status: $(cat out)"
    grep -qE '^error: .*(\(ulimit -v\)|out of memory|cannot )' out || cat out
done
