# shellcheck shell=bash
# Exit status 2: what the user named (an option's value, a file, a folder, RUN) is absent, of another
# kind, does not fit, or is a wrong setting. Exit status 1: it is there and damaged, or incomplete.
printf 'a cat\n' >p.txt
cat >good.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$DATA/tiny_t5",
 "prompts": "p.txt", "resolution": "0.06M", "drafters": [0], "out": "run", "threads": 1,
 "paths": "full,scalekv-10"}
JSON
printf '{"cfg": "three"}' >type.json
printf '{"cfg": 3' >syntax.json
printf 'PK\003\004 and no more' >damaged.pth
printf '[1, 2' >damaged.json
printf 'no more than text' >file
mkfifo fifo
mkdir dir

# wants STATUS COMMAND ARGUMENT...: a failure is one sentence
wants() {
    local want=$1 got=0

    shift
    timeout 60 "$SKV" "$@" >/dev/null 2>err || got=$?
    [ "$got" -eq "$want" ] || echo "$*: exit status $got, want $want"
    grep '^error: ' err >&2 || [ "$want" -eq 0 ] || echo "$*: no word"
}
# plans STATUS ARGUMENT...: of skv sample with the good settings and these
plans() {
    local want=$1

    shift
    wants "$want" sample --config good.json --dry-run "$@"
}

plans 0
plans 2 --config=none.json
plans 2 --config=fifo
plans 2 --config=dir
plans 2 --config=type.json
plans 2 --config=syntax.json
plans 2 --transformer none.pth
plans 2 --transformer fifo
plans 2 --vae none.pth
plans 2 --vae formula:tiny_f14
plans 2 --t5 none
plans 2 --t5 file
plans 2 --spm none
plans 2 --spm fifo
plans 2 --prompts none.txt
plans 2 --prompts file/p.txt
plans 2 --rewrite-cache none.json
plans 2 --rewrite-cache fifo
plans 2 --text-cache dir
plans 2 --budget-file none.json --paths scalekv-10
plans 2 --budget-file none.json --paths full
plans 2 --model 2b
plans 2 --model foo
plans 2 --paths scalekv-0
plans 2 --paths scalekv-150
plans 2 --path-definitions '[{"name":"w","policy":"snapkv"}]' --paths w
plans 2 --group-size many
plans 2 --memory-limit 1000
plans 1 --transformer damaged.pth
plans 1 --rewrite-cache damaged.json
plans 1 --text-cache file

# A text cache of another T5: its last number differs.
cp -r "$DATA/tiny_t5" other_t5
shard=other_t5/model-00002-of-00002.safetensors
printf '\001' | dd of="$shard" bs=1 seek=$(($(stat -c %s "$shard") - 2)) conv=notrunc status=none
wants 0 sample --config good.json --text-cache texts.h5
plans 2 --t5 other_t5 --text-cache texts.h5

# What stands in the place of a run, of a folder to write to, of weights.
for out in file file/run /proc/run; do
    wants 2 sample --config good.json --out "$out"
done
for run in none file fifo dir; do
    wants 2 gather "$run"
    wants 2 eval "$run"
    wants 2 decode "$run"
    wants 2 export "$run" --layout coco --out pictures
done
for run in none fifo dir; do
    wants 2 inspect "$run"
    wants 2 verify --transformer formula:tiny_f16 --vae formula:tiny_f16 --against "$run"
done
wants 2 verify --transformer formula:tiny_f16 --vae formula:tiny_f16 --against run/run.h5
wants 2 check none --layout coco
wants 2 decode run --vae none.pth
wants 2 decode run --out file
wants 2 export run --layout coco --out file
wants 2 eval run --out file
wants 2 eval none dir
wants 2 bench --transformer formula:foo
wants 2 bench --transformer formula:tiny_f16 --resolution 0.06M --memory-limit 1000

# Damaged, or incomplete.
wants 1 inspect file
rm run/groups/full/000000.h5
wants 1 gather run
printf '{' >run/run.json
wants 1 gather run
