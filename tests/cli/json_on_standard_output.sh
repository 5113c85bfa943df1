# shellcheck shell=bash
# --json -: standard output is one JSON document, and what people read goes to standard error.
job=(--config "$SOURCE/configs/tiny.json" --resolution 0.06M --threads 2 --paths "full,scalekv-10"
    --out run)
# has COMMAND... EXPRESSION: of d, the document
has() {
    local expression=${*: -1}

    "$SKV" "${@:1:$#-1}" --json - 2>said | python3 -c '
import json, sys
d = json.load(sys.stdin)
print(eval(sys.argv[1]))' "$expression"
}
has doctor "${job[@]}" 'd["traps"], d["ranks"][0]["local_size"], "HDF5" in d["libraries"]'
grep -q '^0 traps$' said
has sample "${job[@]}" '[(p["path"], p["tokens_kept"]) for p in d]'
grep -q '^scalekv-10 ' said
has status run 'd["complete"], d["done"], d["failed_rows"]'
has eval run --networks none '[p["name"] for p in d["paths"]]'
grep -q '^scalekv-10 ' said
has export run --layout coco --out folders '[(p["path"], p["pictures"]) for p in d]'
rm folders/full/0001.png
has check folders --layout coco --count 3 \
    '[(p["complete"], p["good"], [(f["kind"], f["name"]) for f in p["findings"]]) for p in d]'
grep -q 'layout coco is not right$' said
"$SKV" sample "${job[@]}" --json table.json 2>/dev/null | sed -n 3p | cut -d' ' -f1
python3 -c 'import json; print(len(json.load(open("table.json"))))'
"$SKV" status run --json none/s.json >/dev/null || echo "status $?"
