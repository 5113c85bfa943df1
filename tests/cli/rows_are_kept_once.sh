# shellcheck shell=bash
# RUN/rows.h5 holds the prompts, parsed and tokenised once: a second start takes it as it is. What
# stands in its place and is not whole, or not of these prompts, is made again, with a warning; no
# file of a stranger ends the program by a signal, and no link is followed.
printf '{"prompt": "a cat", "id": "cat"}\nnot json\n{"prompt": "a dog", "seed": 7}\n' >prompts.jsonl
args=(--transformer formula:tiny_f16 --vae formula:tiny_f16 --t5 "$DATA/tiny_t5"
    --resolution 0.06M --drafters 0 --paths full --threads 2 --prompts prompts.jsonl)

# start: a start of the run; its status, and what it says of rows.h5
start() {
    local code=0
    timeout 100 "$SKV" sample "${args[@]}" --out run >/dev/null 2>err || code=$?
    echo "$1: $code $(grep -c 'rows.h5.*made again$' err)"
    [ ! -f first.h5 ] || cmp run/rows.h5 first.h5
}

start "nothing there"
cp run/rows.h5 first.h5
cp -r run/groups groups
inode=$(stat -c %i run/rows.h5)
start "second"
[ "$inode" = "$(stat -c %i run/rows.h5)" ] && echo "the same file"
rm run/rows.h5
start "a run without it"
python3 - <<'PY'
with open("run/rows.h5", "r+b") as f:
    b = bytearray(f.read())
    b[b.index(b"a dog")] = ord("A")
    f.seek(0)
    f.write(b)
PY
start "an altered byte"
truncate -s 3000 run/rows.h5
start "cut"
rm run/rows.h5
mkfifo run/rows.h5
start "a FIFO"
echo precious >victim
ln -sf ../victim run/rows.h5
start "a link"
cat victim
diff -r groups run/groups && echo "the same groups"

# of another list: this run is refused, and its rows stay
sed -i 's/cat/cow/' prompts.jsonl
start "other prompts"
sed -i 's/cow/cat/' prompts.jsonl

# look NAME: a dry run finds rows.h5 or parses the prompts, whatever lies there
look() {
    local code=0
    timeout 100 "$SKV" sample "${args[@]}" --out run --dry-run >/dev/null 2>err || code=$?
    [ $code = 3 ] || echo "$1: $code $(cat err)" # 3: one prompt cannot be sampled
}
for file in "$DATA"/hostile/*.h5; do
    cp "$file" run/rows.h5
    look "$file"
done
python3 - <<'PY'
import os, random
random.seed(1)
raw = open("first.h5", "rb").read()
os.mkdir("turned")
for i in range(40):
    b = bytearray(raw)
    for _ in range(4):
        b[random.randrange(len(b))] = random.randrange(256)
    open(f"turned/{i}.h5", "wb").write(b)
PY
for file in turned/*.h5; do
    cp "$file" run/rows.h5
    look "$file"
done
start "after them" >/dev/null
cmp run/rows.h5 first.h5 && echo "whole again"
