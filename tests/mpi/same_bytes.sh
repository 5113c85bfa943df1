#!/usr/bin/env bash
# Pictures and bits are byte for byte the same for any number of ranks and threads, for any list of
# paths, for a path added later, and, among themselves, with another CPU family's kernels.
set -euo pipefail
skv=$1 source=$2 work=$3
# shellcheck source=tests/mpi/run_tools.sh
. "$source/tests/mpi/run_tools.sh"
rm -rf "$work"
mkdir -p "$work"
write_job

sample 1 "$work/one"
[ "$(find "$work/one/images" -name '*.png' | wc -l)" -eq 18 ] || fail "one rank: not 18 pictures"
for ranks in 2 3 4; do
    sample "$ranks" "$work/ranks$ranks" 2>"$work/log"
    same_run "$work/one" "$work/ranks$ranks" || fail "$ranks ranks differ from one"
done
# with 3 groups the fourth rank has no work
[ "$(grep -c 'of weights read once for 3 ranks, sent through host memory' "$work/log")" -eq 3 ] ||
    fail "4 ranks, 3 with work: encoder, model and VAE want one reader: $(cat "$work/log")"
start=$by_loop sample 3 "$work/tcp3" 2>"$work/log"
grep -q 'of weights read once for 3 ranks, sent through host memory' "$work/log" ||
    fail "over TCP weights are read more than once: $(cat "$work/log")"
same_run "$work/one" "$work/tcp3" || fail "3 ranks over TCP differ from one"
sample 2 "$work/threads2" --threads 2
same_run "$work/one" "$work/threads2" || fail "two threads differ from one"

sample 2 "$work/added" --paths streaming-20
sample 1 "$work/added" --paths full,scalekv-10,streaming-20
same_run "$work/one" "$work/added" || fail "a path added later differs"

export OPENBLAS_CORETYPE=Haswell
sample 1 "$work/haswell1"
sample 3 "$work/haswell3" --threads 2
same_run "$work/haswell1" "$work/haswell3" || fail "Haswell's kernels: 3 ranks differ from one"
echo "same bytes: 1, 2, 3, 4 ranks, 3 over TCP, 1 and 2 threads, paths added later, Haswell's kernels"
