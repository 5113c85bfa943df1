#!/usr/bin/env bash
# How ranks that were not started by MPI find each other: meeting_ranks.sh FOLDER TEST_COMM_TCP.
# Dead starts, strangers and other jobs are not in the way, and a rank that does not come is named.
set -euo pipefail
work=$1 program=$2
loop=$(dirname "${BASH_SOURCE[0]}")/loop.sh
rm -rf "$work"
mkdir -p "$work"
export SKV_TEST_RUN=$work/run SKV_TEST_NOTICE=1 SKV_TEST_LIMIT=20

fail() {
    echo "meeting_ranks: $*" >&2
    cat "$work/log" >&2
    exit 1
}

# meets RANKS: ranks of a plain loop do so, and the run's folder is as before.
meets() {
    bash "$loop" "$1" "$program" lost nobody -1 >"$work/log" 2>&1 || fail "$1 ranks: not all met"
    [ -z "$(find "$work/run" -name '*rendezvous*' 2>/dev/null)" ] || fail "a file was left behind"
}

# place PORT: the file that a dead start of a plain loop has left.
place() {
    mkdir -p "$work/run"
    (umask 077 && printf '%s\n' 'skv rendezvous 1' "token $(printf %032d 1)" \
        "answer $(printf %032d 2)" 'host elsewhere' "port $1" 'address 127.0.0.1' \
        >"$work/run/rendezvous-by-hand")
}

meets 3
[ ! -e "$work/run" ] || fail "a folder was left behind"

# a dead start: nobody listens there; somebody else does; the file is not a file of ours
place 1
meets 2
python3 - >"$work/port" <<'PYTHON' &
import socket
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
while True:
    c, _ = s.accept()
    c.recv(1000)
    c.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 20)
    c.close()
PYTHON
other=$!
trap 'kill "$other" 2>/dev/null || true' EXIT
while [ ! -s "$work/port" ]; do sleep 0.05; done
place "$(cat "$work/port")"
(sleep 0.5 && RANK=0 WORLD_SIZE=2 "$program" lost nobody -1) >"$work/log" 2>&1 &
RANK=1 WORLD_SIZE=2 "$program" lost nobody -1 >"$work/log1" 2>&1 || fail "a stranger's port was taken"
wait $! || fail "rank 0 did not meet rank 1"

# torchrun's restart after a rank was killed: the counts of its nodes differ, the job is the same
export TORCHELASTIC_RUN_ID=again
RANK=0 WORLD_SIZE=2 TORCHELASTIC_RESTART_COUNT=0 "$program" lost nobody -1 2>/dev/null &
first=$!
while [ ! -s "$work/run/rendezvous-again" ]; do sleep 0.05; done
kill -KILL "$first"
wait "$first" 2>/dev/null || true
RANK=1 WORLD_SIZE=2 TORCHELASTIC_RESTART_COUNT=1 "$program" lost nobody -1 >"$work/log1" 2>&1 &
RANK=0 WORLD_SIZE=2 TORCHELASTIC_RESTART_COUNT=0 "$program" lost nobody -1 >"$work/log" 2>&1 ||
    fail "a second start does not meet: rank 0"
wait $! || fail "a second start does not meet: rank 1"
unset TORCHELASTIC_RUN_ID

# strangers who knock at rank 0's door, silent or loud, do not keep the others out, nor use up the
# files that rank 0 may open
(ulimit -Sn 64 && RANK=0 WORLD_SIZE=2 exec "$program" lost nobody -1) >"$work/log" 2>&1 &
host=$!
file=$work/run/rendezvous-by-hand
while [ ! -s "$file" ]; do sleep 0.05; done
[ "$(stat -c %a "$file")" = 600 ] || fail "others can read the token"
python3 - "$(sed -n 's/^port //p' "$file")" <<'PYTHON' &
import socket, sys, time
port = int(sys.argv[1])
silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(100)]
for i in range(50):
    with socket.create_connection(("127.0.0.1", port)) as c:
        c.sendall(b"skv-tcp1" + bytes([i]) * 300)
time.sleep(1)
PYTHON
sleep 0.5
RANK=1 WORLD_SIZE=2 "$program" lost nobody -1 >"$work/log1" 2>&1 || fail "strangers keep ranks out"
wait "$host" || fail "strangers end rank 0"

# by a port, with a token and without; another token does not get in
# (below those that a system gives to connections)
SKV_TEST_PORT=$(python3 - <<'PYTHON'
import random, socket
for port in random.sample(range(15000, 32000), 200):
    with socket.socket() as s:
        try:
            s.bind(("", port))
        except OSError:
            continue
    print(port)
    break
PYTHON
)
export SKV_TEST_PORT
meets 2
export MASTER_ADDR=localhost SKV_TOKEN=sixteen-letters-and-more
meets 3
(SKV_TEST_LIMIT=2 bash "$loop" 1 true
    RANK=0 WORLD_SIZE=2 SKV_TEST_LIMIT=2 "$program" lost nobody -1) >"$work/log" 2>&1 &
! RANK=1 WORLD_SIZE=2 SKV_TEST_LIMIT=2 SKV_TOKEN=another-text-of-this-length \
    "$program" lost nobody -1 >"$work/log1" 2>&1 || fail "another token gets in"
! wait $! || fail "rank 0 met a rank with another token"
grep -q 'is not rank 0 of this start' "$work/log1" || fail "a wrong token is not said"
unset SKV_TEST_PORT MASTER_ADDR SKV_TOKEN

# two jobs in one run at a time, each with its own name
(export MASTER_ADDR=here MASTER_PORT=1 && bash "$loop" 2 "$program" lost nobody -1) \
    >"$work/log" 2>&1 &
(export TORCHELASTIC_RUN_ID='a job/../..' && bash "$loop" 2 "$program" lost nobody -1) \
    >"$work/log1" 2>&1 || fail "two jobs at a time: the second"
wait $! || fail "two jobs at a time: the first"
[ -z "$(find "$work/run" -name '*rendezvous*')" ] || fail "two jobs at a time: a file is left"

# who does not come is named, and all who did leave with the sentence
! (WORLD_SIZE=4 SKV_TEST_LIMIT=3 && export WORLD_SIZE SKV_TEST_LIMIT &&
    { RANK=2 "$program" lost nobody -1 & } && RANK=0 "$program" lost nobody -1 && wait) \
    >"$work/log" 2>&1 || fail "two of four ranks are enough"
sleep 0.2
grep -q 'rank 0 ([^ ]*) waits for rank 1 and rank 3 since .*the job ends after 3 s (--wait-limit)' \
    "$work/log" || fail "no notice names ranks 1 and 3"
[ "$(grep -c 'has waited for rank 1 and rank 3 since' "$work/log")" -eq 2 ] ||
    fail "ranks 0 and 2 do not leave with the sentence"
! RANK=1 WORLD_SIZE=2 SKV_TEST_LIMIT=2 "$program" lost nobody -1 >"$work/log" 2>&1 ||
    fail "rank 1 is enough"
grep -q 'has waited for rank 0 since .*run/rendezvous-by-hand' "$work/log" ||
    fail "rank 1 does not say where it looked for rank 0"
echo "ranks find each other by a file and by a port, and strangers do not get in"
