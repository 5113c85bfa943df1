#!/usr/bin/env bash
# loop.sh RANKS PROGRAM ARG...: ranks started by a plain loop, without a launcher: RANK and
# WORLD_SIZE say all. Ends when all have ended, with the status of the first of them that failed.
set -euo pipefail
ranks=$1
shift
pids=()
for ((rank = 0; rank < ranks; rank++)); do
    RANK=$rank WORLD_SIZE=$ranks "$@" &
    pids+=($!)
done
status=0
for pid in "${pids[@]}"; do
    wait "$pid" || { s=$? && [ "$status" -ne 0 ] || status=$s; }
done
exit "$status"
