# shellcheck shell=bash
# --budget gives paths without a percent the most tokens whose pool fits, says how many, and keeps
# them in run.json like any; what cannot be held in it is refused with the bytes that would do.
printf 'a cat\n' >prompts.txt
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$SOURCE/tests/data/tiny_t5",
 "prompts": "prompts.txt", "resolution": "0.06M", "group_size": 2, "threads": 2, "drafters": [0],
 "store": "bits", "path_definitions": [{"name": "wide", "policy": "snapkv", "options": {"window": 8}},
 {"name": "own", "policy": "snapkv", "tokens": 40}]}
JSON
try() {
    local status=0

    "$SKV" sample --config job.json "$@" >out 2>said || status=$?
    grep -E '^(path|error)|no effect' said || true
    echo "status $status"
}
try --out run --budget 2MiB --paths full,snapkv,scalekv,pyramidkv,wide,own,tova-10
python3 - run/run.json <<'PYTHON'
import json
import sys

run = json.load(open(sys.argv[1]))
print(run["settings"]["budget"], {n: p["settings"].get("base_tokens") for n, p in run["paths"].items()})
PYTHON
try --out run --budget 2MiB --paths full,snapkv
try --out run --budget 1MiB --paths full,snapkv
try --out all --budget 1GiB --paths sliding
try --out none --budget 3KiB --paths full,snapkv
try --out none --budget 3XB --paths snapkv
try --out none --paths snapkv
try --out none --budget 2MiB --paths snappy
try --out none --budget 2MiB --paths full,snapkv-10 --dry-run
test ! -e none
