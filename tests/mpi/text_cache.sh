#!/usr/bin/env bash
# With --text-cache pictures are the same bytes as without, on one rank and on two; texts that are in
# the file are not encoded again and T5 is not even planned; a kill while prompts are encoded leaves
# the old file whole.
set -euo pipefail
skv=$1 source=$2 work=$3
# shellcheck source=tests/mpi/run_tools.sh
. "$source/tests/mpi/run_tools.sh"
rm -rf "$work"
mkdir -p "$work"
write_job
cache=$work/texts.h5
options=(--negative "blurred, grey" --paths "full,scalekv-10")

# t5_bytes OPTION...: what the plan says of T5.
t5_bytes() {
    "$skv" sample --config "$work/job.json" --dry-run --threads 1 "${options[@]}" "$@" |
        sed -nE 's/^# +T5 .* ([0-9]+) +[0-9.]+ MiB$/\1/p'
}
cached() {
    sample "$1" "$work/$2" --text-cache "$cache" "${options[@]}" "${@:3}" 2>"$work/log" ||
        { cat "$work/log" >&2 && fail "$2 failed"; }
}

sample 1 "$work/plain" "${options[@]}" 2>"$work/log"
[ "$(t5_bytes)" -gt 0 ] || fail "without a cache T5 is not planned"
[ "$(t5_bytes --text-cache "$cache")" -gt 0 ] || fail "with an empty cache T5 is not planned"
[ ! -e "$cache" ] || fail "a plan wrote the cache"

cached 2 two
grep -q 'encoding 7 texts' "$work/log" || fail "not every text was encoded, each once"
same_run "$work/plain" "$work/two" || fail "two ranks that encode into a new cache differ"
before=$(sha256sum "$cache")

[ "$(t5_bytes --text-cache "$cache")" -eq 0 ] || fail "T5 is planned though all texts are there"
for ranks in 1 2; do
    cached "$ranks" "again$ranks"
    ! grep -q 'encoding' "$work/log" || fail "texts were encoded again"
    grep -q 'T5 is not loaded' "$work/log" || fail "the plan does not say that T5 stays away"
    same_run "$work/plain" "$work/again$ranks" || fail "$ranks ranks that read the cache differ"
done
[ "$(sha256sum "$cache")" = "$before" ] || fail "reading changed the cache"

# More prompts, in groups of another size: what was encoded elsewhere serves.
printf '%s\n' "a blue door" "a glass of water" >>"$work/prompts.txt"
sample 1 "$work/more_plain" "${options[@]}" --group-size 3 2>"$work/log"
cached 2 more --group-size 3
grep -q 'encoding 2 texts' "$work/log" || fail "not only what is missing was encoded"
same_run "$work/more_plain" "$work/more" || fail "with more prompts pictures differ"

# Two jobs that encode into one file at once: neither loses what the other adds. Both are held until
# both wait: the file is claimed by a process of another host.
mkdir "$cache.claims"
echo "process 7 on node3" >"$cache.claims/0123456789ab-7-9.alive"
echo 0123456789ab-7-9 >"$cache.claims/encoding"
for n in 1 2; do
    printf '%s\n' "a bridge number $n" "a river number $n" >"$work/prompts$n.txt"
    "$skv" sample --config "$work/job.json" --out "$work/both$n" --text-cache "$cache" --threads 1 \
        "${options[@]}" --store bits --prompts "$work/prompts$n.txt" >"$work/log$n" 2>&1 &
    both[n]=$!
done
for n in 1 2; do
    for _ in {1..600}; do
        if grep -q 'another skv encodes into this file, process 7 on node3' "$work/log$n"; then break; fi
        sleep 0.1
    done
done
rm "$cache.claims/encoding" "$cache.claims/0123456789ab-7-9.alive"
for n in 1 2; do
    wait "${both[n]}" || { cat "$work/log$n" >&2 && fail "one of two that encode at once failed"; }
done
for n in 1 2; do
    [ "$(t5_bytes --text-cache "$cache" --prompts "$work/prompts$n.txt")" -eq 0 ] ||
        fail "of two that encoded at once, number $n lost its texts"
done
[ ! -e "$cache.claims" ] || fail "claims are left beside the cache"

# Two ranks, of which the first waits for another job for longer than --wait-limit: nobody is lost.
mkdir "$cache.claims"
echo "process 7 on node3" >"$cache.claims/0123456789ab-7-9.alive"
echo 0123456789ab-7-9 >"$cache.claims/encoding"
printf '%s\n' "a tower" "a bicycle" >"$work/prompts3.txt"
sample 2 "$work/waits" --text-cache "$cache" "${options[@]}" --store bits --prompts \
    "$work/prompts3.txt" --wait-notice 0 --wait-limit 8 >"$work/log" 2>&1 &
