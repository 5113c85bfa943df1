# shellcheck shell=bash
# --csv: a line a path and picture, fields quoted as RFC 4180 says, a failed row with its reason, and
# numbers that are those of metrics.json: of this evaluation and of an earlier one that is kept.
command -v python3 >/dev/null || exit 77
printf 'a cat\n\xff, "no" text\na bird\n' >prompts.txt
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$SOURCE/tests/data/tiny_t5",
 "prompts": "prompts.txt", "resolution": "0.06M", "group_size": 3, "drafters": [0], "threads": 2,
 "paths": "full,scalekv-10,streaming-20"}
JSON
"$SKV" sample --config job.json --out run >/dev/null 2>&1 || [ $? -eq 3 ]
"$SKV" eval run --networks none --report=false --csv all.csv >/dev/null 2>&1 || echo "status $?"
"$SKV" eval run --networks none --report=false --paths full,scalekv-10 --csv kept.csv >/dev/null 2>&1 ||
    echo "status $?"
cmp all.csv kept.csv
cut -d, -f1-3 all.csv
sed -n 's/.*,,,,,//p' all.csv | sort -u
python3 - <<'PY'
import csv, json

rows = list(csv.DictReader(open("all.csv", newline="")))
for path in json.load(open("run/metrics.json"))["paths"]:
    mine = [r for r in rows if r["path"] == path["name"] and r["status"] == "done"]
    for metric in "psnr", "ssim":
        mean = sum(float(r[metric]) for r in mine) / len(mine)
        assert abs(mean - path[metric + "_mean"]) < 1e-12, (path["name"], metric)
    scales = path["bits_equal_mean"]
    bits = sum(float(r["bits_equal"]) for r in mine) / len(mine)
    assert abs(bits - sum(scales) / len(scales)) < 1e-12
    print(path["name"], len(mine), "pictures, the means of metrics.json")
PY
mkdir odd
cp run/images/full/00000.png 'odd/a "b", c.png'
"$SKV" eval odd odd --networks none --csv odd.csv >/dev/null
cat odd.csv
"$SKV" eval odd odd --networks none --csv nowhere/odd.csv >/dev/null || echo "no such folder: status $?"
