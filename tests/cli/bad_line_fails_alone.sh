# shellcheck shell=bash
# A line that is not UTF-8 keeps its place and fails alone: status 3, the other rows are done.
printf 'a cat\n\377\376 broken\na dog\n' >prompts.txt
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$SOURCE/tests/data/tiny_t5",
 "prompts": "prompts.txt", "resolution": "0.06M", "group_size": 2, "drafters": [0], "threads": 2,
 "paths": "full,scalekv-10"}
JSON
status=0
"$SKV" sample --config job.json --out run >/dev/null || status=$?
find run/images -name '*.png' | sort
exit $status
