# shellcheck shell=bash
# The plan on standard output, with no folder made and nothing loaded.
printf 'a cat\na dog\na bird\n' >prompts.txt
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$SOURCE/tests/data/tiny_t5",
 "prompts": "prompts.txt", "resolution": "0.06M", "group_size": 2, "drafters": [0], "threads": 2,
 "device": "cpu", "paths": "full,scalekv-10"}
JSON
"$SKV" sample --config job.json --out run --dry-run | grep -E 'rows in|cache of the largest' |
    sed -E 's/ +[0-9]+ +[0-9.]+ MiB$//'
test ! -e run
