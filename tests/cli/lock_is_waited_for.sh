# shellcheck shell=bash
# A start waits for the lock of another process, saying once whose it is; a signal ends the wait;
# one that died is not waited for, and what it left goes.
printf 'a cat\n' >prompts.txt
sample=(sample --transformer formula:tiny_f16 --vae formula:tiny_f16 --t5 "$DATA/tiny_t5"
    --resolution 0.06M --drafters 0 --paths full --threads 2 --prompts prompts.txt --out run)
other=0123456789ab-7-9
# The lock of a process on another host, whose heart beats now.
hold() {
    mkdir -p run/claims
    printf 'process 7 on some\033[31mhost\n' >"run/claims/$other.alive"
    echo "$other" >run/claims/folder
}

# the program reads its settings before it comes to the lock, so the lock is held until it waits
hold
"$SKV" "${sample[@]}" >/dev/null 2>log &
program=$!
until grep -qs waiting log; do sleep 0.1; done
rm run/claims/folder
code=0
wait "$program" || code=$?
echo "status $code"
grep waiting log
hold
rm log
"$SKV" "${sample[@]}" >/dev/null 2>log &
program=$!
until grep -qs waiting log; do sleep 0.1; done
kill -TERM "$program"
code=0
wait "$program" || code=$?
echo "status $code"
: >"run/run.h5.$other.tmp"
touch -d '2 minutes ago' "run/claims/$other.alive"
"$SKV" gather run
find run -name '*.tmp' -o -name claims
