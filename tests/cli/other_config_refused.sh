# shellcheck shell=bash
# A folder belongs to one configuration: another is refused with the key that differs, and the first
# run's files stay as they are.
printf 'a cat\n' >prompts.txt
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$SOURCE/tests/data/tiny_t5",
 "prompts": "prompts.txt", "resolution": "0.06M", "group_size": 2, "drafters": [0], "threads": 2,
 "paths": "full,scalekv-10"}
JSON
"$SKV" sample --config job.json --out run >/dev/null 2>&1
before=$(find run -name '*.h5' -exec md5sum {} + | sort)
status=0
"$SKV" sample --config job.json --out run --cfg 4 >/dev/null || status=$?
test "$before" = "$(find run -name '*.h5' -exec md5sum {} + | sort)"
exit $status
