#!/usr/bin/env bash
# An evaluation leaves the same bytes behind for any number of ranks and threads: metrics.h5,
# metrics.json and report.html; also where a row failed, and from pictures in run.h5 or PNGs alone.
set -euo pipefail
skv=$1 source=$2 work=$3
# shellcheck source=tests/mpi/run_tools.sh
. "$source/tests/mpi/run_tools.sh"
rm -rf "$work"
mkdir -p "$work"
export SKV_CACHE=$work/cache
write_job
printf '\xff is not a text\n' >>"$work/prompts.txt"

# evaluate RANKS RUN OPTION...: also against other pictures, whose features are computed each time
evaluate() {
    local ranks=$1

    shift
    rm -rf "$SKV_CACHE"
    mpirun -n "$ranks" --oversubscribe "$skv" eval "$@" --networks formula \
        --against "$source/tests/data/against/a" </dev/null >/dev/null ||
        [ $? -eq 3 ] || fail "eval $*: it failed"
}

# keep RUN NAME: moves what an evaluation made to its own folder
keep() {
    mkdir -p "$work/$2"
    mv "$1/metrics.h5" "$1/metrics.json" "$1/report.html" "$work/$2/"
}

for store in bits,image,png bits,png; do
    run=$work/run-$store
    sample 2 "$run" --store "$store" >/dev/null 2>&1 || [ $? -eq 3 ] || fail "no run"
    evaluate 1 "$run" --threads 1
    keep "$run" "one-$store"
    for ranks in 2 3; do
        evaluate "$ranks" "$run" --threads 2
        keep "$run" "ranks$ranks-$store"
        diff -r "$work/one-$store" "$work/ranks$ranks-$store" || fail "$store: $ranks ranks differ"
    done
done
cmp "$work/one-bits,image,png/metrics.h5" "$work/one-bits,png/metrics.h5" ||
    fail "PNGs and run.h5 differ"

# three ranks without networks keep what one rank found with them
evaluate 1 "$run"
keep "$run" kept
cp "$work/kept/"* "$run/"
mpirun -n 3 --oversubscribe "$skv" eval "$run" --networks none </dev/null >/dev/null 2>&1 ||
    [ $? -eq 3 ] || fail "eval without networks failed"
keep "$run" merged
diff -r "$work/kept" "$work/merged" || fail "an evaluation without networks changed the others' numbers"
grep -q '"fid_against": [0-9]' "$work/merged/metrics.json" || fail "no FID against other pictures"
echo "the same bytes from 1, 2 and 3 ranks, from run.h5 and from PNGs"
