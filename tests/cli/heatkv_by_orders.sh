# shellcheck shell=bash
# HeatKV's orders come from a file, which the command line names, or a path of the config: then it
# is relative to the config. Other orders are another path; orders for another model are refused.
printf 'a cat\n' >p.txt
mkdir conf
# orders LAYERS FIRST: three lists of [head, layer] of 4 heads, from pair FIRST on
orders() {
    awk -v n=$((4 * $1)) -v first="$2" 'BEGIN {
        for (i = 0; i < 3; i++)
            for (j = 0; j < n; j++) {
                slot = (first + i + j) % n
                printf "%s[%d,%d]%s", j ? "," : i ? ",[" : "[[", slot % 4, int(slot / 4),
                       j + 1 < n ? "" : i < 2 ? "]\n" : "]]\n"
            }
    }'
}
orders 4 0 >conf/one.json
orders 4 5 >conf/two.json
orders 5 0 >conf/five.json
cat >conf/job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$DATA/tiny_t5",
 "prompts": "../p.txt", "resolution": "0.06M", "threads": 1, "store": "bits",
 "path_definitions": [{"name": "heat", "policy": "heatkv", "percent": 20, "orders": "one.json"}]}
JSON
sample() {
    "$SKV" sample --config conf/job.json --out run "$@" 2>log >/dev/null || echo "status $?"
    grep -E '^(error|warning)' log || true
}
sample --paths heat
sample --paths heat --orders conf/two.json # the path's own come first
sample --paths heatkv-20
sample --paths heatkv-20 --orders conf/five.json
sample --paths heatkv-20 --orders none.json
sample --paths heatkv-20 --orders conf/two.json
sample --paths heatkv-20 --orders conf/one.json
ls run/groups
