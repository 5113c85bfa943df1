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
print(eval("(" + sys.argv[1] + ")"))' "$expression"
}
has doctor "${job[@]}" 'd["traps"], d["ranks"][0]["local_size"], "HDF5" in d["libraries"]'
grep -q '^0 traps$' said
has sample "${job[@]}" --dry-run --for h200 \
    'd["paths"], d["rows"], d["groups"], list(d["memory_bytes"])[-1], d["gpu"]["name"],
    d["largest_group"], d["seconds"] > 0, d["seconds_by"], d["fits"]'
grep -q '^# groups of 4 rows fit' said
has sample "${job[@]}" --dry-run --memory-limit 1000 \
    'd["memory_bytes"]["all"] > 1000, d["fits"], "need" in d["why_not"], "gpu" in d'
has sample "${job[@]}" '[(p["path"], p["tokens_kept"]) for p in d]'
grep -q '^scalekv-10 ' said
has status run 'd["complete"], d["done"], d["failed_rows"]'
"$SKV" sample "${job[@]}" --only 00001 --json - 2>said
grep '^warning: --json: nothing' said
has inspect run '(d["kind"], [p["path"] for p in d["paths"]])'
has inspect run run/groups/full/000000.h5 '[f["kind"] for f in d]'
has gather run '(d["rows"], d["groups_a_path"], d["paths"], d["failed_rows"], d["missing_groups"],
    d["set_aside"], d["file"], d["partial"])'
python3 -c 'import os; print(os.path.getsize("run/run.h5"))' >size
has gather run 'd["bytes"] == int(open("size").read())'
mv run/groups/full/000001.h5 whole.h5
has gather run 'd["missing_groups"], d["file"]'
grep -q '^error: run: 1 of 4 groups is missing' said
has decode run --out again 'd["pictures"], d["failed_rows"], [g["file"] for g in d["missing_groups"]]'
mv whole.h5 run/groups/full/000001.h5
has calibrate "${job[@]::4}" --out cal --percent 4,10 \
    '[(b["percent"], b["tokens"], bool(b["why_not"]), b.get("file")) for b in d["budgets"]],
    len(d["budgets"][1]["drafters"]), d["budgets"][1]["stability"]["prompts"], d["pictures"],
    d["failed_rows"], d["files"]'
grep -q 'pictures measured' said
has calibrate "${job[@]::4}" --out cal2 --dry-run 'd["rows"], "disk_bytes_a_path" in d'
has eval run --networks none '[p["name"] for p in d["paths"]]'
grep -q '^scalekv-10 ' said
has export run --layout coco --out folders '[(p["path"], p["pictures"]) for p in d]'
rm folders/full/0001.png
has check folders --layout coco --count 3 \
    '[(p["complete"], p["good"], [(f["kind"], f["name"]) for f in p["findings"]]) for p in d]'
grep -q 'layout coco is not right$' said
"$SKV" sample "${job[@]}" --json table.json 2>/dev/null | sed -n 3p | cut -d' ' -f1
python3 -c 'import json; print(len(json.load(open("table.json"))))'
