#!/usr/bin/env bash
# The main job over one or several nodes by mpirun, without a batch system.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: jobs/launch.sh [-f HOSTFILE] [-p RANKS_A_NODE | -n RANKS] [-x VAR[=VALUE]]... [-d] -- ARGS...

Runs `build/skv ARGS...` by mpirun, one rank a GPU:
  -f HOSTFILE       lines like "node01 slots=8"; without it, this machine only
  -p RANKS_A_NODE   ranks on each node; default: the GPUs in CUDA_VISIBLE_DEVICES where it is set,
                    else those that nvidia-smi shows here, or 1
  -n RANKS          ranks in all instead, dealt out as the hostfile's slots say
  -x VAR[=VALUE]    environment variable to pass to the other nodes (only OMPI_* go by themselves)
  -d                print the command and do not run it
SKV names the program when it is not build/skv. Program, configuration and output must have the
same path on all nodes (a shared file system), and ssh must reach them without a password.

A stop (TERM, INT, HUP, USR1 to this script) is passed on to the ranks, which finish the group in
hand; a second one after 2 s or more ends them at once. Exit status 75: stopped early.
Run the same command again to go on with a run that was cut off; the number of ranks may differ.
  jobs/launch.sh -f hosts -p 8 -- sample --config configs/2b.json --out /scratch/me/run
TEXT
}

die() {
    echo "launch.sh: $*" >&2
    exit 2
}

whole_number() {
    [[ $2 =~ ^[1-9][0-9]*$ ]] || die "option $1 wants a number from 1, not \"$2\""
}

# GPUs that a process started here may use. CUDA reads the variable up to the first entry that it
# does not know; nvidia-smi does not look at it.
visible_gpus() {
    local entries entry n=0
    if [ -z "${CUDA_VISIBLE_DEVICES+set}" ]; then
        nvidia-smi -L 2>/dev/null | grep -c '^GPU ' || true
        return
    fi
    IFS=', ' read -ra entries <<<"$CUDA_VISIBLE_DEVICES"
    for entry in "${entries[@]}"; do
        [[ $entry =~ ^([0-9]+|GPU-.+|MIG-.+)$ ]] || break
        n=$((n + 1))
    done
    echo "$n"
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=jobs/pass_on.sh
. "$root/jobs/pass_on.sh"
program=${SKV:-$root/build/skv}
hostfile='' per_node='' ranks='' dry=''
options=()
while getopts f:p:n:x:dh option; do
    case $option in
    f) hostfile=$OPTARG ;;
    p) per_node=$OPTARG ;;
    n) ranks=$OPTARG ;;
    x) options+=(-x "$OPTARG") ;;
    d) dry=yes ;;
    h)
        usage
        exit 0
        ;;
    *)
        usage >&2
        exit 2
        ;;
    esac
done
shift $((OPTIND - 1))
if [ $# -eq 0 ]; then
    usage >&2
    exit 2
fi
[ -x "$program" ] || die "no program at $program; build it (jobs/quickstart.sh) or set SKV"
[ -z "$ranks" ] || [ -z "$per_node" ] || die "options -p and -n exclude each other"

if [ -n "$hostfile" ]; then
    [ -r "$hostfile" ] || die "cannot read the hostfile $hostfile"
    options+=(--hostfile "$hostfile")
fi
if [ -n "$ranks" ]; then
    whole_number -n "$ranks"
    options+=(-n "$ranks")
else
    if [ -z "$per_node" ]; then
        per_node=$(visible_gpus)
        [ "$per_node" -gt 0 ] || per_node=1
    fi
    whole_number -p "$per_node"
    options+=(--map-by "ppr:$per_node:node")
fi
# Open MPI would bind each rank to one core; a rank also has a writer thread and compute threads.
options+=(--bind-to none)
if [ "$(id -u)" -eq 0 ]; then # a container: mpirun would refuse
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi

command=$(printf ' %q' mpirun "${options[@]}" "$program" "$@")
if [ -n "$dry" ]; then
    echo "${command# }"
    exit 0
fi
echo "${command# }" >&2 # standard output is the program's

# mpirun must not get the signals itself, a terminal's neither: it would end its ranks within a
# second. So it has a process group of its own (set -m).
set -m
mpirun "${options[@]}" "$program" "$@" <&0 &
job=$!
set +m
stopped=''
trap 'stopped=yes; skv_pass_on "$job"' TERM INT HUP USR1
code=0
skv_wait "$job" || code=$?
case $code in
0 | 2 | 3) ;;
*) [ -z "$stopped" ] || code=75 ;; # what mpirun makes of ranks that left early may be another
esac
exit "$code"
