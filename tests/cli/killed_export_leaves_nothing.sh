# shellcheck shell=bash
# An export that is killed (here by the limit on a file's size) leaves no folder that an evaluator
# would read; the next one is whole.
printf 'a cat\na dog\n' >prompts.txt
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$SOURCE/tests/data/tiny_t5",
 "prompts": "prompts.txt", "resolution": "0.06M", "group_size": 2, "threads": 2}
JSON
"$SKV" sample --config job.json --out run >/dev/null 2>&1
status=0
(
    ulimit -f 8
    "$SKV" export run --layout coco --path full --out out
    exit $?
) >/dev/null 2>&1 || status=$?
test $status -gt 128
test ! -e out
test -d out.skv-part
# a full disk (the same limit, its signal ignored) is an error, and what was begun is removed
(
    trap '' XFSZ
    ulimit -f 8
    "$SKV" export run --layout coco --path full --out full 2>&1 || echo "status $?"
) | sed 's/.*: cannot write/cannot write/'
find . -maxdepth 1 -name 'full*'
find out.skv-part -name '*.png'
"$SKV" export run --layout coco --path full --out out
ls -A . out
