# shellcheck shell=bash
# run.json, run.h5, metrics.json and the report say of each start when, where, by which program and
# which command it was; what differs between starts changes neither digests nor datasets, and the
# environment is in none of them.
printf 'a cat\na dog\n' >prompts.txt
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$SOURCE/tests/data/tiny_t5",
 "prompts": "prompts.txt", "resolution": "0.06M", "group_size": 1, "drafters": [0], "threads": 1,
 "paths": "full,scalekv-10"}
JSON
export WORD_OF_THE_ENVIRONMENT=a-token-nobody-keeps
mpirun --oversubscribe -np 2 "$SKV" sample --config job.json --out run --note "it's a run" \
    >/dev/null 2>&1
rm run/groups/full/000001.h5
"$SKV" sample --config job.json --out run --note "$(printf '%09000d' 7)" >/dev/null 2>&1
"$SKV" sample --config job.json --out alone >/dev/null 2>&1
"$SKV" eval run --networks none >/dev/null
if grep -rl a-token-nobody-keeps run; then
    exit 1
fi
"$SKV" --version | head -n 1 >version
/usr/bin/python3 - "$PWD" "$SKV" <<'PYTHON'
import json
import socket
import sys
import time

import h5py

here, skv = sys.argv[1:]
run = json.load(open("run/run.json"))
alone = json.load(open("alone/run.json"))
first, second = run["starts"]
print("ranks", first["ranks"], second["ranks"], "hosts", len(first["hosts"]),
      sum(first["hosts"].values()) == 2, second["hosts"] == {socket.gethostname(): 1})
print(first["command"].replace(skv, "skv"))
print(second["command"].replace(skv, "skv").replace("0" * 8999, "0..."))
assert first["folder"] == here and "skv " + first["build"] == open("version").read().strip()
assert "HDF5" in first["libraries"] and "libpng" in second["libraries"]
for start in run["starts"]:
    began = time.mktime(time.strptime(start["started"], "%Y-%m-%dT%H:%M:%SZ")) - time.timezone
    assert abs(time.time() - began) < 600, start["started"]
assert run["digest"] == alone["digest"] and run["common"] == alone["common"]
with h5py.File("run/run.h5") as f, h5py.File("alone/run.h5") as g:
    assert json.loads(f["provenance"].attrs["starts"]) == run["starts"]
    assert f.attrs["config_digest"] == g.attrs["config_digest"]
    assert (f["paths/full/bits"][()] == g["paths/full/bits"][()]).all()
metrics = json.load(open("run/metrics.json"))["provenance"]
assert metrics["starts"] == run["starts"] and metrics["build"] == first["build"]
page = open("run/report.html").read()
print("report", page.count(first["started"]), json.dumps(first["command"]) in page)
PYTHON
