# shellcheck shell=bash
# HDF5 files of strangers: files on which the library crashes, and files with bytes turned over in
# all places, sealed again, end no command by a signal. Each is refused with one sentence, or read.
printf 'a cat\n' >prompts.txt
args=(--transformer formula:tiny_f16 --vae formula:tiny_f16 --t5 "$DATA/tiny_t5"
    --resolution 0.06M --drafters 0 --paths full --threads 2)
"$SKV" sample "${args[@]}" --prompts prompts.txt --out run >/dev/null 2>&1
cp run/run.h5 gathered.h5

# status WORD... : the command's exit status, and how many sentences it says
status() {
    local code=0
    "$SKV" "$@" >out 2>err || code=$?
    echo "$code $(grep -c '^error: ' err || true)"
}

for file in "$DATA"/hostile/*.h5; do
    echo "inspect ${file##*/}: $(status inspect "$file")"
done
for file in "$DATA"/hostile/runh5_*.h5; do
    cp "$file" run/run.h5
    echo "eval $(status eval run --networks none) export $(status export run --layout coco --out x)"
    echo "verify $(status verify --transformer formula:tiny_f16 --vae formula:tiny_f16 \
        --against "$file")"
    cp "$file" texts.h5
    echo "text cache $(status sample "${args[@]}" --prompts prompts.txt \
        --text-cache texts.h5 --out other)"
done

python3 - run/groups/full/000000.h5 gathered.h5 <<'PY'
import os, random, sys, zlib
raw = open(sys.argv[1], "rb").read()

def seal(name, b):
    block = bytearray(b[:2048])
    block[30:38] = b"%08x" % zlib.crc32(bytes(b[2048:]))
    block[39:47] = b"00000000"
    block[39:47] = b"%08x" % zlib.crc32(bytes(block))
    open(name, "wb").write(bytes(block) + bytes(b[2048:]))

random.seed(1)
os.mkdir("turned")
seal("whole.h5", raw)
for i in range(24):
    b = bytearray(raw)
    for _ in range(3):
        b[2048 + random.randrange(4000)] = random.randrange(256)
    seal(f"turned/{i:02}.h5", b)
raw = open(sys.argv[2], "rb").read()
for i in range(24): # the superblock, heaps and tables are at both ends and between the data
    b = bytearray(raw)
    for _ in range(4):
        b[random.randrange(4000) if i % 2 else random.randrange(len(b))] = random.randrange(256)
    os.mkdir(f"turned/{i:02}")
    open(f"turned/{i:02}/run.h5", "wb").write(b)
PY
echo "whole: $(status inspect whole.h5)"
for file in turned/*.h5 turned/*/run.h5; do
    [[ $(status inspect "$file") == @("0 0"|"1 1") ]] || echo "$file: $(cat err)"
done

# the process that looks at files heeds no signal that stops a job, and ends with its parent
yes 'a cat' | head -50 >many.txt
"$SKV" sample "${args[@]}" --prompts many.txt --out long >/dev/null 2>&1 &
parent=$!
child=
while [ -z "$child" ]; do
    child=$(pgrep -P $parent || true)
    sleep 0.1
done
sleep 0.5
kill -TERM "$child"
kill -USR1 "$child"
sleep 0.3
kill -0 "$child" && echo "it goes on"
kill -KILL $parent
wait $parent || true
for _ in {1..100}; do
    kill -0 "$child" 2>/dev/null || break
    sleep 0.1
done
kill -0 "$child" 2>/dev/null || echo "it has ended"
