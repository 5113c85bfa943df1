#!/usr/bin/env bash
# Two ranks over TCP make a run, and one finds it complete: the threads of a rank (queue, writer,
# watcher, heartbeat) side by side, for the thread sanitizer's build above all.
set -euo pipefail
skv=$1 source=$2 work=$3
# shellcheck source=tests/mpi/run_tools.sh
. "$source/tests/mpi/run_tools.sh"
rm -rf "$work"
mkdir -p "$work"
write_job

start=$by_loop
sample 2 "$work/run" --paths scalekv-10 --store bits
sample 1 "$work/run" --paths scalekv-10 --store bits
[ "$(find "$work/run/groups" -name '*.h5' | wc -l)" -eq 3 ] || fail "not 3 groups"
echo "two ranks made a run of 3 groups"
