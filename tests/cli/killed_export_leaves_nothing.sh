# shellcheck shell=bash
# An export that is killed leaves no folder that an evaluator would read; the next one is whole.
printf 'a cat\na dog\n' >prompts.txt
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$SOURCE/tests/data/tiny_t5",
 "prompts": "prompts.txt", "resolution": "0.06M", "group_size": 2, "threads": 2}
JSON
"$SKV" sample --config job.json --out run >/dev/null 2>&1
# as soon as its folder is there; again where it was over by then
for _ in {1..50}; do
    rm -rf out out.skv-*
    "$SKV" export run --layout coco --path full --out out >/dev/null 2>&1 &
    until [ -e out.skv-part ] || ! kill -0 $! 2>/dev/null; do :; done
    kill -KILL $! 2>/dev/null || true
    wait $! 2>/dev/null || true
    [ ! -e out.skv-part ] || break
done
test ! -e out
test -d out.skv-part
# a disk that is full (here a limit on a file's size) is an error, and what was begun is removed
(
    ulimit -f 8
    "$SKV" export run --layout coco --path full --out full 2>&1 || echo "status $?"
) | sed 's/.*: cannot write/cannot write/'
find . -maxdepth 1 -name 'full*'
"$SKV" export run --layout coco --path full --out out
ls -A . out
