#!/usr/bin/env bash
# A stop that any rank of two hears of ends all of them in an orderly way, and the same command goes
# on: signals to one rank and to mpirun, RUN/stop, while the groups are computed.
set -euo pipefail
skv=$1 source=$2 work=$3
# shellcheck source=tests/mpi/run_tools.sh
. "$source/tests/mpi/run_tools.sh"
rm -rf "$work"
mkdir -p "$work"
write_job
rows=(--samples 24 --paths full --store bits) # 72 groups: longer than a look for RUN/stop takes
run=$work/run

# begin [LAUNCHER...]: two ranks, and waits until both compute.
begin() {
    [ $# -gt 0 ] || set -- mpirun -n 2 --oversubscribe "$skv"
    SKV=$skv "$@" sample --config "$work/job.json" --out "$run" \
        --threads 1 "${rows[@]}" </dev/null >"$work/out" 2>"$work/log" &
    job=$!
    for _ in {1..600}; do
        if grep -qs 'phase: groups' "$run/log/0.txt" && grep -qs 'phase: groups' "$run/log/1.txt"; then
            return
        fi
        kill -0 "$job" 2>/dev/null || break
        sleep 0.05
    done
    fail "the groups were not begun: $(cat "$work/log")"
}

# process_of RANK
process_of() {
    local process

    for process in $(pgrep -P "$job"); do
        if tr '\0' '\n' <"/proc/$process/environ" | grep -qx "OMPI_COMM_WORLD_RANK=$1"; then
            echo "$process"
            return
        fi
    done
    fail "rank $1 is not there"
}

# ended STATUS WHY: mpirun's exit status, one sentence, nothing half-written, something left to do.
ended() {
    local code=0 said

    wait "$job" || code=$?
    [ "$code" -eq "$1" ] || fail "$2: exit status $code, want $1: $(cat "$work/log")"
    said=$(grep -c 'stopped by' "$work/log" || true)
    [ "$said" -eq 1 ] || fail "$2: $said sentences: $(cat "$work/log")"
    grep -qE "stopped by $2: [0-9]+ of 72 groups (is|are) done, [0-9]+ (is|are) left; to go on, .*: mpirun .*" \
        "$work/log" || fail "$2: another sentence: $(grep 'stopped by' "$work/log")"
    [ ! -e "$run/run.h5" ] || fail "$2: the run was completed all the same"
    rm -rf "$run/log"
}

begin
kill -USR1 "$(process_of 1)"
ended 75 'SIGUSR1 at rank 1 of 2 [(].*[)]'
begin
touch "$run/stop"
ended 75 'the file stop'
begin # removes RUN/stop
[ ! -e "$run/stop" ] || fail "RUN/stop was not removed"
kill -HUP "$(process_of 0)"
ended 75 'SIGHUP at rank 0 of 2 [(].*[)]'
rm -rf "$run"
begin
kill -TERM "$job" # leaves the ranks a second; mpirun itself ends with 1
ended 1 'SIGTERM at rank 0 of 2 [(].*[)]'
begin
kill -TERM "$(process_of 1)" # mpirun ends the others
ended 75 'SIGTERM at rank 0 of 2 [(].*[)]'

# launch.sh keeps TERM from mpirun, and says 75
rm -rf "$run"
begin bash "$source/jobs/launch.sh" -n 2 --
kill -TERM "$job"
ended 75 'SIGUSR1 at rank [01] of 2 [(].*[)]'
find "$run" -maxdepth 1 -name '.stop-*' | grep . && fail "a word of a job was left"

sample 2 "$run" "${rows[@]}" >"$work/out" 2>"$work/log"
sample 1 "$work/calm" "${rows[@]}" >"$work/out" 2>"$work/log"
same_run "$work/calm" "$run" || fail "after stops the run differs"
echo "six stops, and the run ended like the undisturbed one"
