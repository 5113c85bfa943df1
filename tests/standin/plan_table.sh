#!/usr/bin/env bash
# plan_table.sh SKV STANDIN SOURCE: the table "Memory by GPU" of kernels/README.md, from the
# program's own plan: the largest group (of at most 16) that fits each size of memory.
set -euo pipefail
skv=$1 standin=$2 source=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for i in $(seq 1 16); do
    echo "a red fox on a hill under a big tree beside a small house in the sun, number $i"
done >"$work/prompts.txt"

# largest MODEL PATH [OPTION...]: "16+", a number, or "-"
largest() {
    local model=$1 path=$2 said

    shift 2
    said=$("$skv" sample --transformer "formula:$model" --vae "formula:$model" --t5 formula:xl \
        --spm "$source/tests/data/tiny_t5/spiece.model" --resolution 1M --cfg 3 --paths "$path" \
        --group-size 16 --prompts "$work/prompts.txt" --out "$work/run" --dry-run "$@" 2>&1 \
        >/dev/null) || true
    case $said in
    "") echo 16+ ;;
    *"not even groups of one"*) echo - ;;
    *"the largest that fit"*) sed -nE 's/.*the largest that fit are groups of ([0-9]+) .*/\1/p' \
        <<<"$said" ;;
    *) echo "$said" >&2 && return 1 ;;
    esac
}

export LD_PRELOAD=$standin STANDIN_CODE=any
echo "| GiB | on | 2B 10 % | text cache | 2B full | text cache | 8B 10 % | text cache | 8B full | text cache |"
echo "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
# nominal size; a card of it; MiB that CUDA shows there
while read -r gib card mib; do
    row="| $gib | $card |"
    for model in 2b 8b; do
        for path in scalekv-10 full; do
            row+=" $(STANDIN_MIB=$mib largest $model $path) |"
            row+=" $(STANDIN_MIB=$mib largest $model $path --text-cache "$work/texts.h5") |"
        done
    done
    echo "$row"
done <<CARDS
16 4080 15948
24 4090 24217
32 5090 32112
40 A100 40335
80 H100 80998
141 H200 143073
CARDS
