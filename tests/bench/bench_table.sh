#!/usr/bin/env bash
# skv bench prints tables for each path at each batch size, and the same numbers as JSON; what does
# not fit is refused before anything is timed.
set -euo pipefail
skv=$1 work=$2

bench_full() {
    "$skv" bench --transformer formula:tiny_f16 --resolution 0.06M --device cpu --threads 2 "$@"
}
bench() {
    bench_full --paths full,streaming-20 "$@"
}
bench --batch 1,2 --iters 3 --floor 1 --json "$work/bench.json" >"$work/bench.txt"
bench --json "$work/plain.json" >"$work/plain.txt"
bench_full --cfg 1 --batch 2 --text-tokens 8,64 --json "$work/mixed1.json" >"$work/mixed.txt"
grep -q "text tokens 8,64$" "$work/mixed.txt"
bench_full --cfg 1 --batch 2 --text-tokens 36 --json "$work/mixed2.json" >"$work/mixed.txt"
bench_full --cfg 1 --batch 3 --text-tokens 8,64 --json "$work/mixed3.json" >"$work/mixed.txt"
bench_full --cfg 1 --batch 3 --text-tokens 64 --json "$work/mixed4.json" >"$work/mixed.txt"
bench --cfg 1 --batch 2 --text-tokens 8,64/36 --json "$work/lists.json" >"$work/mixed.txt"
grep -q "text tokens 8,64/36$" "$work/mixed.txt"
/usr/bin/python3 - "$work/bench.txt" "$work/bench.json" "$work/plain.json" \
    "$work/mixed" "$work/lists.json" <<'PYTHON'
import json
import sys

text = open(sys.argv[1]).read()
twin = json.load(open(sys.argv[2]))
assert twin["gemm_gflops"] > 0
assert [(p["path"], p["batch"]) for p in twin["paths"]] == [
    ("full", 1), ("streaming-20", 1), ("full", 2), ("streaming-20", 2)]
for path, table in zip(twin["paths"], text.split("\npath ")[1:]):
    phases = {row["phase"]: row for row in path["phases"]}
    assert list(phases) == ["text"] + [f"scale {i}" for i in range(7)] + ["VAE", "all"]
    parts = [row for name, row in phases.items() if name != "all"]
    # arithmetic is counted, so its parts are the whole; seconds depend on what else the machine does
    total = sum(row["gflop"] for row in parts)
    assert abs(total - phases["all"]["gflop"]) < 1e-9 * total, total
    assert all(row["seconds"] > 0 for row in phases.values())
    assert path["min"] <= path["median"] <= path["p95"]
    assert abs(path["images_per_second"] * path["median"] / path["batch"] - 1) < 1e-9
    for name, row in phases.items():
        assert f"{name:<12} {row['seconds']:>10.4f}" in table, name

    floor = path["floor"]
    assert min(floor["transformer"], floor["vae"]) > 0
    assert abs(floor["transformer"] + floor["vae"] - floor["seconds"]) < 1e-9
    assert abs(floor["seconds"] / path["median"] - floor["share"]) < 1e-9
    # the same products, attention and convolutions, each once
    work = phases["all"]["gflop"] - phases["text"]["gflop"]
    assert abs(floor["gflop"] - work) < 1e-9 * work
    assert f"{'VAE':<12} {floor['vae']:>10.4f}" in table

    memory = path["memory"]
    weights = memory["transformer"] + memory["vae"]
    parts = weights + memory["pool"] + memory["scratch"] + memory["rest"]
    assert parts == memory["planned"]
    assert memory["taken"] is None  # a CPU does not tell
    assert memory["beyond_weights"] == memory["planned"] + memory["workspace"] - weights
    assert memory["pool"] == path["pool_peak_bytes"]
    for key in ("planned", "scratch", "beyond_weights"):
        assert f" {memory[key]:>16} " in table, key
pools = [p["memory"]["pool"] for p in twin["paths"]]
assert pools[2] == 2 * pools[0] and pools[1] < pools[0]
# on a CPU the floor, which doubles the time, is measured only where it is asked for
plain = json.load(open(sys.argv[3]))["paths"]
assert [p["floor"] for p in plain] == [None, None]

# without guidance 8 and 64 tokens are as much work as twice 36, and 8, 64, 8 is less than 64 thrice
work = [json.load(open(f"{sys.argv[4]}{n}.json"))["paths"][0]["phases"] for n in (1, 2, 3, 4)]
text, whole = ([p[i]["gflop"] for p in work] for i in (0, -1))
for gflop in (text, whole):
    assert abs(gflop[0] - gflop[1]) < 1e-9 * gflop[1], gflop
    assert 0 < gflop[2] < gflop[3], gflop

# lists that are timed one after the other are each as if alone
lists = json.load(open(sys.argv[5]))["paths"]
assert [(p["path"], p["text_tokens"]) for p in lists] == [
    (path, tokens) for path in ("full", "streaming-20") for tokens in ([8, 64], [36])]
for listed, alone in zip(lists, (json.load(open(f"{sys.argv[4]}{n}.json"))["paths"][0]
                                 for n in (1, 2))):
    assert [p["gflop"] for p in listed["phases"]] == [p["gflop"] for p in alone["phases"]]
    assert listed["memory"] == alone["memory"]
PYTHON

one=$(/usr/bin/python3 -c "
import json, sys
print(max(p['memory']['planned'] for p in json.load(open(sys.argv[1]))['paths']))" "$work/plain.json")
status=0
bench --batch 1,3 --memory-limit "$one" >"$work/refused.txt" 2>&1 || status=$?
[ "$status" -eq 2 ]
grep -q "groups of 3 need .* $one are available: .*(--batch 1)" "$work/refused.txt"
if grep -q phase "$work/refused.txt"; then
    echo "something was timed before the refusal"
    exit 1
fi
for wrong in "--batch 0" "--batch 1.5" "--batch 2000" "--floor 2" "--iters 0" \
    "--text-tokens 0" "--text-tokens 8,513" "--text-tokens 8.5" "--text-tokens 8/9,x" \
    "--text-tokens /"; do
    status=0
    # shellcheck disable=SC2086 # two words
    bench $wrong >/dev/null 2>&1 || status=$?
    [ "$status" -eq 2 ] || {
        echo "$wrong: status $status, want 2"
        exit 1
    }
done
