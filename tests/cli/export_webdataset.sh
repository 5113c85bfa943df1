# shellcheck shell=bash
# A run as WebDataset's archives: read back by Python's tarfile, the same bytes whatever the threads,
# and again over an earlier export; check finds what is missing, cut and out of place.
cat >list.jsonl <<'JSONL'
{"id": "val/1", "prompt": "a red cow", "negative_prompt": "fog"}
{"id": "b", "prompt": "a sign that says \"Öl\""}
{"id": "c", "prompt": " "}
JSONL
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$DATA/tiny_t5", "paths": "full",
 "prompts": "list.jsonl", "resolution": "0.06M", "group_size": 8, "threads": 2, "samples": 2}
JSON
"$SKV" sample --config job.json --out run >/dev/null 2>&1 || echo "sample: status $?"
"$SKV" export run --layout webdataset --path full --out w --shard-rows 3 2>/dev/null || echo "status $?"
ls w
/usr/bin/python3 "$SOURCE/tests/cli/read_shards.py" w run/images/full 'a red cow' 'a sign that says "Öl"' ' '
"$SKV" export run --layout webdataset --path full --out w1 --shard-rows 3 --threads 1 >/dev/null 2>&1 || true
cmp w/000000.tar w1/000000.tar
cmp w/000001.tar w1/000001.tar
"$SKV" export run --layout webdataset --path full --out w --shard-rows 3 2>/dev/null || echo "again: status $?"
"$SKV" export run --layout webdataset --path full --out w --shard-rows 2 || echo "other rows: status $?"
ls -dA w*
check() {
    # how long a PNG is depends on the CPU that made the picture
    "$SKV" check w --layout webdataset "$@" | grep -v '^python\|^evaluate' |
        sed 's/says that it has [0-9]* bytes/says that it has N bytes/'
}
check
check --prompts list.jsonl --samples 2
# somebody else's: a text changed and left out, a file too much, an archive cut
/usr/bin/python3 - <<'PY'
import io, tarfile
with tarfile.open("w1/000000.tar") as tar:
    files = [(m.name, tar.extractfile(m).read()) for m in tar]
with tarfile.open("w/000000.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
    for name, data in files:
        if name in ("000000001.txt", "000000002.json"):
            continue
        info = tarfile.TarInfo(name)
        data = b"a cow" if name == "000000000.txt" else data
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
    for name in ("000000001.txt", "000000009.png", "notes"):
        tar.addfile(tarfile.TarInfo(name))
PY
head -c 3000 w1/000001.tar >w/000001.tar
check
