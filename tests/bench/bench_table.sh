#!/usr/bin/env bash
# skv bench prints a row for each phase of each path, and the same numbers as JSON.
set -euo pipefail
skv=$1 work=$2

"$skv" bench --transformer formula:tiny_f16 --resolution 0.06M --paths full,streaming-20 --iters 2 \
    --threads 2 --json "$work/bench.json" >"$work/bench.txt"
/usr/bin/python3 - "$work/bench.txt" "$work/bench.json" <<'PYTHON'
import json
import sys

text = open(sys.argv[1]).read()
twin = json.load(open(sys.argv[2]))
assert twin["sgemm_gflops"] > 0
assert [p["path"] for p in twin["paths"]] == ["full", "streaming-20"]
for path in twin["paths"]:
    phases = {row["phase"]: row for row in path["phases"]}
    assert list(phases) == ["text"] + [f"scale {i}" for i in range(7)] + ["VAE", "all"]
    parts = [row for name, row in phases.items() if name != "all"]
    for key in ("seconds", "gflop"):
        total = sum(row[key] for row in parts)
        # phases are timed inside the whole; what lies between them is small but not nothing
        assert 0.5 * phases["all"][key] < total < 1.01 * phases["all"][key], (key, total)
    assert path["min"] <= path["median"] <= path["p95"]
    for name, row in phases.items():
        assert f"{name:<12} {row['seconds']:>10.3f}" in text, name
PYTHON
