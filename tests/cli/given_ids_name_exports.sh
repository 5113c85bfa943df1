# shellcheck shell=bash
# DPG's pictures are named by the ids that the list gives, blanks in them or not, and check looks for
# these; a layout that goes by ids refuses one that no file can be called.
mkdir items
printf 'a cat\n' >'items/item 1.txt'
printf 'a dog\n' >items/ok.txt
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$DATA/tiny_t5",
 "resolution": "0.06M", "threads": 2, "samples": 4, "paths": "full"}
JSON
"$SKV" sample --config job.json --prompts items --out run >/dev/null 2>&1
"$SKV" export run --layout dpg --path full --out dpg
ls dpg
"$SKV" check dpg --layout dpg --prompts items | head -n 1
mv 'dpg/item 1.png' dpg/00000.png
"$SKV" check dpg --layout dpg --prompts items >log || echo "status $?"
grep -E '^(missing|extra)|item 1|00000' log | head -n 4
printf '[{"id": "val/1", "prompt": "a cat"}, {"id": "b", "prompt": "a dog"}]' >slash.json
"$SKV" sample --config job.json --prompts slash.json --out slash >/dev/null 2>&1
"$SKV" export slash --layout dpg --path full --out dpg2 || echo "status $?"
