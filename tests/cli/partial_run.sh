# shellcheck shell=bash
# A run that is not complete: gather, eval and export take what is there with --partial and say so,
# everywhere; without it they refuse. The next gather makes run.h5 whole.
printf 'a cat\na dog\n\na cow\na bird\n' >prompts.txt
job=(--config "$SOURCE/configs/tiny.json" --resolution 0.06M --threads 1 --group-size 1
    --paths "full,scalekv-10")

# again COMMAND...: its status; warnings of made-up weights are left out
again() {
    local code=0

    "$SKV" "$@" || code=$?
    echo "status $code"
}
"$SKV" sample "${job[@]}" --prompts prompts.txt --out run --no-gather >/dev/null 2>&1 || true
mkdir away
mv run/groups/full/000001.h5 away/full.h5
mv run/groups/scalekv-10/000003.h5 away/scalekv.h5
again gather run
again gather run --partial
again status run
again eval run --networks none
again eval run --networks none --partial | tail -n 1
again export run --layout coco --out out
again export run --layout coco --out out --partial --json out.json
again scores run --geneval none.jsonl
cat >said.py <<'PY'
import json
import re

import h5py


def partial(file):
    return json.load(open(file)).get("partial")

for file in ("run.h5", "metrics.h5"):
    text = h5py.File("run/" + file).attrs.get("partial")
    print(file + ":", text.decode() if isinstance(text, bytes) else text)
print("metrics.json:", partial("run/metrics.json"))
page = re.search('"partial":("[^"]*"|null),', open("run/report.html").read())
print("report.html:", page.group(1))
print("manifest:", partial("out/full.skv-export.json"))
PY
/usr/bin/python3 said.py
find out -name '*.png' | sort
mv away/full.h5 run/groups/full/000001.h5
mv away/scalekv.h5 run/groups/scalekv-10/000003.h5
again gather run --partial 2>/dev/null
again eval run --networks none 2>/dev/null | tail -n 1
again export run --layout coco --out out 2>/dev/null
/usr/bin/python3 said.py

# while it is written: the sampler stands still after its first group
"$SKV" sample "${job[@]}" --prompts prompts.txt --out live --no-gather >/dev/null 2>&1 &
sampler=$!
until compgen -G 'live/groups/scalekv-10/*.h5' >/dev/null; do sleep 0.05; done
kill -STOP $sampler
again gather live --partial 2>/dev/null
/usr/bin/python3 -c '
import h5py
f = h5py.File("live/run.h5")
print(len(f["samples/id"]), "rows,", "of 5 rows; path full lacks" in str(f.attrs["partial"]))'
kill -CONT $sampler
wait $sampler || true
again gather live 2>/dev/null

# a run.h5 that the run has outgrown
printf 'a fish\n' >>prompts.txt
"$SKV" sample "${job[@]}" --prompts prompts.txt --out run --no-gather >/dev/null 2>&1 || true
again eval run --networks none
again eval run --networks none --partial 2>/dev/null | tail -n 1
/usr/bin/python3 said.py | sed -n '3,4p'
