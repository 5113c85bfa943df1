# shellcheck shell=bash
# Ids that cannot be file names are replaced by the prompt's number, which is said; a file that is
# not text is no list of prompts.
cat >p.jsonl <<'JSON'
{"prompt": "a cat", "id": "cats/one"}
{"prompt": "a dog", "id": "dog"}
{"prompt": "a bird", "id": "two birds"}
JSON
printf 'PAR1\0\0' >p.parquet
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$DATA/tiny_t5",
 "resolution": "0.06M", "threads": 1}
JSON
"$SKV" sample --config job.json --dry-run --prompts p.jsonl 2>&1 >/dev/null | grep -E 'warning|not a file' ||
    true
"$SKV" sample --config job.json --dry-run --prompts p.parquet || echo "exit status $?"
printf 'a cat\n\0\0' >p.bin
"$SKV" sample --config job.json --dry-run --prompts p.bin || echo "exit status $?"
