# shellcheck shell=bash
# HACK's two budgets: with `attention` the attention of a scale reads fewer tokens than the cache
# and the map have: as much is kept, the bits are others, and the plan has the copies that are read.
# 100 percent is what it is without the option. Orders are wanted, and a budget for every head.
printf 'a cat\n' >p.txt
awk 'BEGIN {
    for (i = 0; i < 16; i++)
        printf "%s[%d,%d]", i ? "," : "[[", i % 4, int(i / 4)
    print "]]"
}' >heads.json
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$DATA/tiny_t5",
 "prompts": "p.txt", "resolution": "0.06M", "threads": 1, "store": "bits", "orders": "heads.json",
 "path_definitions": [
    {"name": "plain", "policy": "hack", "percent": 10, "reference": true},
    {"name": "all", "policy": "hack", "percent": 10, "options": {"attention": 100}},
    {"name": "some", "policy": "hack", "percent": 10, "options": {"attention": 30}}]}
JSON
"$SKV" sample --config job.json --out run >/dev/null 2>&1
"$SKV" eval run --networks none >/dev/null 2>&1
python3 - <<'PYTHON'
import json

for path in json.load(open("run/metrics.json"))["paths"]:
    if "bits_equal_mean" in path:
        print(path["name"], "as plain:", set(path["bits_equal_mean"]) == {1})
PYTHON
cache() {
    "$SKV" sample --config job.json --paths "$1" --out none --dry-run 2>&1 |
        awk '/cache of the largest path/ {print $(NF - 2)}'
}
echo "copies in the plan: $(($(cache some) > $(cache plain)))"
refused() {
    "$SKV" sample --config job.json --out none "$@" 2>&1 || echo "status $?"
}
refused --paths hack-10 --orders none.json
refused --paths hack-0.5
