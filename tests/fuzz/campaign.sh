#!/usr/bin/env bash
# Fuzzes the readers of foreign bytes by libFuzzer with address and undefined-behaviour sanitizers.
#
#   tests/fuzz/campaign.sh [SECONDS] [READER...]    3600 s for each of all readers
#
# Builds build/fuzz (preset fuzz: clang-14). Prints a line a reader; fails if there was a crash, a
# leak, or an input that took 10 s. What caused it lies in build/fuzz/crashes/READER, the log beside
# it; what was found on the way lies in build/fuzz/corpus/READER, and the next campaign goes on from
# there. HDF5 files are first looked at by a second process: what is found there is a finding only if
# a function of ours is at fault, and counts as one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

seconds=${1:-3600}
[ $# -eq 0 ] || shift
[[ $seconds =~ ^[1-9][0-9]*$ ]] || {
    echo "usage: tests/fuzz/campaign.sh [SECONDS] [READER...]" >&2
    exit 2
}
seeds=$PWD/tests/data/fuzz
build=$PWD/build/fuzz
[ $# -gt 0 ] || { cd "$seeds" && set -- * && cd "$OLDPWD"; }
for reader in "$@"; do
    [ -d "$seeds/$reader" ] || {
        echo "campaign.sh: no reader $reader; there are:" "$(ls "$seeds")" >&2
        exit 2
    }
done

cmake -S . -B "$build" --preset fuzz >/dev/null
cmake --build "$build" --target fuzzers --parallel "$(nproc)" >"$build/make.log"

# HDF5 asks for as much memory as a damaged file says, and copes with getting none. Temporary files
# are in memory.
export ASAN_OPTIONS=allocator_may_return_null=1:detect_stack_use_after_return=1
export UBSAN_OPTIONS=print_stacktrace=1 OMP_NUM_THREADS=1
TMPDIR=$(mktemp -d /dev/shm/skv_fuzz_XXXXXX)
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT

# fuzz READER: a line of the table; false if something was found.
fuzz() {
    local reader=$1 crashes=$build/crashes/$1 corpus=$build/corpus/$1
    local log=$build/crashes/$1/log inputs found ours

    mkdir -p "$crashes" "$corpus"
    # a second process's findings have files of their own, without libFuzzer's calls
    ASAN_OPTIONS=$ASAN_OPTIONS:log_path=$TMPDIR/$reader \
        "$build/fuzz_$reader" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=6000 \
        -malloc_limit_mb=8000 -max_len=65536 -print_final_stats=1 -artifact_prefix="$crashes/" \
        "$corpus" "$seeds/$reader" >"$log" 2>&1 || true
    inputs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    found=$(find "$crashes" -type f -newer "$build/make.log" ! -name log | wc -l)
    ours=$(grep -L ' in fuzzer::' "$TMPDIR/$reader".* 2>/dev/null |
        xargs -r grep -lE '^ *#0 .*/(src|mpi)/' | wc -l || true)
    cat "$TMPDIR/$reader".* >>"$log" 2>/dev/null || true
    rm -f "$TMPDIR/$reader".*
    printf '%-16s %12s %10s %8s\n' "$reader" "${inputs:-none}" \
        "$((${inputs:-0} / seconds))" "$((found + ours))"
    [ -n "$inputs" ] && [ $((found + ours)) -eq 0 ]
}

printf '%-16s %12s %10s %8s\n' reader inputs inputs/s crashes
failed=0
for reader in "$@"; do
    fuzz "$reader" || failed=1
done
exit $failed
