#!/usr/bin/env bash
# gpu_memory.sh PROGRAM SOURCE WORK HOLD_GPU: another process has taken the GPU's memory, and
# --memory-limit lets the run past the check: loading ends in one sentence, groups that are finished
# stay as they are, and the same command completes the run later. Takes about 16 GB of GPU memory.
set -euo pipefail
skv=$1 source=$2 work=$3 hold=$4
# shellcheck source=tests/mpi/run_tools.sh
. "$source/tests/mpi/run_tools.sh"
need_gpu
rm -rf "$work"
mkdir -p "$work"
write_job
options=(--transformer formula:2b --vae formula:2b --t5 formula:xl
    --spm "$source/tests/data/tiny_t5/spiece.model" --paths full --device cuda)

sample 1 "$work/run" "${options[@]}" 2>"$work/log" || fail "$(cat "$work/log")"
rm "$work/run/groups/full/000002.h5"
cp -r "$work/run" "$work/before"

# A context takes half a GiB, T5, which is loaded first, more than four.
coproc HOLD { exec "$hold" 3221225472; }
holder=$HOLD_PID from=${HOLD[0]} to=${HOLD[1]} # bash forgets them when it ends
read -r -u "$from" answer || fail "the memory could not be held"
[ "$answer" = held ] || fail "hold_gpu says $answer"
status=0
"$skv" sample --config "$work/job.json" --out "$work/run" "${options[@]}" \
    --memory-limit 1000000000000 >"$work/log" 2>&1 </dev/null || status=$?
[ "$status" -eq 1 ] || fail "status $status without memory: $(cat "$work/log")"
[ "$(grep error "$work/log" | sed -E 's/[0-9]+/N/g')" = \
    "error: text encoder: N bytes wanted on GPU N, N of N are free" ] ||
    fail "not one sentence: $(cat "$work/log")"
for part in tune.json groups images; do
    diff -r "$work/before/$part" "$work/run/$part" || fail "a run that could not load changed $part"
done

exec {to}>&-
wait "$holder"
sample 1 "$work/run" "${options[@]}" 2>"$work/log" || fail "$(cat "$work/log")"
same_run "$work/before" "$work/run" || fail "after the failure the run differs"
echo "out of memory at loading: one sentence, and the run goes on later"
