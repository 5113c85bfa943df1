#!/usr/bin/env bash
# networks.sh SKV [THREADS]: the metric networks on the CPU beside PyTorch's on the same cores, one
# after the other, milliseconds a picture; status 1 if ours take more than twice PyTorch's time.
set -euo pipefail
skv=$1
threads=${2:-$(nproc)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python=/usr/bin/python3

"$python" -c 'import torch' 2>/dev/null || {
    echo "no PyTorch here (Debian: python3-torch)" >&2
    exit 2
}
"$python" "$(dirname "$0")/networks.py" "$threads" >"$work/torch.json"
"$skv" bench --eval 8 --device cpu --threads "$threads" --json "$work/skv.json" >"$work/table"
"$python" - "$work" "$threads" <<'PYTHON'
import json
import sys

theirs = json.load(open(sys.argv[1] + "/torch.json"))
ours = json.load(open(sys.argv[1] + "/skv.json"))
slow = 0
print(f"{'network, ms a picture':<24} {'ours':>9} {'PyTorch':>9} {'ratio':>6}   {sys.argv[2]} threads")
for stage, name in (("lpips", "alexnet"), ("inception", "inception")):
    mine = next(s["ms_a_picture"] for s in ours["stages"] if s["stage"] == stage)
    ratio = mine / (1e3 * theirs[name])
    slow += ratio > 2
    print(f"{stage:<24} {mine:>9.1f} {1e3 * theirs[name]:>9.1f} {ratio:>6.2f}")
sys.exit(slow > 0)
PYTHON
