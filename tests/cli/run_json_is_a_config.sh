# shellcheck shell=bash
# A run's run.json serves as --config of a new run with the same settings, from any folder; what was
# said of that start alone (its folder, its hours) is not taken over.
mkdir conf elsewhere
printf 'a cat\na dog\n' >conf/prompts.txt
# HeatKV's orders for 4 layers of 4 heads: three lists of [head, layer]
awk 'BEGIN {
    for (i = 0; i < 3; i++)
        for (j = 0; j < 16; j++)
            printf "%s[%d,%d]%s", j ? "," : i ? ",[" : "[[", (i + j) % 4, int((i + j) % 16 / 4),
                   j < 15 ? "" : i < 2 ? "]\n" : "]]\n"
}' >conf/orders.json
cp -r "$DATA/tiny_t5" conf/t5
cat >conf/job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "t5", "prompts": "prompts.txt",
 "resolution": "0.06M", "group_size": 2, "seed": 7, "threads": 1, "paths": "full,heat",
 "path_definitions": [{"name": "heat", "policy": "heatkv", "percent": 20, "orders": "orders.json"},
                      {"name": "full", "policy": "full", "reference": true}]}
JSON
"$SKV" sample --config conf/job.json --out run --max-hours 2 --json table.json >/dev/null 2>&1
cd elsewhere || exit 1
"$SKV" sample --config ../run/run.json --out again >/dev/null 2>&1
"$SKV" sample --config ../run/run.json || echo "without --out: status $?"
"$SKV" export ../run --layout coco --path full --out pictures | sed 's/; .*//'
"$SKV" eval --config ../run/run.json --networks none --paths heat ../run | grep -c '^heat '
/usr/bin/python3 - <<'PYTHON'
import json

one, two = (json.load(open(f)) for f in ("../run/run.json", "again/run.json"))
print("same digests", one["digest"] == two["digest"],
      {k: v["digest"] for k, v in one["paths"].items()} ==
      {k: v["digest"] for k, v in two["paths"].items()})
one, two = one["settings"], two["settings"]
print("others:", sorted(k for k in one if one[k] != two[k]), two["max_hours"], two["json"])
print(one["prompts"].endswith("/conf/prompts.txt"), one["transformer"])
PYTHON
