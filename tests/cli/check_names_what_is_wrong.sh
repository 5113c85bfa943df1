# shellcheck shell=bash
# Folders as users have them: left-overs that would be scored, holes, damage, wrong sizes.
cat >evaluation_metadata.jsonl <<'JSONL'
{"tag": "colors", "include": [], "prompt": "a red cow"}
{"tag": "counting", "include": [], "prompt": "a bench"}
JSONL
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$SOURCE/tests/data/tiny_t5",
 "prompts": "evaluation_metadata.jsonl", "resolution": "0.06M", "group_size": 4, "threads": 2,
 "samples": 2}
JSON
"$SKV" sample --config job.json --out run >/dev/null 2>&1
"$SKV" export run --layout geneval --samples 2 --path full --out g >/dev/null
"$SKV" export run --layout coco --path full --out c >/dev/null
check() {
    "$SKV" check "$@" | grep -vi '^python\|^evaluate\|^skv scores'
    test "${PIPESTATUS[0]}" -eq 1
}
mkdir -p g/553/samples g/notes
cp g/00000/samples/00000.png g/00000/samples/00001.png.tmp
cp g/00000/samples/00000.png g/00000/samples/0000.png
cp g/00000/samples/00000.png g/00000/samples/7.png
cp g/00000/samples/00000.png g/00000/grid.png
head -c 4000 g/00000/samples/00001.png >half.png
mv half.png g/00000/samples/00001.png
rm g/00001/samples/00000.png
mv g/00001/samples/00001.png g/00001/samples/00001.jpg
cp g/00000/metadata.jsonl g/00001/metadata.jsonl
check g --layout geneval
cp c/0000.png c/0002.png
cp c/0000.png c/.0001.png
rm c/0001.png
mkdir c/old
printf '\377\330\377\340 no PNG' >c/0001.jpg
check c --layout coco --side 128
# DPG from somebody else: no manifest, no list, then with one
mkdir d
cp c/0000.png d/whoops1.png
cp c/0000.png d/whoops1.v2.png
touch d/dpg-bench_20250101-000000_results.txt
check d --layout dpg --count 2
printf '{"id": "whoops1", "prompt": "a"}\n{"id": "whoops2", "prompt": "b"}\n' >list.jsonl
check d --layout dpg --prompts list.jsonl --side 64
"$SKV" check none --layout coco || echo "status $?"
"$SKV" check d --layout geneval --samples -1 || echo "status $?"
