# shellcheck shell=bash
# A run that was made with --prompt-key and --id-key: export reads the same keys of its list, from
# run.json, and check takes them as options.
cat >list.jsonl <<'JSONL'
{"tag": "colors", "include": [], "prompt": "a cow", "long": "a red cow in a field", "key": "x 1"}
{"tag": "counting", "include": [], "prompt": "a bench", "long": "a bench of wood", "key": "y/2"}
JSONL
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$DATA/tiny_t5", "paths": "full",
 "prompts": "list.jsonl", "prompt_key": "long", "id_key": "key", "resolution": "0.06M", "samples": 4}
JSON
"$SKV" sample --config job.json --out run >/dev/null 2>&1
"$SKV" export run --layout geneval --path full --out geneval
grep -c 'a red cow' geneval/00000/metadata.jsonl
"$SKV" export run --layout geneval --path full --out other --prompt-key prompt || echo "status $?"
"$SKV" check geneval --layout geneval --prompts list.jsonl | head -n 1
sed -i 's/y.2/y 2/' list.jsonl
"$SKV" sample --config job.json --out named >/dev/null 2>&1
"$SKV" export named --layout dpg --path full --out dpg
ls dpg
"$SKV" check dpg --layout dpg --prompts list.jsonl --prompt-key long --id-key key | head -n 1
"$SKV" check dpg --layout dpg --prompts list.jsonl || echo "status $?"
