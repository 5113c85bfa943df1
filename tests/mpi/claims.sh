#!/usr/bin/env bash
# Several jobs at work on one run, ranks that come late, stand still or are killed: the run ends as
# an undisturbed one, and no group is computed by two that live.
set -euo pipefail
skv=$1 source=$2 work=$3
# shellcheck source=tests/mpi/run_tools.sh
. "$source/tests/mpi/run_tools.sh"
rm -rf "$work"
mkdir -p "$work"
write_job
for i in {1..30}; do echo "a house with $i windows"; done >>"$work/prompts.txt"
options=(--store bits --paths full)
n_groups=18
job() {
    sample "$1" "$2" "${options[@]}" "${@:3}"
}
files() {
    find "$1/groups" -name '*.h5' 2>/dev/null | wc -l
}
# wait_for COMMAND...: until it succeeds, at most a minute.
wait_for() {
    local i
    for i in {1..600}; do
        if "$@"; then return; fi
        sleep 0.1
    done
    fail "never came to pass: $*"
}
has_files() {
    [ "$(files "$1")" -ge "$2" ]
}
# ranks_of JOB: the processes of its ranks. The job is a shell, whose child is the launcher.
ranks_of() {
    pgrep -P "$(pgrep -P "$1" | head -n 1)" -f "$skv" || true
}
# kill_job JOB: its launcher and all ranks, at once.
kill_job() {
    local processes
    mapfile -t processes < <(ranks_of "$1" && pgrep -P "$1")
    kill -KILL "${processes[@]}" 2>/dev/null || true
    ! wait "$1" 2>/dev/null
}
same_bits() {
    mkdir -p "$1/images" "$2/images"
    same_run "$1" "$2" || fail "$3"
    [ ! -e "$2/claims" ] || fail "$3: claims are left"
    [ -z "$(find "$2" -name '*.tmp')" ] || fail "$3: aside files are left"
}
job 1 "$work/calm" 2>"$work/log"

# Jobs of 1, 2 and 2 ranks; one is killed, launcher and ranks, in the middle.
job 2 "$work/run" >"$work/log1" 2>&1 &
first=$!
wait_for has_files "$work/run" 2
job 1 "$work/run" >"$work/log2" 2>&1 &
second=$!
job 2 "$work/run" >"$work/log3" 2>&1 &
third=$!
wait_for has_files "$work/run" 6
kill_job "$first" || fail "the first job was over before the kill"
wait "$second" || { cat "$work/log2" >&2 && fail "the second job failed"; }
wait "$third" || { cat "$work/log3" >&2 && fail "the third job failed"; }
[ "$(files "$work/run")" -eq $n_groups ] || fail "group files are missing"
same_bits "$work/calm" "$work/run" "three jobs, one killed"

