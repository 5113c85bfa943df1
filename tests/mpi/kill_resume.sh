#!/usr/bin/env bash
# A run killed by SIGKILL at random moments and resumed with another number of ranks ends as an
# undisturbed one; what a killed run called done is never computed again or lost.
set -euo pipefail
skv=$1 source=$2 work=$3 kills=$4
# shellcheck source=tests/mpi/run_tools.sh
. "$source/tests/mpi/run_tools.sh"
rm -rf "$work"
mkdir -p "$work"
write_job
RANDOM=20261123 # the moments are reproducible as far as the machine is

sample 1 "$work/calm" 2>"$work/log"
killed=0
runs=0
while [ "$killed" -lt "$kills" ]; do
    rm -rf "$work/run"
    runs=$((runs + 1))
    for _ in 1 2 3 4; do
        sample $((RANDOM % 4 + 1)) "$work/run" >"$work/log" 2>&1 &
        job=$!
        sleep "$((RANDOM % 3)).$(printf %03d $((RANDOM % 1000)))"
        done_before=$(find "$work/run/groups" -name '*.h5' -printf '%p %i\n' 2>/dev/null | sort || true)
        # one rank, or the launcher and all of its ranks
        if [ $((RANDOM % 2)) -eq 0 ]; then
            victim=$(pgrep -P "$job" -f "$skv" | head -n 1 || true)
            [ -z "$victim" ] || kill -KILL "$victim" 2>/dev/null || true
        else
            pkill -KILL -P "$job" 2>/dev/null || true
            kill -KILL "$job" 2>/dev/null || true
        fi
        if wait "$job" 2>/dev/null; then
            break # it was faster than the kill
        fi
        killed=$((killed + 1))
        # ranks of a killed launcher end by themselves; the next run needs their lock
        for _ in {1..100}; do
            pgrep -f "$work/run" >/dev/null || break
            sleep 0.1
        done
        while read -r file inode; do
            [ -z "$file" ] || [ "$(stat -c %i "$file")" = "$inode" ] ||
                fail "$file was written a second time"
        done <<<"$done_before"
        [ -z "$(find "$work/run/groups" -name '*.h5' -size 0 2>/dev/null)" ] || fail "an empty group file"
    done
    sample $((RANDOM % 3 + 1)) "$work/run" >"$work/log" 2>&1 || {
        cat "$work/log" >&2
        fail "the last resume failed"
    }
    same_run "$work/calm" "$work/run" || fail "after kills the run differs"
done
echo "$killed kills in $runs runs, every run ended like the undisturbed one"
