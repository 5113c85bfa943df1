# shellcheck shell=bash
# --only computes an id's group and writes its PNG alone; it equals the whole run's.
printf 'a cat\na dog\na bird\n' >prompts.txt
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$SOURCE/tests/data/tiny_t5",
 "prompts": "prompts.txt", "resolution": "0.06M", "group_size": 2, "drafters": [0], "threads": 2,
 "paths": "full,scalekv-10"}
JSON
"$SKV" sample --config job.json --out one --only 00001 2>/dev/null
find one -name '*.png' | sort
test -z "$(find one/groups -name '*.h5')"
"$SKV" sample --config job.json --out all >/dev/null 2>&1
cmp one/images/full/00001.png all/images/full/00001.png
