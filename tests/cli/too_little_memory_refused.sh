# shellcheck shell=bash
# The refusal names a group size, that size is taken, the next larger one is not, and nothing was
# written before.
printf '%s\n' "a cat" "a dog" "a bird" "a fish" "a cow" "a fox" >prompts.txt
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$SOURCE/tests/data/tiny_t5",
 "prompts": "prompts.txt", "resolution": "0.06M", "group_size": 6, "threads": 2, "device": "cpu",
 "paths": "full", "store": "bits"}
JSON
plan() {
    "$SKV" sample --config job.json --out run --dry-run "$@" | sed -nE 's/^# +all +([0-9]+) .*/\1/p'
}
three=$(plan --group-size 3)
status=0
"$SKV" sample --config job.json --out run --memory-limit "$three" 2>log >/dev/null || status=$?
test "$status" -eq 2
test ! -e run
sed -nE "s/^(error: groups of 6 need $(plan) bytes of memory, )$three (.*)/\\1LIMIT \\2/p" log |
    sed -E 's/need [0-9]+/need MORE/'
"$SKV" sample --config job.json --out run --memory-limit "$three" --group-size 3 2>/dev/null >/dev/null
test -e run/run.h5
status=0
"$SKV" sample --config job.json --out run4 --memory-limit "$three" --group-size 4 --dry-run \
    >/dev/null 2>log || status=$?
test "$status" -eq 2
grep -c 'group-size 3' log
