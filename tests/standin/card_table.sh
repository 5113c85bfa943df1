#!/usr/bin/env bash
# card_table.sh SKV STANDIN [CARDS [MODELS [GROUP]]]: the table "Launches by GPU" of
# kernels/README.md: one group of real shapes on each card, of GROUP pictures (8) or the most that
# fit, with every launch held against the card's limits. Takes minutes: the 8B's weights are made up
# anew for each row.
set -euo pipefail
skv=$1 standin=$2
cards=${3:-a100-40 a100 3090 4090 l40s h100 h200 b200 5090}
models=${4:-2b 8b}
size=${5:-8}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# group CARD MODEL PATH BATCH: counts in $work/counts, messages in $work/said.
group() {
    rm -f "$work/counts"
    STANDIN_CARD=$1 STANDIN_CODE=any STANDIN_REPORT=$work/counts LD_PRELOAD=$standin "$skv" bench \
        --transformer "formula:$2" --resolution 1M --paths "$3" --batch "$4" --warmup 0 --iters 1 \
        --floor 0 --text-tokens 32/100,190/200 >/dev/null 2>"$work/said"
}

counted() {
    awk -v what="$1" 'substr($0, 1, length(what) + 1) == what " " { n = $NF } END { print n + 0 }' \
        "$work/counts"
}

# our own attention kernels: name, warps of a block, number of launches
own() {
    awk '$2 ~ /^flash_/ { n[$1, $2] = $3; if ($1 == "kernel") names[$2] }
        END { for (k in names) print k " of " n["threads", k] / 32 " warps " n["kernel", k] }' \
        "$work/counts" | sort | paste -sd ';' | sed 's/;/, /g'
}

row() {
    local card=$1 model=$2 path=$3 batch=$size

    until group "$card" "$model" "$path" "$batch"; do # smaller ones may have longer texts
        if grep -q 'not even groups of one' "$work/said"; then
            echo "| $card | $model | $path | none fits | | | | | |"
            return
        fi
        batch=$(sed -nE 's/.*the largest that fit are groups of ([0-9]+) .*/\1/p' "$work/said")
        if [ -z "$batch" ]; then
            cat "$work/said" >&2
            return 1
        fi
    done
    echo "| $card | $model | $path | $batch | $(counted launches) | $(counted products) |" \
        "$(counted attention) | $(own) |" \
        "$(($(counted largest_shared) / 1024)) |"
}

echo "| GPU | model | path | group | launches | products by cuBLASLt | attention by cuDNN | by ours | KiB shared |"
echo "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
for card in $cards; do
    for model in $models; do
        for path in scalekv-10 full; do
            row "$card" "$model" "$path"
        done
    done
done
