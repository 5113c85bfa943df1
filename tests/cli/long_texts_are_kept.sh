# shellcheck shell=bash
# Settings longer than an attribute of HDF5 holds, negative prompts, ids as they were given, and a
# picture's place in its generator: all are in run.h5, in the PNGs, and in what is exported.
cat >p.jsonl <<'JSON'
{"prompt": "a cat", "id": "val/1", "negative": "striped fur"}
{"prompt": "a dog", "id": "two dogs"}
{"prompt": "a hen", "id": "hen"}
JSON
/usr/bin/python3 -c 'import json; json.dump({"negative": "bad hands, " * 7000}, open("c.json", "w"))'
"$SKV" sample --config c.json --transformer formula:tiny_f16 --vae formula:tiny_f16 \
    --t5 "$DATA/tiny_t5" --resolution 0.06M --threads 2 --paths full --samples 2 --seed-rule prompt \
    --prompts p.jsonl --out run >/dev/null 2>&1
"$SKV" export run --layout coco --samples 1 --path full --out coco >/dev/null
for list in '{"prompt": "a"}' "{\"prompt\": \"a\", \"negative\": \"$(printf 'fog %.0s' {1..600})\"}"; do
    echo "$list" >q.jsonl
    "$SKV" sample --config c.json --transformer formula:tiny_f16 --vae formula:tiny_f16 \
        --t5 "$DATA/tiny_t5" --resolution 0.06M --threads 2 --paths full --prompts q.jsonl --out cut \
        --dry-run 2>/dev/null | grep 'negative prompt'
done
cat >look.py <<'PY'
import h5py, json
f = h5py.File("run/run.h5")
s = f["samples"]
for name in ("id", "given_id"):
    print(name, *s[name].asstr()[:], sep=", ")
print("negative", [(t[:11], len(t)) for t in s["negative"].asstr()[::2]])
print("seed", s["seed"][:], "offset", s["offset"][:], s["offset"].attrs["units"])
print("settings", len(json.loads(f.attrs["config"])["negative"]))
for p in json.load(open("coco.skv-export.json"))["prompts"]:
    print("manifest", p["given_id"], p["negative"][:11])
PY
/usr/bin/python3 look.py
for png in run/images/full/00000-1.png coco/0000.png; do
    for text in given_id val/1 negative 'striped fur'; do
        grep -qa "$text" $png || echo "$png lacks $text"
    done
done
grep -qa given_id run/images/full/hen.png || echo "an id that is used is not said twice"
