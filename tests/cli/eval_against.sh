# shellcheck shell=bash
# Every path of a run, the reference too, against any pictures or their statistics; features that are
# kept until the pictures change; statistics that numpy reads; a run without a reference path.
export SKV_CACHE=$PWD/cache
printf 'a cat\na dog\n' >prompts.txt
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$SOURCE/tests/data/tiny_t5",
 "prompts": "prompts.txt", "resolution": "0.06M", "group_size": 2, "drafters": [0], "threads": 2}
JSON
"$SKV" sample --config job.json --paths full,scalekv-10 --out run >/dev/null 2>&1
cp -r "$DATA/against/b" photos
"$SKV" eval run --networks formula --against photos --write-stats photos.npz >table
awk 'NR == 1 {print $0} NR > 2 {print $1, "FID", ($5 == "-" ? "none" : "there") ", against", ($7 > 0)}' table
cp run/metrics.json run/metrics.h5 .
find cache -type f | wc -l
grep -c 'FID (clean-fid) against other pictures: the 6 of photos' run/report.html

# the same from the kept features, and kept by an evaluation without networks
"$SKV" eval run --networks formula --against photos >/dev/null
cmp metrics.json run/metrics.json
"$SKV" eval run --networks none --report=false >/dev/null
cmp metrics.json run/metrics.json
cmp metrics.h5 run/metrics.h5

# a file as pytorch-fid reads it, and one as numpy writes it (deflated, sigma by columns, mu in
# float32): the same FID, no KID
/usr/bin/python3 - <<'PY'
import numpy as np

with np.load("photos.npz") as f:
    mu, sigma = f["mu"][:], f["sigma"][:]
print(mu.shape, sigma.shape, mu.dtype, sigma.dtype)
np.savez_compressed("other.npz", mu=mu.astype("f4"), sigma=np.asfortranarray(sigma))
PY
"$SKV" eval run --networks formula --against other.npz --out stats >/dev/null
python3 - <<'PY'
import json

a, b = (json.load(open(f)) for f in ("metrics.json", "stats/metrics.json"))
print(a["against"]["name"], a["against"]["pictures"], b["against"]["name"], b["against"]["pictures"])
for p, q in zip(a["paths"], b["paths"]):
    assert abs(p["fid_against"] - q["fid_against"]) < 1e-6 * p["fid_against"], p["name"]
    assert p["kid_against"] is not None and q["kid_against"] is None
    print(p["name"], "psnr" if p["psnr_mean"] else "no psnr", p["identical"])
PY

# what is wrong with it is one sentence; nothing that was there is lost
refused() {
    local want=$1 status=0

    shift
    "$SKV" eval "$@" >out || status=$?
    echo "status $status"
    [ "$status" -eq "$want" ] && [ ! -s out ]
}

echo "no archive" >text.npz
refused 2 run --networks none --against photos
refused 2 run --write-stats x.npz
refused 2 photos photos --against photos
refused 2 run --networks formula --against nowhere
refused 1 run --networks formula --against text.npz
refused 2 run --networks formula --against photos.npz --write-stats x.npz
cmp metrics.json run/metrics.json

# another picture makes another set; what is not read is named
cp photos/b.jpg photos/more/f.jpg
touch photos/g.bmp
status=0
"$SKV" eval run --networks formula --against photos --report=false >/dev/null || status=$?
echo "a picture that is not read: status $status"
find cache -type f | wc -l
python3 -c 'import json; print(json.load(open("run/metrics.json"))["against"]["pictures"], "pictures")'

# a run without a reference path
"$SKV" sample --config job.json --paths scalekv-10 --out alone >/dev/null 2>&1
refused 2 alone --networks formula
"$SKV" eval alone --networks formula --against photos.npz | awk 'NR == 3 {print $1, $2, $5, ($7 > 0)}'
python3 -c 'import json; m = json.load(open("alone/metrics.json"))
print(m["reference"], [p["name"] for p in m["paths"]])'
