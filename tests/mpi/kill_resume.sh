#!/usr/bin/env bash
# kill_resume.sh SKV SOURCE FOLDER KILLS [SEED]: a run killed by SIGKILL at random moments and
# resumed with another number of ranks ends as an undisturbed one; what a killed run called done is
# never computed again or lost. Several of these, each with a folder and a seed of its own, do not
# disturb one another.
set -euo pipefail
skv=$1 source=$2 work=$3 kills=$4 seed=${5:-20261123}
# shellcheck source=tests/mpi/run_tools.sh
. "$source/tests/mpi/run_tools.sh"
rm -rf "$work"
mkdir -p "$work"
write_job
RANDOM=$seed # the moments are reproducible as far as the machine is

# Kills one rank, the launcher, or the launcher and all ranks; fails where they are not there.
kill_some() {
    local victims ranks

    mapfile -t victims < <(pgrep -P "$job") # the launcher
    mapfile -t ranks < <([ ${#victims[@]} -eq 0 ] || pgrep -P "${victims[0]}")
    case $((RANDOM % 3)) in
    0) [ ${#ranks[@]} -eq 0 ] || victims=("${ranks[RANDOM % ${#ranks[@]}]}") ;;
    1) victims+=("${ranks[@]}") ;;
    esac
    [ ${#victims[@]} -gt 0 ] && kill -KILL "${victims[@]}" 2>/dev/null
}

# Each finished group: its file and inode.
list_done() {
    find "$work/run/groups" -name '*.h5' -printf '%p %i\n' 2>/dev/null | sort || true
}

check_done() {
    local gone

    gone=$(comm -23 <(printf '%s' "$done_before") <(list_done))
    [ -z "$gone" ] || fail "lost or written a second time: $gone"
    [ -z "$(find "$work/run/groups" -name '*.h5' -size 0 2>/dev/null)" ] || fail "an empty group file"
}

sample 1 "$work/calm" 2>"$work/log"
killed=0
runs=0
while [ "$killed" -lt "$kills" ]; do
    rm -rf "$work/run"
    runs=$((runs + 1))
    done_before=
    for _ in 1 2 3 4; do
        sample $((RANDOM % 4 + 1)) "$work/run" >"$work/log" 2>&1 &
        job=$!
        sleep "$((RANDOM % 3)).$(printf %03d $((RANDOM % 1000)))"
        hit=0
        kill_some || hit=$?
        if wait "$job" 2>/dev/null; then
            break # it was faster than the kill
        fi
        [ "$hit" -eq 0 ] || fail "a run failed by itself: $(cat "$work/log")"
        killed=$((killed + 1))
        # ranks of a killed launcher end by themselves
        for _ in {1..100}; do
            pgrep -f "$work/run" >/dev/null || break
            sleep 0.1
        done
        check_done
        done_before=$(list_done)
    done
    sample $((RANDOM % 3 + 1)) "$work/run" >"$work/log" 2>&1 ||
        fail "the last resume failed: $(cat "$work/log")"
    check_done
    same_run "$work/calm" "$work/run" || fail "after kills the run differs"
    echo "$killed kills in $runs runs"
done
echo "every run ended like the undisturbed one"
