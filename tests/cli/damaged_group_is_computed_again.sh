# shellcheck shell=bash
# A group file that was cut is named, computed again, and the run ends as before.
printf 'a cat\na dog\na bird\n' >prompts.txt
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$SOURCE/tests/data/tiny_t5",
 "prompts": "prompts.txt", "resolution": "0.06M", "group_size": 2, "drafters": [0], "threads": 2,
 "paths": "full,scalekv-10"}
JSON
"$SKV" sample --config job.json --out run >/dev/null 2>&1
cp -r run/images first
truncate -s 20000 run/groups/full/000001.h5
"$SKV" sample --config job.json --out run 2>log >/dev/null
grep -c 'warning: .*groups/full/000001.h5.*computed again' log
rm -r run/images/full
"$SKV" sample --config job.json --out run >/dev/null 2>&1
diff -r first run/images
