#!/usr/bin/env bash
# Ranks that are lost while others wait for them: lost_ranks.sh FOLDER TEST_COMM_TCP [TEST_COMM].
# Nobody waits for ever or in silence, and the sentence names who is missing. TEST_COMM: by mpirun.
set -euo pipefail
work=$1 tcp=$2 mpi=${3:-}
loop=$(dirname "${BASH_SOURCE[0]}")/loop.sh
rm -rf "$work"
mkdir -p "$work"
export SKV_TEST_RUN=$work/run SKV_TEST_NOTICE=1 SKV_TEST_LIMIT=3

fail() {
    echo "lost_ranks: $*" >&2
    cat "$work/log" >&2
    exit 1
}

says() {
    grep -qE "$1" "$work/log" || fail "nobody says: $1"
}

# lose_tcp HOW VICTIM: three ranks of a loop.
lose_tcp() {
    ! (
        pids=()
        trap 'kill -KILL "${pids[@]}" 2>/dev/null || true' EXIT # one is stopped
        for rank in 0 1 2; do
            RANK=$rank WORLD_SIZE=3 "$tcp" lost "$1" "$2" &
            pids+=($!)
        done
        for rank in 0 1 2; do
            [ "$rank" -eq "$2" ] || ! wait "${pids[rank]}" || exit 0
        done
        exit 1
    ) >"$work/log" 2>&1 || fail "$1 $2: a rank ends as if all were well"
}

lose_tcp stops 2
says 'rank 0 \(.*\) waits for rank 2 \(.*\) since [0-9:]{8}, 1 s so far; the job ends after 3 s'
says 'cannot end .*: rank 0 \(.*\) has waited for rank 2 \(.*\) since [0-9:]{8}, longer than 3 s, so the job ends'
lose_tcp stops 0
says 'rank 1 \(.*\) waits for rank 0 \(.*\) since'
says 'rank 1 \(.*\) has waited for rank 0'
says 'rank 2 \(.*\) has waited for rank 0'

# a rank that works, and says so, is not lost
bash "$loop" 3 "$tcp" busy >"$work/log" 2>&1 || fail "rank 0 was at work for 6 s, and is given up"

# a connection that is closed is heard of at once
export SKV_TEST_NOTICE=50 SKV_TEST_LIMIT=100
for how in dies leaves; do
    lose_tcp "$how" 1
    says 'rank 1 \(.*\) has gone: its connection to rank 0'
    lose_tcp "$how" 0
    says 'rank 0 \(.*\) has gone: its connection to rank 1'
done
! bash "$loop" 3 "$tcp" astray >"$work/log" 2>&1 || fail "ranks agree on different calls"
says 'they make different calls'
! bash "$loop" 3 "$tcp" abort >"$work/log" 2>&1 || fail "an abort ends well"
says 'rank 2 \(.*\) ends the job'

if [ -n "$mpi" ]; then
    export SKV_TEST_NOTICE=1 SKV_TEST_LIMIT=3
    mpirun -n 3 --oversubscribe "$mpi" busy >"$work/log" 2>&1 ||
        fail "mpirun: rank 0 was at work for 6 s, and is given up"
    for victim in 2 0; do
        ! mpirun -n 3 --oversubscribe "$mpi" lost stops $victim >"$work/log" 2>&1 ||
            fail "mpirun: rank $victim stopped, and all is well"
        says "waits for rank $victim \\(.*\\) since [0-9:]{8}"
        says "has waited for rank $victim \\(.*\\) since"
    done
    ! pgrep -f "$mpi lost stops" >/dev/null || fail "mpirun left a stopped rank"
fi
echo "ranks that stop, die or go are named, and the others leave"
