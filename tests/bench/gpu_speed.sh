#!/usr/bin/env bash
# gpu_speed.sh SKV [OPTION...]: measures what is promised of a compressed cache on a GPU and prints
# each number beside its bound; status 1 if one is missed. OPTIONs go to every skv bench and win over
# those set here (--device cpu --transformer formula:tiny_f16 --resolution 0.06M --drafters 0 tries
# the script itself). Nothing else may use the GPU meanwhile.
set -euo pipefail
skv=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# bench NAME OPTION...: JSON to NAME.json
bench() {
    local name=$1

    shift
    "$skv" bench --transformer formula:2b --resolution 1M --device cuda --warmup 1 --iters 5 \
        --floor 0 --json "$work/$name.json" "$@" >"$work/$name.txt" || {
        cat "$work/$name.txt" >&2
        return 1
    }
}

bench pairs --batch 1,2,4,8 --paths scalekv-10,full "$@"
bench codes --batch 8 --paths scalekv-10,scalekv-10-fp8,scalekv-10-int8 --warmup 2 "$@"
bench profile --batch 1,8 --paths scalekv-10 --profile "$@"
# in one process, so that both have the same choices of algorithms where their shapes are the same,
# and there and back, for a GPU loses up to 1 % of its speed as it gets warm
mixed=8,32,64,100,120,150,180,200
bench texts --batch 8 --paths scalekv-10,full --warmup 2 --text-tokens 32/$mixed/$mixed/32 "$@"

/usr/bin/python3 - "$work" <<'PYTHON'
import json
import sys


def paths(name):
    return json.load(open(f"{sys.argv[1]}/{name}.json"))["paths"]


missed = []


def row(what, value, bound, ok, form):
    print(f"{what:<44} {value:>10{form}} {bound:>10} {'ok' if ok else 'MISSED':>7}")
    if not ok:
        missed.append(what)


print(f"{'measured (median of 5)':<44} {'value':>10} {'bound':>10}")
speed = {(p["path"], p["batch"]): p["images_per_second"] for p in paths("pairs")}
for batch in (1, 2, 4, 8):
    ratio = speed["scalekv-10", batch] / speed["full", batch]
    row(f"ScaleKV's speed over full, batch {batch}", ratio, ">= 0.99", ratio >= 0.99, ".3f")

work, *codes = paths("codes")
for p in codes:
    saved = 100 * (1 - p["pool_peak_bytes"] / work["pool_peak_bytes"])
    slower = 100 * (p["median"] / work["median"] - 1)
    row(f"pool saved by {p['path']}, %", saved, ">= 45", saved >= 45, ".1f")
    row(f"{p['path']} over scalekv-10, % slower", slower, "<= 3", slower <= 3, ".1f")

# Times of operations as they follow one another, launches that the device waits for included.
choosing = {"window_scores", "maxpool1d", "topk_keep"}
moving = {"kv_push", "kv_pop", "channel_peaks"}
for p in paths("profile"):
    found = {o["operation"]: o["seconds"] for o in p["operations"]}
    if not {"window_scores", "topk_keep"} <= found.keys():
        sys.exit(f"no scores or top-k in the profile: {sorted(found)}")
    share = 100 * sum(s for n, s in found.items() if n in choosing) / p["median"]
    limit = 1 if p["batch"] == 8 else 3
    row(f"scores, pooling, top-k, % of a picture, batch {p['batch']}", share, f"< {limit}",
        share < limit, ".2f")
    move = 100 * sum(s for n, s in found.items() if n in moving) / p["median"]
    print(f"{'  moving keys and values, %':<44} {move:>10.2f}")

seconds = {}
for p in paths("texts"):
    even, mixed = seconds.setdefault(p["path"], ([], []))
    (even if len(p["text_tokens"]) == 1 else mixed).append(p["median"])
for path, (even, mixed) in seconds.items():
    slower = 100 * (sum(mixed) / sum(even) - 1)
    row(f"text of 8 to 200 tokens, % slower, {path}", slower, "<= 5", slower <= 5, ".1f")
    even, mixed = (" ".join(f"{x:.4f}" for x in part) for part in (even, mixed))
    print(f"  seconds with 32 tokens {even}, mixed {mixed}")
sys.exit(1 if missed else 0)
PYTHON
