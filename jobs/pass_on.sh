# A stop for what a script has started, and waiting for it; sourced by jobs/launch.sh and
# jobs/slurm.sh.
# shellcheck shell=bash

# skv_pass_on PROCESS: asks for a stop. srun passes USR1 to all ranks; mpirun does so in most
# installations, so its ranks on this node get it too: one rank is enough. (TERM would make srun
# kill them, and mpirun after a second.)
skv_pass_on() {
    local name=${SKV:-skv}

    name=${name##*/}
    kill -USR1 "$1" 2>/dev/null || true
    pkill -USR1 -P "$1" -x "${name:0:15}" 2>/dev/null || true
}

# skv_wait PROCESS: until it has really ended; its exit status. A signal that is trapped ends bash's
# own wait.
skv_wait() {
    local code=0 again=0

    while :; do
        code=0
        wait "$1" || code=$?
        if [ "$code" -le 128 ] || ! kill -0 "$1" 2>/dev/null; then
            break
        fi
    done
    if [ "$code" -gt 128 ]; then # the signal's, or really the process's
        wait "$1" 2>/dev/null || again=$?
        [ "$again" -eq 127 ] || code=$again
    fi
    return "$code"
}
