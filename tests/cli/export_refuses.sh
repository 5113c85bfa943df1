# shellcheck shell=bash
# What cannot be exported is refused in one sentence, and nothing that was there changes.
printf '{"id": "a", "prompt": "a cat"}\n{"id": "b", "prompt": "a dog"}\n' >prompts.jsonl
printf 'a cat\na dog\n' >prompts.txt
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$SOURCE/tests/data/tiny_t5",
 "prompts": "prompts.jsonl", "resolution": "0.06M", "ratio": 2, "group_size": 4, "threads": 2,
 "samples": 4}
JSON
"$SKV" sample --config job.json --out run >/dev/null 2>&1
try() {
    "$SKV" export run "$@" || echo "status $?"
}
line='"tag": "colors", "include": []'
printf '{%s, "prompt": "a cat"}\n{%s, "prompt": "a cow"}\n' "$line" "$line" >other.jsonl
mkdir mine
touch mine/notes
try --layout coco --path full --out mine
try --layout geneval --out x
try --layout geneval --out x --prompts other.jsonl
try --layout geneval --out x --prompts prompts.txt
try --layout dpg --out x
try --layout dpg --out x --samples 2
try --layout coco --out x --samples 5
try --layout coco --out x --path half
try --layout coco --path full --out .
try --layout cocoa --out x
ls mine
"$SKV" export run --layout coco --path full --out out
try --layout coco --out out
rm run/run.json
try --layout geneval --out x
find . -name '*.skv-part'
