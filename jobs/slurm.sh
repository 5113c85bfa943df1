# How a batch script starts the program so that a stop reaches it and a run goes on by itself;
# sourced by the *.sbatch files here.
# shellcheck shell=bash
# shellcheck source=jobs/pass_on.sh
. "${BASH_SOURCE[0]%/*}/pass_on.sh"

# SLURM warns the script (--signal=B:USR1@SECONDS) before the time limit. The warning is passed on,
# the ranks finish the group in hand and leave with status 75, and the job is put back into the
# queue under its own number, from where it goes on. This ends when the run is complete, when the job
# was cancelled, after SKV_MAX_REQUEUES restarts (100), or after SKV_MAX_IDLE restarts (3) in a row
# that finished no group.

# skv_groups RUN: group files that are there.
skv_groups() {
    { find "$1/groups" -name '*.h5' 2>/dev/null || true; } | wc -l
}

# skv_job: this job for SLURM's commands. The number alone may name a whole array.
skv_job() {
    echo "${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}${SLURM_ARRAY_TASK_ID:+_$SLURM_ARRAY_TASK_ID}"
}

# skv_requeue RUN GROUPS_BEFORE: puts this job back into the queue, within the bounds.
skv_requeue() {
    local job idle=0 state

    job=$(skv_job)
    state=$1/log/requeue-$job.txt

    if [ "${SLURM_RESTART_COUNT:-0}" -ge "${SKV_MAX_REQUEUES:-100}" ]; then
        echo "no restart: ${SLURM_RESTART_COUNT:-0} are enough (SKV_MAX_REQUEUES)" >&2
        return 1
    fi
    if [ "$(skv_groups "$1")" -le "$2" ]; then
        read -r idle 2>/dev/null <"$state" || idle=0
        [[ $idle =~ ^[0-9]+$ ]] || idle=0
        idle=$((idle + 1))
    fi
    if [ "$idle" -ge "${SKV_MAX_IDLE:-3}" ]; then
        echo "no restart: the last $idle finished no group (SKV_MAX_IDLE)" >&2
        return 1
    fi
    mkdir -p "$1/log"
    echo "$idle" >"$state"
    echo "stopped early: the job goes back into the queue" >&2
    scontrol requeue "$job" # kills this script
}

# skv_run RUN COMMAND...: the exit status of the command, 75 after any stop that left work.
skv_run() {
    local run=$1 before child code=0 warned='' cancelled=''

    shift
    before=$(skv_groups "$run")
    "$@" <&0 &
    child=$!
    trap 'warned=yes; skv_pass_on "$child"' USR1
    # scancel, and the time limit: the ranks get it as well, and leave by themselves
    trap 'cancelled=yes' TERM
    skv_wait "$child" || code=$?
    trap - USR1 TERM
    case $code in
    0 | 2 | 3) ;;
    *) [ -z "$warned$cancelled" ] || code=75 ;; # mpirun says 1, a killed srun 137
    esac
    if [ "$code" -eq 75 ] && [ -z "$cancelled" ]; then
        skv_requeue "$run" "$before" || true
    fi
    return "$code"
}

# skv_hours MINUTES: hours that are left to this job less MINUTES, for --max-hours, should the warning
# be lost; nothing where SLURM does not say.
skv_hours() {
    { squeue -h -j "$(skv_job)" -o %L 2>/dev/null || true; } | awk -v minutes="$1" '
        /^[0-9:-]+$/ {
            days = 0
            if (split($0, part, "-") == 2) {
                days = part[1]
                $0 = part[2]
            }
            n = split($0, t, ":")
            s = n == 3 ? t[1] * 3600 + t[2] * 60 + t[3] : n == 2 ? t[1] * 60 + t[2] : t[1]
            s += days * 86400 - minutes * 60
            if (s > 60) printf "%.4f\n", s / 3600
        }'
}
