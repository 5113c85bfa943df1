# shellcheck shell=bash
# The example of eval/README.md, quality against memory, on a run as the quick start leaves it. It
# takes python3-h5py and python3-matplotlib.
printf 'a cat\n' >prompts.txt
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$SOURCE/tests/data/tiny_t5",
 "prompts": "prompts.txt", "resolution": "0.06M", "drafters": [0], "paths": "full,scalekv-{10,20}"}
JSON
"$SKV" sample --config job.json --out build/quickstart >/dev/null 2>&1
"$SKV" eval build/quickstart --networks none >/dev/null
# shellcheck disable=SC2016 # Markdown's fences, no command substitution
sed -n '/^```python$/,/^```$/p' "$SOURCE/eval/README.md" | sed '/^```/d' >snippet.py
test -s snippet.py
export MPLBACKEND=agg MPLCONFIGDIR=$PWD
/usr/bin/python3 snippet.py | sed -E 's/ [0-9]+\.[0-9]+/ N/g'
/usr/bin/python3 -c 'from PIL import Image; p = Image.open("quality.png"); print(p.format, p.size)'
