#!/usr/bin/env bash
# Three hosts on one machine, with TCP between them: three_hosts.sh SKV SOURCE FOLDER [MPI]. Network
# namespaces on a bridge, each with a host's name of its own. Needs root and iproute2.
# The MPI form (where the build has it) and the TCP form make the same bytes as one rank; a cable
# that is cut and a host that dies end the job with a sentence that names the rank and its host, and
# the run that goes on afterwards is the same.
set -euo pipefail
skv=$1 source=$2 work=$3 mpi=${4:-}
# shellcheck source=tests/mpi/run_tools.sh
. "$source/tests/mpi/run_tools.sh"
id=k$((BASHPID % 10000)) # of the namespaces, so that two of these tests may run at a time
net=10.77.$((BASHPID % 250))

unplug_all() {
    local i pid

    for i in 0 1 2; do
        for pid in $(ip netns pids "$id$i" 2>/dev/null); do
            kill -KILL "$pid" 2>/dev/null || true
        done
        ip netns del "$id$i" 2>/dev/null || true
    done
    ip link del "$id" 2>/dev/null || true
}

if [ "$(id -u)" -ne 0 ] || ! command -v ip >/dev/null || ! ip link add "$id" type bridge; then
    echo "skipped: needs root, iproute2 and network namespaces"
    exit 77
fi
trap unplug_all EXIT
ip link set "$id" up
for i in 0 1 2; do
    ip netns add "$id$i"
    ip link add "$id-$i" type veth peer name eth0 netns "$id$i"
    ip link set "$id-$i" master "$id" up
    ip -n "$id$i" addr add "$net.1$i/24" dev eth0
    ip -n "$id$i" link set eth0 up
    ip -n "$id$i" link set lo up
done

# on HOST COMMAND...: in the namespace, under the host's name
on() {
    local i=$1

    shift
    # shellcheck disable=SC2016 # the inner shell's
    ip netns exec "$id$i" unshare -u bash -c 'hostname "$1"; shift; exec "$@"' on "host$i" "$@"
}

rm -rf "$work"
mkdir -p "$work"
write_job
arguments=(sample --config "$work/job.json" --threads 1 --paths full)
sample 1 "$work/one" --paths full >/dev/null 2>&1

# Started by a loop on each host: LIMIT OUT
by_hand() {
    pids=()
    for i in 0 1 2; do
        RANK=$i WORLD_SIZE=3 on "$i" "$skv" "${arguments[@]}" --out "$2" --wait-notice 2 \
            --wait-limit "$1" </dev/null >"$work/log$i" 2>&1 &
        pids+=($!)
    done
}

all_well() {
    local i

    for i in 0 1 2; do
        wait "${pids[i]}" || fail "rank $i failed: $(cat "$work/log$i")"
    done
}

# survivors RANK...: these end, and not as if all were well
survivors() {
    local i

    for i in "$@"; do
        ! wait "${pids[i]}" || fail "rank $i is content: $(cat "$work/log$i")"
    done
}

says() {
    grep -qE "$2" "$work/log$1" || fail "rank $1 does not say \"$2\": $(cat "$work/log$1")"
}

# Until the ranks compute.
until_computing() {

    for _ in {1..200}; do
        [ ! -e "$1/groups/full" ] || return 0
        sleep 0.1
    done
    fail "$1: no rank computes: $(cat "$work"/log*)"
}

# Until no rank is left on any host; a claim of who is gone is waited out first (60 s).
until_gone() {
    local i pid left

    for _ in {1..1800}; do
        left=
        for i in 0 1 2; do
            for pid in $(ip netns pids "$id$i"); do
                [ "$(readlink "/proc/$pid/exe")" != "$skv" ] || left=yes
            done
        done
        [ -n "$left" ] || return 0
        sleep 0.1
    done
    fail "ranks are left: $(cat "$work/log0")"
}

by_hand 60 "$work/tcp"
all_well
says 0 '^# rank 2 of 3, host2, local 0: '
says 0 'of weights read once on each of 3 hosts for 3 ranks$'
same_run "$work/one" "$work/tcp" || fail "the TCP form's bytes differ"

by_hand 6 "$work/cut"
until_computing "$work/cut"
ip -n "$id"2 link set eth0 down
survivors 0 1 2
says 0 'error: .*(rank 0 \(host0\) has waited for rank 2 \(host2\) since|rank 2 \(host2\) cannot be reached from rank 0)'
says 2 'error: .*(rank 2 \(host2\) has waited for rank 0 \(host0\) since|rank 0 \(host0\) cannot be reached from rank 2)'
ip -n "$id"2 link set eth0 up

by_hand 6 "$work/dead"
until_computing "$work/dead"
for pid in $(ip netns pids "$id"2); do
    kill -KILL "$pid" 2>/dev/null || true
done
survivors 0 1 2
says 0 'error: rank 2 \(host2\) has gone'

for run in cut dead; do
    by_hand 60 "$work/$run"
    all_well
    same_run "$work/one" "$work/$run" || fail "$run: the run that went on differs"
done
if [ -z "$mpi" ]; then
    echo "three hosts: TCP, a cut cable, a dead host"
    exit 0
fi

# mpirun on host 0 starts its daemons on the others by AGENT HOST COMMAND.
{
    printf '#!/usr/bin/env bash\nid=%s\n' "$id"
    declare -f on
    # shellcheck disable=SC2016
    printf 'host=${1##*.1}\nshift\non "$host" bash -c "$*"\n'
} >"$work/agent"
chmod +x "$work/agent"
printf '%s slots=1\n' "$net.10" "$net.11" "$net.12" >"$work/hosts"

# by_mpirun LIMIT OUT
by_mpirun() {
    on 0 mpirun -n 3 --hostfile "$work/hosts" --mca plm rsh --mca plm_rsh_agent "$work/agent" \
        --mca btl tcp,self --mca btl_tcp_if_include "$net.0/24" \
        --mca oob_tcp_if_include "$net.0/24" --map-by node --bind-to none \
        "$skv" "${arguments[@]}" --out "$2" --wait-notice 2 --wait-limit "$1" \
        </dev/null >"$work/log0" 2>&1 &
    pids=($!)
}

by_mpirun 60 "$work/mpi"
wait "${pids[0]}" || fail "mpirun: $(cat "$work/log0")"
says 0 '^# rank 2 of 3, host2, local 0: '
says 0 'of weights read once on each of 3 hosts for 3 ranks$'
same_run "$work/one" "$work/mpi" || fail "the MPI form's bytes differ"

# mpirun itself waits for its daemon on the host that is cut off, until the kernel gives up on the
# connection; the ranks do not.
by_mpirun 6 "$work/mpi-cut"
until_computing "$work/mpi-cut"
ip -n "$id"2 link set eth0 down
until_gone
says 0 'error: rank 0 \(host0\) has waited for (rank 2 \(host2\)|data of ranks.*) since'
echo "three hosts: over TCP and by mpirun, a cut cable, a dead host"
