# shellcheck shell=bash
# The README's h5py snippet, on a run as the quick start leaves it.
printf 'a cat\n' >prompts.txt
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$SOURCE/tests/data/tiny_t5",
 "prompts": "prompts.txt", "resolution": "0.06M", "drafters": [0], "paths": "full,scalekv-10"}
JSON
"$SKV" sample --config job.json --out build/quickstart >/dev/null 2>&1
# shellcheck disable=SC2016 # Markdown's fences, no command substitution
sed -n '/^```python$/,/^```$/p' "$SOURCE/README.md" | sed '/^```/d' >snippet.py
test -s snippet.py
/usr/bin/python3 snippet.py