job=$!
for _ in {1..600}; do
    if grep -q 'another skv encodes into this file' "$work/log"; then break; fi
    sleep 0.1
done
sleep 12
rm "$cache.claims/encoding" "$cache.claims/0123456789ab-7-9.alive"
wait "$job" || { cat "$work/log" >&2 && fail "a wait for another job counts for --wait-limit"; }

# Killed while it encodes: a long list, so that the phase lasts.
before=$(sha256sum "$cache")
for i in $(seq 4000); do
    echo "the street number $i of a town by the sea, seen from above at dusk"
done >>"$work/prompts.txt"
"$skv" sample --config "$work/job.json" --out "$work/killed" --text-cache "$cache" --threads 1 \
    "${options[@]}" >"$work/log" 2>&1 &
job=$!
for _ in {1..600}; do
    if compgen -G "$cache.*.tmp" >/dev/null; then break; fi
    sleep 0.05
done
sleep 0.3
kill -KILL "$job" || fail "it was over before the kill"
wait "$job" 2>/dev/null || true
compgen -G "$cache.*.tmp" >/dev/null || fail "the kill did not come while texts were encoded"
[ "$(sha256sum "$cache")" = "$before" ] || fail "a killed run changed the cache"
cp -r "$cache.claims" "$work/dead.claims"

# Asked to stop in the same place: what is done is kept, and no picture was begun.
"$skv" sample --config "$work/job.json" --out "$work/stopped" --text-cache "$cache" --threads 1 \
    "${options[@]}" >"$work/log" 2>&1 &
job=$!
for _ in {1..600}; do
    if compgen -G "$cache.*.tmp" >/dev/null; then break; fi
    sleep 0.05
done
sleep 0.3
kill -TERM "$job"
if wait "$job"; then fail "it did not stop"; fi
grep -q 'texts that were encoded are kept' "$work/log" || fail "stopped without saying what is kept"
grep -q 'stopped by SIGTERM: 0 of ' "$work/log" || fail "stopped without saying what is left"
{ [ ! -e "$cache.claims" ] && ! compgen -G "$cache.*.tmp" >/dev/null; } ||
    fail "what the killed run left is still there"
left=$("$skv" sample --config "$work/job.json" --dry-run --text-cache "$cache" "${options[@]}" |
    sed -nE 's/^# ([0-9]+) texts are not in .*/\1/p')
{ [ "$left" -gt 0 ] && [ "$left" -lt 4000 ]; } || fail "$left texts are left after the stop"

# It goes also when a run finds all of its texts.
cp -r "$work/dead.claims" "$cache.claims"
cached 1 finds --store bits --prompts "$work/prompts1.txt"
! grep -q 'encoding' "$work/log" || fail "texts were encoded again"
[ ! -e "$cache.claims" ] || fail "claims of a killed run are left though all texts are there"

# Files that are not a cache of this run are refused and left alone.
write_job
# refused STATUS WORDS OPTION...
refused() {
    local status=0 sum

    sum=$(sha256sum "$cache")
    "$skv" sample --config "$work/job.json" --out "$work/refused" --text-cache "$cache" \
        --threads 1 "${@:3}" >/dev/null 2>"$work/log" || status=$?
    [ "$status" -eq "$1" ] || fail "$2: status $status"
    grep -q "$2" "$work/log" || { cat "$work/log" >&2 && fail "not refused with: $2"; }
    [ "$(sha256sum "$cache")" = "$sum" ] || fail "$2: the file was changed"
    [ ! -e "$work/refused" ] || fail "$2: the run was begun"
}
cp -r "$source/tests/data/tiny_t5" "$work/other_t5"
/usr/bin/python3 - "$work/other_t5" <<'PYTHON'
import glob
import sys

names = glob.glob(sys.argv[1] + "/*.safetensors") + glob.glob(sys.argv[1] + "/*.bin")
data = bytearray(open(names[0], "rb").read())
start = int.from_bytes(data[:8], "little") + 8 if names[0].endswith(".safetensors") else 0
data[start + 1] ^= 1
open(names[0], "wb").write(data)
PYTHON
refused 2 "another T5 checkpoint" --t5 "$work/other_t5"
head -c 5000 "$cache" >"$work/short.h5"
cache=$work/short.h5
refused 1 "short.h5"
echo "hello" >"$work/hello.h5"
cache=$work/hello.h5
refused 1 "hello.h5"
echo "text cache: same bytes, encoded once, whole after a kill, kept after a stop"
