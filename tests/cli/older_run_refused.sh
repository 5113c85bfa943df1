# shellcheck shell=bash
# A run begun by an older version of skv, whose digests had 16 digits, is refused as such; its
# gathered results are still read.
printf 'a cat\n' >prompts.txt
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$SOURCE/tests/data/tiny_t5",
 "prompts": "prompts.txt", "resolution": "0.06M", "group_size": 2, "threads": 2, "paths": "full"}
JSON
"$SKV" sample --config job.json --out run >/dev/null 2>&1
sed -i -E '/^  "digest"/s/"[0-9a-f]{16}([0-9a-f]{16})"/"\1"/' run/run.json
"$SKV" sample --config job.json --out run >/dev/null && exit 1
test $? -eq 2
"$SKV" inspect run | grep -c '^digest  *[0-9a-f]\{16\}$'
