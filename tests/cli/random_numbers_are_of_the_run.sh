# shellcheck shell=bash
# Whose random numbers are drawn belongs to a run: another GPU's are refused, as is a run of a
# version that drew others; another name of the same GPU is not. One generator draws the same
# pictures one after another, for two prompts of a run or two samples of a prompt.
printf 'a cat\na cat\n' >two.txt
printf 'a cat\n' >one.txt
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$SOURCE/tests/data/tiny_t5",
 "resolution": "0.06M", "group_size": 2, "threads": 2, "paths": "full", "store": "bits",
 "seed": 5}
JSON
"$SKV" sample --config job.json --out run --prompts two.txt --seed-rule run >/dev/null 2>&1
"$SKV" sample --config job.json --out prompt --prompts one.txt --samples 2 --seed-rule prompt \
    --torch-gpu 132:2048 >/dev/null 2>&1
/usr/bin/python3 - <<'PYTHON'
import h5py

run, prompt = (h5py.File(f"{name}/run.h5") for name in ("run", "prompt"))
bits = run["paths/full/bits"][:]
print("same pictures:", (bits == prompt["paths/full/bits"][:]).all())
print("one after another:", (bits[0] != bits[1]).mean() > 0.1)
print("seeds:", *run["samples/seed"][:], *prompt["samples/seed"][:])
PYTHON
again() {
    local status=0
    "$SKV" sample --config job.json --out run --prompts two.txt --seed-rule run "$@" >/dev/null ||
        status=$?
    echo "$status"
}
again --torch-gpu h200
again --torch-gpu a100
sed -i '/"torch_gpu": "132:2048"/d' run/run.json
again
