# shellcheck shell=bash
# The layouts of 2026: what export writes is read back as each set's evaluator reads it, and check
# finds nothing to say but what was left out.
/usr/bin/python3 -c 'import PIL, numpy' || exit 77
cat >numbers.jsonl <<'JSONL'
{"id": "1", "prompt": "two benches, one of wood"}
{"id": "30", "prompt": "a sign that says \"Öl\""}
JSONL
cat >categories.jsonl <<'JSONL'
{"id": "Anime_Stylization-000", "prompt": "a red cow"}
{"id": "Text_Rendering-001", "prompt": "a sign"}
JSONL
cat >styles.jsonl <<'JSONL'
{"id": "concept-art-00000", "prompt": "two benches"}
{"id": "concept-art-00001", "prompt": "a sign"}
JSONL
cat >meta_data.json <<'JSON'
{"1": {"category": "indoor", "prompt": "two benches, one of wood"},
 "30": {"category": "art", "prompt": "a sign that says \"Öl\""}}
JSON
# make NAME SAMPLES: a run of NAME.jsonl
make() {
    cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$SOURCE/tests/data/tiny_t5",
 "prompts": "$1.jsonl", "resolution": "0.06M", "group_size": 8, "threads": 2, "samples": $2,
 "paths": "full"}
JSON
    "$SKV" sample --config job.json --out "$1" >/dev/null 2>&1
}
# try RUN LAYOUT EXPORT_OPTION...
try() {
    local run=$1 layout=$2

    shift 2
    echo "== $layout"
    "$SKV" export "$run" --layout "$layout" --path full --out "out/$layout" "$@"
    /usr/bin/python3 "$SOURCE/tests/cli/read_sets.py" "$layout" "out/$layout" "$run/images/full" "$run.jsonl"
    "$SKV" check "out/$layout" --layout "$layout" | sed "s|$PWD|HERE|g"
}
make numbers 4
make categories 4
make styles 2
for layout in geneval2 geneval++ wise tiif genai; do
    try numbers $layout --samples 1
done
try numbers t2i-compbench --samples 3
try numbers longtext
try numbers unigen
try numbers imagereward --samples 2
try numbers mjhq --samples 1 --prompts meta_data.json
try categories oneig
try styles hpsv2 --samples 1
echo "== again, and moved"
"$SKV" export numbers --layout imagereward --path full --out out/imagereward --samples 2
mv out/geneval2 moved
mv out/geneval2.skv-export.json moved.skv-export.json
"$SKV" check moved --layout geneval2 | grep damaged
rm out/imagereward/metadata.jsonl
"$SKV" check out/imagereward --layout imagereward | grep missing
# a folder of somebody else's: no manifest
rm out/oneig.skv-export.json
"$SKV" check out/oneig --layout oneig --prompts categories.jsonl || echo "status $?"
cp out/oneig/anime/full/000.webp out/oneig/anime/full/0001.webp
"$SKV" check out/oneig --layout oneig --prompts categories.jsonl --model full | grep -v '^python'
