# shellcheck shell=bash
# COCO by ScaleKV's protocol: captions file, seed = index, pictures named by the index and paired by
# position. A prompt that failed is named and left out: status 3. The command that check prints names
# the folder of the reference path.
command -v python3 >/dev/null || exit 77
cat >captions_val2017.json <<'JSON'
{"images": [{"id": 5}, {"id": 1}, {"id": 7}],
 "annotations": [{"image_id": 1, "id": 2, "caption": "a cat"},
                 {"image_id": 5, "id": 9, "caption": "a dog"}]}
JSON
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$SOURCE/tests/data/tiny_t5",
 "prompts": "captions_val2017.json", "prompt_order": "image_id", "seed_rule": "index",
 "resolution": "0.06M", "group_size": 4, "drafters": [0], "threads": 2, "paths": "full,scalekv-10"}
JSON
"$SKV" sample --config job.json --out run >/dev/null 2>&1 || test $? -eq 3
status=0
"$SKV" export run --layout coco --out coco || status=$?
python3 "$SOURCE/tests/cli/read_layouts.py" coco coco/full coco/scalekv-10 run/images/full \
    run/images/scalekv-10
python3 -c 'import json; print([(p["id"], p["seeds"], p["files"])
    for p in json.load(open("coco/full.skv-export.json"))["prompts"]])'
python3 -c 'import json; m = json.load(open("coco/full.skv-export.json"))
print(m["left_out"], m["incomplete"])'
"$SKV" check coco --layout coco | sed "s|$PWD|HERE|g"
rm -r coco/full coco/full.skv-export.json
"$SKV" check coco --layout coco | grep python | sed "s|$PWD|HERE|g"
"$SKV" eval run --networks none --report=false >/dev/null || echo "eval: status $?"
python3 -c 'import json; print(json.load(open("run/metrics.json"))["left_out"])'
exit $status
