# shellcheck shell=bash
# --rewrite-cache: the rewritten text is encoded and recorded beside the original; misses are named
# and stay as they are; another cache is another run; a cache with swapped keys is refused.
printf 'a cat\na dog\n' >prompts.txt
printf '{"a cat": "<prompt:A cat in the sun><cfg:1>", "a cow": "A cow"}' >cache.json
printf '{"A cat in the sun": "a cat"}' >swapped.json
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$SOURCE/tests/data/tiny_t5",
 "prompts": "prompts.txt", "resolution": "0.06M", "group_size": 2, "threads": 2}
JSON
"$SKV" sample --config job.json --rewrite-cache cache.json --out run 2>log >/dev/null
grep -E 'rewritten|cache.json' log
grep -c '"rewritten"' run/run.json
"$SKV" export run --layout coco --path full --out coco
grep -E '^      "prompt(_used)?"' coco.skv-export.json

# the text itself as prompt makes the same picture; the original does not
printf 'A cat in the sun\na dog\n' >prompts.txt
"$SKV" sample --config job.json --out plain >/dev/null 2>&1
cmp <(tail -c 20000 run/images/full/00000.png) <(tail -c 20000 plain/images/full/00000.png)
cmp <(tail -c 20000 run/images/full/00001.png) <(tail -c 20000 plain/images/full/00001.png)
printf 'a cat\na dog\n' >prompts.txt
"$SKV" sample --config job.json --out run --rewrite-cache swapped.json || echo "status $?"
"$SKV" sample --config job.json --out run 2>&1 >/dev/null | grep -o 'the rewritten prompt of line 1 is none'
"$SKV" sample --config job.json --out other >/dev/null 2>&1
if cmp -s <(tail -c 20000 run/images/full/00000.png) <(tail -c 20000 other/images/full/00000.png); then
    exit 1
fi
