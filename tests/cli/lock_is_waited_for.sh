# shellcheck shell=bash
# A start waits for the lock of another process, saying once whose it is; a signal ends the wait.
printf 'a cat\n' >prompts.txt
sample=(sample --transformer formula:tiny_f16 --vae formula:tiny_f16 --t5 "$DATA/tiny_t5"
    --resolution 0.06M --drafters 0 --paths full --threads 2 --prompts prompts.txt --out run)
mkdir run
cat >hold.py <<'PY'
import fcntl, os, sys, time
lock = os.open("run/.lock", os.O_RDWR | os.O_CREAT)
fcntl.lockf(lock, fcntl.LOCK_EX)
os.write(lock, b"process 7 on some\033[31mhost\n")
open("held", "w").close()
time.sleep(float(sys.argv[1]))
PY
hold() {
    rm -f held
    python3 hold.py "$1" &
    holder=$!
    until [ -e held ]; do sleep 0.1; done
}

# the program reads its settings before it comes to the lock, so the lock is held until it waits
hold 60
"$SKV" "${sample[@]}" >/dev/null 2>log &
program=$!
until grep -q waiting log; do sleep 0.1; done
kill "$holder"
code=0
wait "$program" || code=$?
echo "status $code"
grep waiting log
: >run/run.h5.123.tmp
hold 60
"$SKV" "${sample[@]}" >/dev/null 2>log &
program=$!
until grep -q waiting log; do sleep 0.1; done
kill -TERM "$program"
code=0
wait "$program" || code=$?
echo "status $code"
find run -name '*.tmp'
kill "$holder"
wait "$holder" || true
"$SKV" gather run
find run -name '*.tmp'
