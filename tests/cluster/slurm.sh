#!/usr/bin/env bash
# A SLURM of one node, with its own daemons in a folder of this test: srun, the scripts of jobs/,
# the time limit, a warning and the restart after it, an array, scancel, a drained node. Each run
# ends with the same bytes as an undisturbed one.
set -euo pipefail
skv=$1 source=$2 work=$3
# shellcheck source=tests/mpi/run_tools.sh
. "$source/tests/mpi/run_tools.sh"

if [ "$(id -u)" -ne 0 ]; then
    echo "skipped: SLURM's daemons want root here"
    exit 77
fi
PATH=$PATH:/usr/sbin:/sbin
for program in slurmctld slurmd sbatch; do
    if ! command -v $program >/dev/null; then
        echo "skipped: no $program (packages: slurmctld slurmd slurm-client slurm-wlm-basic-plugins)"
        exit 77
    fi
done
rm -rf "$work"
mkdir -p "$work"
unset "${!SLURM_@}" "${!SBATCH_@}"

# --------------------------------------------------------------------------- the cluster

node=$(hostname -s)
home=$(mktemp -d "${TMPDIR:-/tmp}/skv-slurm.XXXXXX") # a short name: sockets are in it
port=$((20000 + $$ % 10000))
export SLURM_CONF=$home/slurm.conf