# A job that is killed between a group's file and its pictures leaves these to the job beside it,
# which has looked for what is left before.
head -n 8 "$work/prompts.txt" >"$work/few.txt" # pictures take long
with_pictures() {
    sample 1 "$work/$1" --prompts "$work/few.txt" --store bits,png --paths full
}
with_pictures pictures 2>"$work/log"
with_pictures cut >"$work/log1" 2>&1 &
first=$!
with_pictures cut >"$work/log2" 2>&1 &
second=$!
wait_for has_files "$work/cut" 1
kill -STOP "$(ranks_of "$second")"
ended=$(ranks_of "$first")
kill_job "$first" || fail "the job was over before the kill"
mapfile -t orphans < <(grep -l -- "-$ended-" "$work"/cut/claims/[0-9]*[0-9])
[ ${#orphans[@]} -gt 0 ] || fail "the job that was killed had no group in hand"
for claim in "${orphans[@]}"; do
    cp "$work/pictures/groups/full/${claim##*/}.h5" "$work/cut/groups/full/"
done
kill -CONT "$(ranks_of "$second")"
wait "$second" || { cat "$work/log2" >&2 && fail "the job beside a killed one failed"; }
same_run "$work/pictures" "$work/cut" || fail "pictures of a job that was killed are missing"
[ ! -e "$work/cut/claims" ] || fail "a job that was killed: claims are left"

# A rank that stands still keeps what it has claimed and no more; the others take its share.
job 3 "$work/still" >"$work/log" 2>&1 &
running=$!
rank_of() {
    local pid
    for pid in $(ranks_of "$running"); do
        if tr '\0' '\n' <"/proc/$pid/environ" | grep -qx "OMPI_COMM_WORLD_RANK=$1"; then
            echo "$pid"
        fi
    done
}
wait_for has_files "$work/still" 2
victim=$(rank_of 1)
kill -STOP "$victim"
held_alone() { # what is claimed is the victim's
    local claimed
    claimed=$(grep -l -- "-$victim-" "$work"/still/claims/[0-9]*[0-9] 2>/dev/null | wc -l)
    [ "$claimed" -gt 0 ] && [ "$claimed" -le 4 ] &&
        [ "$(files "$work/still")" -ge $((n_groups - claimed)) ]
}
wait_for held_alone
kill -CONT "$victim"
wait "$running" || { cat "$work/log" >&2 && fail "the job with a rank that stood still failed"; }
same_bits "$work/calm" "$work/still" "a rank stood still"
for r in 0 1 2; do
    sed -nE "s/.*group ([0-9]+) is claimed by rank $r/\1/p" "$work/still/log/$r.txt"
done | sort -n >"$work/computed"
[ "$(sort -u "$work/computed" | wc -l)" -eq $n_groups ] || fail "not all groups were claimed"
[ "$(wc -l <"$work/computed")" -eq $n_groups ] || fail "a group was claimed twice"
own=$(grep -c 'is claimed' "$work/still/log/1.txt")
[ "$own" -lt 6 ] || fail "the rank that stood still computed its whole share of 6"

# A rank without a group to compute waits longer than it would in a collective call, and a rank that
# cannot go on leaves its share to the others.
rm "$work"/still/groups/full/000003.h5
job 2 "$work/still" --wait-limit 3 >"$work/log" 2>&1 &
running=$!
holder=
for _ in {1..12000}; do # quickly: the group takes a tenth of a second
    holder=$(sed -nE 's/^[^-]+-([0-9]+)-.*/\1/p' "$work/still/claims/000003" 2>/dev/null || true)
    if [ -n "$holder" ]; then
        kill -STOP "$holder"
        break
    fi
    sleep 0.003
done
[ -n "$holder" ] || fail "nobody claimed the group"
sleep 6
[ ! -e "$work/still/groups/full/000003.h5" ] || fail "the rank was stopped too late"
kill -CONT "$holder"
wait "$running" || { cat "$work/log" >&2 && fail "a rank without work gave up the other"; }
same_bits "$work/calm" "$work/still" "a rank without work"

rm -rf "$work/run"
arguments=(sample --config "$work/job.json" --threads 1 "${options[@]}" --out "$work/run")
RANK=0 WORLD_SIZE=2 "$skv" "${arguments[@]}" --wait-limit 3 >"$work/log" 2>&1 </dev/null &
first=$!
(
    ulimit -f 8 # KiB; a group's file is larger
    RANK=1 WORLD_SIZE=2 exec "$skv" "${arguments[@]}" --wait-limit 3 >"$work/log1" 2>&1 </dev/null
) &
second=$!
! wait "$first" || fail "a rank failed, and all is well"
! wait "$second" || fail "a rank failed, and is content"
grep -q 'this rank cannot go on, the others do: .*File too large' "$work/log1" ||
    { cat "$work/log1" >&2 && fail "the rank that failed does not say why"; }
grep -q '^error: rank 1 (.*): .*File too large' "$work/log" ||
    { cat "$work/log" >&2 && fail "rank 0 does not say who failed"; }
[ "$(files "$work/run")" -eq $n_groups ] || fail "the share of the rank that failed was left"
job 1 "$work/run" >"$work/log" 2>&1 || { cat "$work/log" >&2 && fail "it does not go on"; }
same_bits "$work/calm" "$work/run" "a rank failed"

# By parts: a job ends when its own part is done; the last one gathers.
rm -rf "$work/run"
job 2 "$work/run" --shard 2/2 >"$work/log" 2>&1 || { cat "$work/log" >&2 && fail "a part failed"; }
grep -q 'part 2/2 of the groups is done' "$work/log" || fail "not said that a part is done"
[ ! -e "$work/run/run.h5" ] || fail "half of a run was gathered"
[ "$(files "$work/run")" -eq $((n_groups / 2)) ] || fail "not half of the groups were computed"
job 1 "$work/run" --shard 1/2 >"$work/log" 2>&1 || { cat "$work/log" >&2 && fail "a part failed"; }
same_bits "$work/calm" "$work/run" "two parts"

# Resumed on other numbers of ranks.
for change in "1 4" "4 1" "3 5" "2 7"; do
    read -r before after <<<"$change"
    rm -rf "$work/run"
    job "$before" "$work/run" >"$work/log" 2>&1 &
    running=$!
    wait_for has_files "$work/run" 4
    kill_job "$running" || fail "$before ranks were done before the kill"
    job "$after" "$work/run" >"$work/log" 2>&1 || { cat "$work/log" >&2 && fail "$change failed"; }
    same_bits "$work/calm" "$work/run" "$before ranks, then $after"
done
echo "3 jobs of which one was killed, pictures of a killed job, a rank that stood still, 4 changes of ranks: the same bytes"
