#!/usr/bin/env bash
# peer.sh SKV PEER_PY: this program and a PyTorch form of the same job, one after the other on the
# same GPU (never at once: they would share it), 1024², guidance, 32 text tokens, T5 and PNG left out.
# PEER_PY is called as `python3 PEER_PY 2b|8b BATCH full|scalekv REPEATS`; prints both tables.
set -euo pipefail
skv=$1 peer=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
repeats=5
status=0

# ours MODEL BATCH PATHS
ours() {
    "$skv" bench --transformer "formula:$1" --resolution 1M --device cuda --batch "$2" --paths "$3" \
        --text-tokens 32 --warmup 1 --iters $repeats >"$work/log" 2>&1 || {
        cat "$work/log" >&2
        status=1
        return
    }
    grep -E '^(path|all  |VAE  |beyond)' "$work/log"
}

# theirs MODEL BATCH CACHE...: what does not fit or fails is shown, and the others go on
theirs() {
    local model=$1 batch=$2 cache

    shift 2
    for cache in "$@"; do
        if ! python3 "$peer" "$model" "$batch" "$cache" $repeats >"$work/log" 2>&1; then
            tail -n 3 "$work/log" >&2
            status=1
        else
            tail -n 1 "$work/log"
        fi
    done
}

[ -f "$peer" ] || {
    echo "$peer is not there" >&2
    exit 2
}
echo "# ours"
ours 2b 8,1 scalekv-10,full
ours 8b 4 scalekv-10,full
echo "# PyTorch"
theirs 2b 8 scalekv full
theirs 2b 1 scalekv full
theirs 8b 4 scalekv full
exit $status