stop_cluster() {
    local pid

    scancel --user=root >/dev/null 2>&1 || true
    for _ in {1..50}; do
        [ -n "$(squeue -h 2>/dev/null)" ] || break
        sleep 0.2
    done
    for pid in "$home"/slurmd.pid "$home"/slurmctld.pid; do
        [ ! -s "$pid" ] || kill "$(cat "$pid")" 2>/dev/null || true
    done
    for _ in {1..50}; do
        [ -e "$home/slurmd.pid" ] || [ -e "$home/slurmctld.pid" ] || break
        sleep 0.1
    done
    cp "$home"/*.log "$work" 2>/dev/null || true
    rm -rf "$home"
}

start_cluster() {
    mkdir "$home/state" "$home/spool"
    mknod "$home/gpu0" c 1 3 # two GPUs that are none: jobs ask for some
    mknod "$home/gpu1" c 1 3
    echo "NodeName=$node Name=gpu File=$home/gpu[0-1]" >"$home/gres.conf"
    cat >"$SLURM_CONF" <<CONF
ClusterName=local
SlurmctldHost=$node(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/none
CredType=cred/none
SlurmctldPort=$port
SlurmdPort=$((port + 1))
StateSaveLocation=$home/state
SlurmdSpoolDir=$home/spool
SlurmctldPidFile=$home/slurmctld.pid
SlurmdPidFile=$home/slurmd.pid
SlurmctldLogFile=$home/slurmctld.log
SlurmdLogFile=$home/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=2
ReturnToService=2
GresTypes=gpu
NodeName=$node NodeAddr=127.0.0.1 CPUs=16 Gres=gpu:2 State=UNKNOWN
PartitionName=test Nodes=ALL Default=YES State=UP
CONF
    slurmctld
    slurmd
    for _ in {1..100}; do
        [ "$(sinfo -h -o %t 2>/dev/null)" != idle ] || return 0
        sleep 0.2
    done
    tail -n 20 "$home"/*.log >&2
    fail "the cluster did not start"
}

# ------------------------------------------------------------------------------- helpers

# submit NAME SBATCH_OPTION... SCRIPT ARGS...: the job's number; its output is $work/NAME.out.
submit() {
    local name=$1

    shift
    (cd "$source" && SKV=$skv sbatch --parsable --output="$work/$name.out" --time=10 --nodes=1 \
        --gpus-per-node=0 --ntasks-per-node=2 --cpus-per-task=1 "$@")
}

# shown JOB FIELD: a field of scontrol show job.
shown() {
    scontrol show job "$1" | tr ' ' '\n' | sed -n "s/^$2=//p" | head -n 1
}

# wait_for SECONDS WHAT...: until the command succeeds.
wait_for() {
    local until=$((SECONDS + $1))

    shift
    until "$@"; do
        if [ $SECONDS -ge $until ]; then
            tail -n 30 "$work"/*.out >&2 || true
            squeue >&2
            fail "waited too long for: $*"
        fi
        sleep 0.3
    done
}

in_state() {
    [[ $(shown "$1" JobState) =~ ^($2)$ ]]
}

has_no_process() {
    ! pgrep -f "^slurmstepd: \[$1\." >/dev/null
}

has_groups() {
    [ "$(find "$1/groups" -name '*.h5' 2>/dev/null | wc -l)" -ge "$2" ]
}

# ended JOB STATE EXIT: how a job ended, as scontrol says.
ended() {
    wait_for 240 in_state "$1" 'COMPLETED|FAILED|CANCELLED|TIMEOUT|NODE_FAIL'
    in_state "$1" "$2" || fail "job $1 is $(shown "$1" JobState), want $2"
    [ -z "${3:-}" ] || [ "$(shown "$1" ExitCode)" = "$3" ] ||
        fail "job $1 ended with $(shown "$1" ExitCode), want $3"
}

# says FILE WORDS
says() {
    grep -q "$2" "$work/$1.out" || {
        cat "$work/$1.out" >&2
        fail "$1: nobody said: $2"
    }
}

# --------------------------------------------------------------------------------- cases

write_job
sed -i 's/"paths": "[^"]*"/"paths": "full", "samples": 6, "threads": 1, "store": "bits"/' "$work/job.json" # 18 groups
"$skv" sample --config "$work/job.json" --out "$work/calm" >"$work/calm.out" 2>&1
trap stop_cluster EXIT
start_cluster

# At the time limit every rank gets TERM twice. Nothing warns; this takes a minute, beside the rest.
limit=$(submit limit --time=1 --wrap "exec srun --mpi=pmix $skv sample --config $work/job.json \
    --out $work/limit --samples 3000")

(cd "$work" && srun --mpi=pmix -n 2 --time=10 "$skv" sample --config job.json --out "$work/srun" \
    >"$work/srun.out" 2>&1) || fail "srun: $(cat "$work/srun.out")"
same_run "$work/calm" "$work/srun" || fail "srun: another run"
echo "srun: the same run"

# A warning: the ranks stop, the job goes back into the queue, and a drained node does not take it.
job=$(submit warned jobs/sample.sbatch "$work/job.json" "$work/warned")
wait_for 120 has_groups "$work/warned" 1
scontrol update NodeName="$node" State=DRAIN Reason=test
scancel --batch --signal=USR1 "$job"
wait_for 120 in_state "$job" PENDING
wait_for 60 has_no_process "$job" # of its first start
says warned 'stopped by SIGUSR1'
says warned 'the job goes back into the queue'
[ ! -e "$work/warned/run.h5" ] || fail "warned: the run was completed all the same"
scontrol update NodeName="$node" State=RESUME
scontrol update JobId="$job" StartTime=now # SLURM keeps a requeued job for two minutes
ended "$job" COMPLETED 0:0
[ "$(shown "$job" Restarts)" = 1 ] || fail "warned: $(shown "$job" Restarts) restarts, want 1"
same_run "$work/calm" "$work/warned" || fail "warned: another run"
echo "warning, drained node, restart: the same run"

# The same by mpirun, and no more restarts than are allowed.
job=$(SKV_MAX_REQUEUES=0 submit mpirun jobs/sample_mpirun.sbatch "$work/job.json" "$work/mpirun")
wait_for 120 has_groups "$work/mpirun" 1
scancel --batch --signal=USR1 "$job"
ended "$job" FAILED 75:0
says mpirun 'stopped by SIGUSR1'
says mpirun 'no restart'
echo "mpirun: stopped, not restarted"

job=$(submit cancelled jobs/sample.sbatch "$work/job.json" "$work/cancelled")
wait_for 120 has_groups "$work/cancelled" 1
scancel "$job"
ended "$job" CANCELLED
wait_for 60 grep -q 'stopped by SIGTERM' "$work/cancelled.out"
echo "scancel: stopped, not restarted"

# Two jobs share the run; a third, which waits for both, gathers it.
array=$(submit array --array=0-1 --ntasks-per-node=1 jobs/sample_array.sbatch "$work/job.json" \
    "$work/array")
job=$(cd "$source" && SKV=$skv sbatch --parsable --output="$work/gather.out" --time=10 \
    --dependency=afterany:"$array" jobs/gather.sbatch "$work/array")
ended "$job" COMPLETED 0:0
same_run "$work/calm" "$work/array" || fail "array: another run"
[ "$(grep -c 'all groups are done' "$work/array.out")" -eq 2 ] || fail "array: not two jobs"
echo "array and gather: the same run"

ended "$limit" TIMEOUT
says limit 'stopped by SIGTERM at rank . of 2'
"$skv" sample --config "$work/job.json" --out "$work/mpirun" >"$work/resumed.out" 2>&1
same_run "$work/calm" "$work/mpirun" || fail "mpirun: another run"
echo "time limit: stopped with a word"
