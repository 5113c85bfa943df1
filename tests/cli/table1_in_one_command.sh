# shellcheck shell=bash
# configs/table1.json on a tiny model: the full cache and five policies at three budgets, one run;
# within a budget all keep the same number of tokens. Its export is a folder a path.
printf 'a photo of a cat\n' >prompts.txt
"$SKV" sample --config "$SOURCE/configs/table1.json" --model tiny_f16 \
    --transformer formula:tiny_f16 --vae formula:tiny_f16 --t5 "$DATA/tiny_t5" --drafters 0 \
    --prompts prompts.txt --resolution 0.25M --threads 2 --out run 2>/dev/null |
    awk 'NR > 2 { print $1, $2 }' | sort
grep -o '"note": "ScaleKV.s Table 1' run/run.json
"$SKV" export run --layout coco --out coco | wc -l
"$SKV" eval run --networks formula | awk 'NR > 2 { print NF, $1 }'
# the report has the paths in the config's order
python3 - <<'PYTHON'
import json
import re

page = open("run/report.html", encoding="utf-8").read()
data = json.loads(re.search(r'id="data">(.*?)</script>', page, re.S).group(1))
print(" ".join(path["name"] for path in data["paths"]))
print("needs nothing else:", not re.search(r"""(?:src|href)=["'](?!data:|#)""", page))
PYTHON
