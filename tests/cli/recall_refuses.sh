# shellcheck shell=bash
# What recall cannot do is said in one sentence before anything is computed; what it found stays
# when the run is evaluated, and goes when it is measured again.
printf 'a cat\na red house\na dog\n' >prompts.txt
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$SOURCE/tests/data/tiny_t5",
 "prompts": "prompts.txt", "resolution": "0.06M", "group_size": 2, "threads": 2, "drafters": [0],
 "store": "bits"}
JSON
try() {
    local status=0

    "$SKV" recall "$@" || status=$?
    echo "status $status"
}
"$SKV" sample --config job.json --out run --paths full,scalekv-10 >/dev/null 2>&1
"$SKV" sample --config job.json --out cut --paths scalekv-10 >/dev/null 2>&1
"$SKV" sample --config job.json --out image --paths full --store image >/dev/null 2>&1
try
try run cut
try none
try run --prompts 0
try run --queries 513
try run --vae formula:tiny_f14
try cut
try image
mv run/groups/full/000001.h5 whole.h5
try run --prompts 3
mv whole.h5 run/groups/full/000001.h5
printf 'a cat\na red house\na cow\n' >prompts.txt
try run
printf 'a cat\na red house\na dog\n' >prompts.txt
test ! -e run/metrics.json

echo "--- one prompt is a group of two pictures"
"$SKV" recall run --prompts 1 --no-report | cut -c 1-67
test ! -e run/report.html
cp run/metrics.json before.json
"$SKV" eval run --networks formula >/dev/null 2>&1
recall='import json, sys; print(json.dumps(json.load(open(sys.argv[1]))["recall"]))'
for file in before.json run/metrics.json; do python3 -c "$recall" "$file" >"${file%/*}.recall"; done
cmp before.json.recall run.recall && grep -c '"psnr_mean"' run/metrics.json
"$SKV" recall run | tail -1
"$SKV" recall run --json - 2>/dev/null >all.recall
python3 - <<'PYTHON'
import json

recall = json.load(open("all.recall"))
print("--json is what metrics.json has:", recall == json.load(open("run/metrics.json"))["recall"])
for path in recall["paths"]:
    mean, low, high = path["interval"]
    pictures = path["by_picture"]
    assert abs(mean - path["mean"]) < 1e-12 and abs(mean - sum(pictures) / len(pictures)) < 1e-12
    assert min(pictures) <= low <= mean <= high <= max(pictures), path
    print(path["name"], recall["rows"], low < high)
PYTHON
"$SKV" recall run --json none/at/all.json >/dev/null 2>&1 || echo "status $?"
