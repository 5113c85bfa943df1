# shellcheck shell=bash
# GenEval's folder as its evaluator reads it: every scored picture is the run's own, metadata.jsonl
# the bytes of the prompt file's line. Exported again it stays the same.
command -v python3 >/dev/null || exit 77
cat >evaluation_metadata.jsonl <<'JSONL'
{"tag": "colors", "include": [{"class": "cow", "count": 1, "color": "red"}],  "prompt": "a photo of a red cow"}
{"tag": "single_object", "include": [{"class": "b\u00e9n", "count": 1}], "prompt": "a photo of a b\u00e9n"}
JSONL
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$SOURCE/tests/data/tiny_t5",
 "prompts": "evaluation_metadata.jsonl", "resolution": "0.06M", "group_size": 4, "drafters": [0],
 "threads": 2, "samples": 4, "paths": "full,scalekv-10"}
JSON
"$SKV" sample --config job.json --out run >/dev/null 2>&1
"$SKV" export run --layout geneval --out all
python3 "$SOURCE/tests/cli/read_layouts.py" geneval all/full run/images/full evaluation_metadata.jsonl
python3 "$SOURCE/tests/cli/read_layouts.py" geneval all/scalekv-10 run/images/scalekv-10 \
    evaluation_metadata.jsonl | wc -l
ls all
before=$(find all -type f -exec md5sum {} + | sort)
"$SKV" export run --layout geneval --out all >/dev/null
test "$before" = "$(find all -type f -exec md5sum {} + | sort)"

# fewer samples, one path, from the PNGs alone
"$SKV" sample --config job.json --out bits --store bits,png --paths full >/dev/null 2>&1
"$SKV" export bits --layout geneval --samples 2 --path full --out two
cmp two/00001/samples/00001.png run/images/full/00001-1.png
"$SKV" check two --layout geneval | grep -v python | sed "s|$PWD|HERE|"
"$SKV" check two --layout geneval --prompts evaluation_metadata.jsonl --samples 2 | grep -c complete
