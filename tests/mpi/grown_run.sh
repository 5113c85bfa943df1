#!/usr/bin/env bash
# A run that grows by several ranks, killed on the way, is the one that grows undisturbed by one; with
# groups as in a whole run its new prompts are those of a whole run; its old files are not touched.
set -euo pipefail
skv=$1 source=$2 work=$3
# shellcheck source=tests/mpi/run_tools.sh
. "$source/tests/mpi/run_tools.sh"
rm -rf "$work"
mkdir -p "$work"
write_job
sed -i 's/,streaming-20//' "$work/job.json"
head -n 4 "$work/prompts.txt" >"$work/four.txt"
RANDOM=20261130

# Not what a killed job was writing: the next one sweeps that.
files() {
    find "$work/$1/groups" "$work/$1/images" -type f ! -name '*.tmp' -printf '%P %i %T@ %s\n' | sort
}
# grow RANKS OUT OPTION...: what was there stays as it is
grow() {
    local before changed out=$2

    before=$(files "$out")
    sample "$1" "$work/$out" "${@:3}" >"$work/log" 2>&1 || fail "$(cat "$work/log")"
    changed=$(comm -23 <(echo "$before") <(files "$out"))
    [ -z "$changed" ] || fail "$out: old files were changed: $changed"
}
# The same, but killed after a while, by all its ranks.
cut_short() {
    sample 3 "$work/cut" "$@" >"$work/log" 2>&1 &
    local job=$!

    sleep "$(awk "BEGIN {print 0.5 + $((RANDOM % 2000)) / 1000}")"
    pkill -KILL -P "$job" 2>/dev/null || true
    kill -KILL "$job" 2>/dev/null || true
    wait "$job" 2>/dev/null || true
    for _ in {1..100}; do
        pgrep -f "$work/cut" >/dev/null || break
        sleep 0.1
    done
}
more=(--seed-rule prompt --samples 2)

sample 1 "$work/whole" --seed-rule prompt >"$work/log" 2>&1
sample 1 "$work/one" --seed-rule prompt --prompts "$work/four.txt" >"$work/log" 2>&1
cp -r "$work/one" "$work/three"
cp -r "$work/one" "$work/cut"
grow 1 one --seed-rule prompt
same_datasets "$work/whole" "$work/one" || fail "added prompts are not those of a whole run"
grow 1 one "${more[@]}"
grow 3 three --seed-rule prompt
grow 3 three "${more[@]}"
same_run "$work/one" "$work/three" || fail "3 ranks differ from one"
for _ in 1 2; do
    cut_short --seed-rule prompt
done
grow 2 cut --seed-rule prompt
for _ in 1 2; do
    cut_short "${more[@]}"
done
grow 3 cut "${more[@]}" --shard 2/2 --no-gather
grow 2 cut "${more[@]}"
same_run "$work/one" "$work/cut" || fail "after kills the run differs"
echo "a run that grows: 1 and 3 ranks, killed 4 times, in parts"
