#!/usr/bin/env bash
# Debian's torchrun (1.13): its workers make the same bytes as one rank; where one is killed, the
# agents start all of them again, and they go on with the run. Two agents stand for two hosts.
set -euo pipefail
skv=$1 source=$2 work=$3
# shellcheck source=tests/mpi/run_tools.sh
. "$source/tests/mpi/run_tools.sh"
if ! command -v torchrun >/dev/null; then
    echo "skipped: no torchrun (package python3-torch)"
    exit 77
fi
rm -rf "$work"
mkdir -p "$work"
write_job
job=(sample --config "$work/job.json" --threads 1 --paths full --samples 4 --group-size 1)
"$skv" "${job[@]}" --out "$work/one" >/dev/null 2>&1

# agent LOG OPTION...: -r and -t, because 1.13 crashes on Python 3.11 without them
agent() {
    local log=$1

    shift
    torchrun "$@" --max_restarts=2 --monitor_interval=1 --no_python -r 2 -t 2 "$skv" "${job[@]}" \
        --out "$run" </dev/null >"$log" 2>&1
}

# kill_one RANK: as soon as the ranks compute
kill_one() {
    local pid

    for _ in {1..600}; do
        [ -z "$(find "$run/groups" -name '*.h5' 2>/dev/null)" ] || break
        sleep 0.1
    done
    for pid in $(pgrep -f -- "--out $run"); do
        if [ "$(readlink "/proc/$pid/exe")" = "$skv" ] &&
            tr '\0' '\n' <"/proc/$pid/environ" | grep -qx "RANK=$1"; then
            kill -KILL "$pid"
            return
        fi
    done
    fail "no rank $1 to be killed: $(cat "$work"/log*)"
}

run=$work/standalone
agent "$work/log" --standalone --nproc_per_node=3 || fail "three workers: $(cat "$work/log")"
same_run "$work/one" "$run" || fail "three workers differ from one rank"

run=$work/killed
agent "$work/log" --standalone --nproc_per_node=2 &
kill_one 1
wait $! || fail "a killed worker: $(cat "$work/log")"
[ "$(grep -c 'rank 0 of 2, ' "$work/log")" -eq 2 ] || fail "no second start: $(cat "$work/log")"
same_run "$work/one" "$run" || fail "a killed worker: other bytes"

# Agents count their own failures alone: afterwards TORCHELASTIC_RESTART_COUNT is 1 here and 0 there.
run=$work/agents
port=$((20000 + BASHPID % 10000))
agents=()
for i in 0 1; do
    agent "$work/log$i" --nnodes=2 --nproc_per_node=1 --rdzv_backend=c10d --rdzv_id=job7 \
        --rdzv_endpoint="localhost:$port" &
    agents+=($!)
done
kill_one 1
for i in 0 1; do
    wait "${agents[i]}" || fail "agent $i: $(cat "$work/log$i")"
done
same_run "$work/one" "$run" || fail "two agents: other bytes"
echo "torchrun: 3 workers; a killed one, with one agent and with two"
