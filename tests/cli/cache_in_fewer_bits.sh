# shellcheck shell=bash
# A path's cache in bytes: by the path's name or in the config, and part of what the path is. It
# takes its bytes; a path without a type is what it was, and the reference is one.
printf 'a cat\na boat\n' >p.txt
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$DATA/tiny_t5",
 "prompts": "p.txt", "resolution": "0.06M", "drafters": [0], "threads": 1, "store": "bits",
 "path_definitions": [{"name": "small", "policy": "scalekv", "percent": 10, "kv_dtype": "fp8"},
                      {"name": "wrong", "policy": "full", "kv_dtype": "fp16"}]}
JSON
sample() {
    "$SKV" sample --config job.json --out run "$@" 2>log || echo "status $?"
    grep -E '^(error|warning)' log || true
}
sample --paths full-fp8,full,scalekv-10,scalekv-10-fp8,small,scalekv-10-int8 | cut -c 1-52
sample --paths wrong
python3 - <<'PYTHON'
import json
paths = json.load(open("run/run.json"))["paths"]
for name, path in paths.items():
    print(name, path["reference"], path["settings"].get("kv_dtype"))
print("one identity:", paths["small"]["digest"] == paths["scalekv-10-fp8"]["digest"])
print("another one:", paths["small"]["digest"] != paths["scalekv-10"]["digest"])
PYTHON

# Against the fp32 reference, by scale: nothing at the first, which reads no cache; then little.
for type in fp8 int8; do
    "$SKV" verify --transformer formula:tiny_f16 --vae formula:tiny_f16 --threads 1 \
        --against "$DATA/f16_006M_full.h5" --kv-dtype "$type" --json "$type.json" | head -1
done
python3 - <<'PYTHON'
import json
for kind in "fp8", "int8":
    rows = {r["quantity"]: r["value"] for r in json.load(open(f"{kind}.json"))["rows"]}
    error = [rows[f"logits, NMSE of scale {si}"] for si in range(7)]
    print(kind, error[0] < 1e-11, all(1e-5 < e < 1e-3 for e in error[1:]),
          max(rows[f"bits flipped, scale {si}"] for si in range(7)) < 0.01)
PYTHON
