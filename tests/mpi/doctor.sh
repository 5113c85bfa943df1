#!/usr/bin/env bash
# skv doctor on three ranks: a sound start has no trap and leaves nothing behind; a folder that
# hosts do not share, a run that does not fit and a limit are traps.
set -euo pipefail
skv=$1 source=$2 work=$3
# shellcheck source=tests/mpi/run_tools.sh
. "$source/tests/mpi/run_tools.sh"
rm -rf "$work"
mkdir -p "$work/a" "$work/b"
write_job
cd "$work"

# doctor STATUS ARGUMENT...: of mpirun
doctor() {
    local want=$1 status=0
    shift
    mpirun --oversubscribe "$@" </dev/null >"$work/stdout" 2>"$work/log" || status=$?
    [ "$status" -eq "$want" ] || fail "status $status, want $want: $(cat "$work/stdout" "$work/log")"
}
says() {
    grep -qE -e "$1" "$work/stdout" || fail "want \"$1\": $(cat "$work/stdout")"
}

doctor 0 -n 3 "$skv" doctor --config job.json --out here/run
says '^ok    launcher  3 ranks on 1 host \(mpi\)$'
says '^ok    folder    here/run: a synced file takes .* files are free$'
says '^ok    plan      the run fits into memory \(above\)$'
says '^0 traps$'
[ "$(grep -c '^# rank ' "$work/stdout")" -eq 3 ] || fail "a line for each rank: $(cat "$work/stdout")"
[ "$(ls -A "$work")" = $'a\nb\njob.json\nlog\nprompts.txt\nstdout' ] || fail "left: $(ls -A "$work")"

# Each rank has a folder of its own where the run is to be.
doctor 1 -wdir "$work/a" -n 1 "$skv" doctor --out run : -wdir "$work/b" -n 2 "$skv" doctor --out run
says '^TRAP  folder    run: 2 of 3 ranks do not see a file that rank 0 made in it$'
says '^1 trap$'

# Rank 0 cannot make its folder: one trap, and no wait for what was never made.
doctor 1 -n 2 "$skv" doctor --out /proc/run
says '^TRAP  folder    /proc/.skv-doctor-[0-9]+: cannot make a folder: '
says '^1 trap$'

# What earlier jobs have left is named, and left alone.
mkdir -p left/claims
touch left/stop
echo "0123456789ab-18-99" >left/claims/000001
doctor 0 -n 2 "$skv" doctor --out left
says '^ok    stop      left/stop is there: the next start of skv sample removes it$'
says '^ok    claims    left: 1 claimed by processes that have ended: the next start takes over$'
[ "$(find left -type f | sort | xargs)" = "left/claims/000001 left/stop" ] || fail "$(find left)"
rm -r left

doctor 1 -n 2 "$skv" doctor --config job.json --memory-limit 1000
says '^TRAP  plan      groups of 2 need [0-9]+ bytes'

printf '#!/bin/sh\nulimit -n 128\nexec "$@"\n' >few_files
chmod +x few_files
doctor 1 -n 1 "$skv" doctor : -n 1 ./few_files "$skv" doctor
says '^TRAP  limits    rank 1 .*: at most 128 files may be open at once$'
says '-> ulimit -n 1024$'
