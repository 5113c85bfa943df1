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
# the report's table has a row a path, in the config's order
python3 - <<'PYTHON'
import re

page = open("run/report.html", encoding="utf-8").read()
table = re.search(r"<table.*?</table>", page, re.S).group(0)
text = re.sub(r"<[^>]*>", " ", table)
names = r"\b(?:full|(?:sliding|streaming|snapkv|pyramidkv|scalekv)-(?:20|10|4))\b"
print(" ".join(re.findall(names, text)))
print("needs nothing else:", not re.search(r"""(?:src|href)=["'](?!data:|#)""", page))
PYTHON
