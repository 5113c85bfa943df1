#!/usr/bin/env bash
# sanitize.sh SKV_OPCHECK: compute-sanitizer over the operations on a GPU: memcheck over all cases of
# both types, racecheck over those whose kernels share memory among threads. Takes minutes.
set -euo pipefail
opcheck=$1
failed=0

# check TOOL BACKEND OPERATION
check() {
    if compute-sanitizer --tool "$1" --error-exitcode 9 --launch-timeout 0 \
        "$opcheck" -b "$2" -o "$3" >sanitize.log 2>&1; then
        printf 'ok %s %s %s\n' "$1" "$2" "$3"
    else
        printf 'FAILED %s %s %s\n' "$1" "$2" "$3"
        tail -n 20 sanitize.log
        failed=1
    fi
}

operations=$("$opcheck" -b cpu -o list)
for backend in cuda cuda-fp32; do
    for operation in $operations; do
        check memcheck "$backend" "$operation"
    done
done
for operation in norm gate_norm rms_norm qkv_rope attention cross_attention window_scores \
    window_softmax topk_keep kv_push group_norm_silu; do
    check racecheck cuda "$operation"
done
rm -f sanitize.log
exit $failed
