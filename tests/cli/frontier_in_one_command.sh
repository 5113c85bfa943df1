# shellcheck shell=bash
# configs/frontier.json on a tiny model: every policy at every size but those that say why not; recall
# and agreement of bits of each, and the page that draws them.
head -3 "$SOURCE/configs/frontier_prompts.txt" >prompts.txt
model=(--model tiny_f16 --transformer formula:tiny_f16 --vae formula:tiny_f16 --t5 "$DATA/tiny_t5"
    --prompts prompts.txt --resolution 0.06M --threads 2 --group-size 3)
"$SKV" calibrate --config "$SOURCE/configs/frontier.json" "${model[@]}" --out cal >/dev/null 2>&1
"$SKV" sample --config "$SOURCE/configs/frontier.json" "${model[@]}" --store bits --drafters 0 \
    --orders cal/orders.json --out run 2>said >table && "$SKV" recall run >recalled 2>/dev/null &&
    "$SKV" eval run --networks none >evaluated 2>/dev/null
sed -n 's/ (the observation.*//; s/^path \(.*left out\)/\1/p' said
policies=$(sed -n 's/.*"paths": "full,\(.*\)",/\1/p' "$SOURCE/configs/frontier.json" |
    sed 's/,full-{.*//; s/-{[0-9,]*}//g')
echo "$(grep -o '[a-z0-9-]*' <<<"$policies" | wc -l) policies," \
    "$(awk 'NR > 2' table | wc -l) paths, $(grep -cE '^[a-z][^ ]* +[0-9]+\.' recalled) with recall," \
    "$(awk 'NR > 2' evaluated | wc -l) evaluated"
echo "--- nothing is left"
"$SKV" sample --config "$SOURCE/configs/frontier.json" "${model[@]}" --drafters 0 \
    --paths scalekv-2,sliding-100 --dry-run 2>&1 || echo "status $?"
python3 - <<'PYTHON'
import json
import re

page = open("run/report.html", encoding="utf-8").read()
data = json.loads(re.search(r'id="data">(.*?)</script>', page, re.S).group(1))
kept, of = {}, {}
bits = [m["name"] for m in data["metrics"]].index("bits_equal")
for path, recall in zip(data["paths"], data["recall"]["paths"]):
    name = re.sub("-(fp8|int8)$", "", path["name"])
    policy, _, percent = name.rpartition("-")
    held = sum(map(sum, path["bytes"][-1:]))
    if name == path["name"]:
        kept.setdefault(percent, set()).add(held)
    else:  # a byte of fp32's four, and scales
        assert 0.25 < held / of[name] < 0.4, (path["name"], held / of[name])
    of[path["name"]] = held
    if path["result"]:
        mean, low, high = path["result"]["values"][bits]["interval"]
        assert 0 < low <= mean <= high <= 1 and 0 < recall["mean"] <= 1
        partner = path["result"]["scalekv"]
        if partner >= 0:
            assert data["paths"][partner]["name"] == "scalekv-" + percent
            assert path["result"]["values"][bits]["less"]
for percent in ("10", "20", "40"):
    most = max(kept[percent])
    print(f"{percent} %: all within {100 * (1 - min(kept[percent]) / most):.0f} % of the same bytes")
PYTHON
