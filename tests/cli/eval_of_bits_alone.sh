# shellcheck shell=bash
# A run that stored bits alone: their agreement comes out, and, once decode has made the pictures,
# the rest. Export says that decode is lacking.
printf 'a cat\na dog\n' >prompts.txt
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$SOURCE/tests/data/tiny_t5",
 "prompts": "prompts.txt", "resolution": "0.06M", "group_size": 2, "drafters": [0], "threads": 2,
 "paths": "full,scalekv-10", "store": "bits"}
JSON
"$SKV" sample --config job.json --out run >/dev/null 2>&1
"$SKV" eval run --networks formula | awk 'NR == 3 {print $2, $3, $4, $5, $6, ($7 > 50 && $7 < 100)}'
test -s run/report.html
"$SKV" export run --layout coco --path full --out pictures || echo "export: status $?"
"$SKV" decode run >/dev/null 2>&1
"$SKV" eval run --networks formula |
    awk 'NR == 3 {print ($2 > 5), ($3 > 0), ($4 > 0), ($5 > 0), $6 != "-", ($7 > 50 && $7 < 100)}'
