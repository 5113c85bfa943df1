#!/usr/bin/env bash
# start_million.sh SKV SOURCE [PROMPTS [RANKS]]: what the prompts cost at the start of a run, for
# each of RANKS ranks (1,000,000 prompts, 1,024 ranks), by hand.
#
# Two real ranks start a run of PROMPTS captions, once without rows.h5 and once with it, and compute
# one group of it; ten prompts are the baseline of everything else. A rank's memory does not depend
# on the number of ranks; tokenising is shared evenly, so the share of one of RANKS is that of one
# of two, times 2 / RANKS.
#
# As root, with iproute2: SKV_CABLE=1 start_million.sh ... has four ranks of the TCP form start on two
# hosts (network namespaces), the first one by itself, and reads what went through the cable.
set -euo pipefail
skv=$(realpath "$1") source=$(realpath "$2") n=${3:-1000000} ranks=${4:-1024}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat >measure.py <<'PY'
# measure.py FILE COMMAND...: appends "rank cpu_s wall_s peak_MiB" to FILE
import os, resource, subprocess, sys, time
start = time.time()
code = subprocess.call(sys.argv[2:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(sys.argv[1] + os.environ.get("OMPI_COMM_WORLD_RANK", "0"), "w") as f:
    print(used.ru_utime + used.ru_stime, time.time() - start, used.ru_maxrss / 1024, file=f)
sys.exit(code)
PY
cat >prompts.py <<'PY'
# prompts.py N: captions of ten words
import random, sys
random.seed(1)
parts = ["a man|two dogs|a brown horse|a group of people|an old red truck|three zebras",
         "riding|standing next to|looking at|walking near|parked beside|in front of",
         "a surfboard|a wooden table|a large building|a green field|a pizza with cheese",
         "on a sunny day|in the background|at night|while others watch|near some trees"]
parts = [p.split("|") for p in parts]
for i in range(int(sys.argv[1])):
    print(*(random.choice(p) for p in parts), i)
PY

# first_id PROMPTS: of the first picture
first_id() {
    local digits=5

    [ "$1" -le 100000 ] || digits=$((${#1} - 1))
    printf "%0${digits}d" 0
}

# start NAME PROMPTS FILE: two ranks, one group
start() {
    mpirun --oversubscribe -np 2 python3 measure.py "$1." "$skv" sample --transformer \
        formula:tiny_f16 --vae formula:tiny_f16 --t5 "$source/tests/data/tiny_t5" --resolution \
        0.06M --drafters 0 --group-size 8 --paths full --threads 1 --prompts "$3" --out "run.$2" \
        --only "$(first_id "$2")" >/dev/null 2>"$1.err" || { cat "$1.err"; exit 1; }
    grep ' prompts ' "$1.err" || true
}

python3 prompts.py 10 >ten.txt
python3 prompts.py "$n" >all.txt

# cable PROMPTS FILE: bytes that rank 0 has sent, and has got
cable() (
    local id=skv$BASHPID pids=() r

    ip netns add "$id-a"
    ip netns add "$id-b"
    # shellcheck disable=SC2064 # now
    trap "ip netns del $id-a; ip netns del $id-b" EXIT
    ip link add eth0 netns "$id-a" type veth peer name eth0 netns "$id-b"
    for r in a b; do
        ip -n "$id-$r" link set lo up
        ip -n "$id-$r" addr add "10.78.0.$([ "$r" = a ] && echo 1 || echo 2)/24" dev eth0
        ip -n "$id-$r" link set eth0 up
    done
    for r in 0 1 2 3; do
        RANK=$r WORLD_SIZE=4 ip netns exec "$id-$([ "$r" = 0 ] && echo a || echo b)" \
            "$skv" sample --transformer formula:tiny_f16 --vae formula:tiny_f16 --t5 \
            "$source/tests/data/tiny_t5" --resolution 0.06M --drafters 0 --group-size 8 --paths \
            full --threads 1 --prompts "$2" --out "cable.$1" --only "$(first_id "$1")" \
            >/dev/null 2>"cable.$r" &
        pids+=($!)
    done
    for r in 0 1 2 3; do
        wait "${pids[r]}" || { cat "cable.$r" >&2; exit 1; }
    done
    ip netns exec "$id-a" cat /sys/class/net/eth0/statistics/{tx,rx}_bytes
)
if [ "${SKV_CABLE:-}" ]; then
    mapfile -t few < <(cable 10 ten.txt)
    mapfile -t many < <(cable "$n" all.txt)
    echo "$n prompts, 4 ranks by TCP; beside a start with 10 prompts:"
    echo "rank 0 sends $(((many[0] - few[0]) >> 10)) KiB, gets $(((many[1] - few[1]) >> 10)) KiB"
    exit
fi
start base 10 ten.txt
start first "$n" all.txt
start again "$n" all.txt
python3 - "$n" "$ranks" <<'PY'
import os, sys
n, ranks = int(sys.argv[1]), int(sys.argv[2])
of = {(name, r): [float(x) for x in open(f"{name}.{r}").read().split()]
      for name in ("base", "first", "again") for r in (0, 1)}
cpu = {k: v[0] - of["base", k[1]][0] for k, v in of.items()}
mib = {k: v[2] - of["base", k[1]][2] for k, v in of.items()}
half = max(cpu["first", 1] - cpu["again", 1], 0)  # one of two ranks' share of tokenising
share = half * 2 / ranks
text = os.path.getsize("all.txt")
rows = os.path.getsize(f"run.{n}/rows.h5")
print(f"{n} prompts of {text / n:.0f} bytes, {ranks} ranks; rows.h5 has {rows / n:.0f} bytes a "
      f"prompt; beside a start with 10 prompts:")
print(f"{'':34} {'CPU s':>8} {'MiB':>8}")
print(f"{'first start, rank 0':34} {cpu['first', 0] - half + share:8.2f} {mib['first', 0]:8.1f}")
print(f"{'first start, any other rank':34} {cpu['again', 1] + share:8.2f} {mib['first', 1]:8.1f}")
print(f"{'later start, rank 0':34} {cpu['again', 0]:8.2f} {mib['again', 0]:8.1f}")
print(f"{'later start, any other rank':34} {cpu['again', 1]:8.2f} {mib['again', 1]:8.1f}")
print(f"a rank itself: {of['again', 1][0]:.2f} CPU s and {of['first', 1][2]:.1f} MiB in all, with "
      f"the tiny model")
print(f"sent by the first start: {text / 2**20:.0f} MiB of texts, {text / 2**10 / ranks:.0f} KiB to "
      f"each rank; by a later one: none")
PY
