#!/usr/bin/env bash
# gpu_run.sh PROGRAM SOURCE WORK DEVICE: on a GPU the same bytes come from one rank and from two that
# share it, after kills and resumes, and after a lost GPU. Runs that are to agree share one table of
# algorithms (tune.json), as the parts of one resumed run do: two measurements may choose otherwise.
set -euo pipefail
skv=$1 source=$2 work=$3 device=$4
# shellcheck source=tests/mpi/run_tools.sh
. "$source/tests/mpi/run_tools.sh"
[ "$device" != cuda ] || need_gpu
rm -rf "$work"
mkdir -p "$work"
write_job

# tuned_folder NAME: an empty run that will compute with the first one's algorithms.
tuned_folder() {
    mkdir -p "$work/$1"
    [ ! -f "$work/calm/tune.json" ] || cp "$work/calm/tune.json" "$work/$1/"
}

sample 1 "$work/calm" --device "$device" 2>"$work/log" || fail "$(cat "$work/log")"
if [ "$device" = cuda ]; then
    [ -f "$work/calm/tune.json" ] || fail "no tune.json"
fi

tuned_folder two
sample 2 "$work/two" --device "$device" 2>"$work/log" || fail "$(cat "$work/log")"
same_run "$work/calm" "$work/two" || fail "two ranks differ from one"
grep -q "of weights read once" "$work/log" || fail "both ranks read the weights: $(cat "$work/log")"

tuned_folder killed
RANDOM=20261123
for _ in 1 2 3 4 5; do
    sample $((RANDOM % 2 + 1)) "$work/killed" --device "$device" >"$work/log" 2>&1 &
    job=$!
    sleep "$((RANDOM % 4)).$(printf %03d $((RANDOM % 1000)))"
    pkill -KILL -P "$job" 2>/dev/null || true
    kill -KILL "$job" 2>/dev/null || true
    if wait "$job" 2>/dev/null; then
        break # it was faster than the kill
    fi
    for _ in {1..100}; do # ranks of a killed launcher end by themselves
        pgrep -f "$work/killed" >/dev/null || break
        sleep 0.1
    done
done
sample 1 "$work/killed" --device "$device" 2>"$work/log" || fail "$(cat "$work/log")"
same_run "$work/calm" "$work/killed" || fail "after kills the run differs"

if [ "$device" = cuda ]; then
    tuned_folder lost
    if SKV_FAULT_LAUNCH=1500 sample 1 "$work/lost" --device cuda >"$work/log" 2>&1; then
        fail "a GPU that fails was not noticed"
    fi
    grep -q "the GPU has failed" "$work/log" || fail "the failure has no sentence: $(cat "$work/log")"
    sample 1 "$work/lost" --device cuda 2>"$work/log" || fail "$(cat "$work/log")"
    same_run "$work/calm" "$work/lost" || fail "after a lost GPU the run differs"
fi
echo "one rank, two, kills and resumes: the same bytes"
