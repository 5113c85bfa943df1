#!/usr/bin/env bash
# sanitize.sh SKV_OPCHECK: compute-sanitizer over the operations on a GPU: memcheck over all cases of
# both types, racecheck over operations whose kernels share memory among threads. Takes minutes.
set -euo pipefail
opcheck=$1
log=$(mktemp)
trap 'rm -f "$log"' EXIT
failed=0

# check TOOL BACKEND [-o OPERATION]
check() {
    local tool=$1 backend=$2

    shift 2
    if compute-sanitizer --tool "$tool" --error-exitcode 9 "$opcheck" -b "$backend" "$@" \
        >"$log" 2>&1; then
        echo "ok $tool $backend $*"
    else
        echo "FAILED $tool $backend $*"
        tail -n 20 "$log"
        failed=1
    fi
}

for operation in norm topk_keep channel_peaks kv_pop kv_push kv_gather attention cross_attention \
    group_norm_silu window_scores; do
    check racecheck cuda -o "$operation"
done
check memcheck cuda
check memcheck cuda-fp32
exit $failed
