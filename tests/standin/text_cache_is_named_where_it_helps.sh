# shellcheck shell=bash
# A run that is too large for the card says what would fit, and what --text-cache would gain.
printf 'a cat\na dog\na fox\na cow\na hen\na bee\n' >prompts.txt
plan() {
    local card=$1 model=$2 path=$3 status=0

    shift 3
    STANDIN_CARD=$card STANDIN_CODE=any LD_PRELOAD=$STANDIN "$SKV" sample --transformer \
        "formula:$model" --vae "formula:$model" --t5 formula:xl --spm "$DATA/tiny_t5/spiece.model" \
        --resolution 1M --paths "$path" --group-size 6 --prompts prompts.txt --dry-run "$@" \
        >plan || status=$?
    echo "$card $model $path${*:+ with a cache}: status $status"
}
plan 4090 2b full
plan 4090 2b full --text-cache texts.h5
plan 4090 8b scalekv-10
plan 4090 8b full
plan l40s 8b full
plan 4090 2b scalekv-10
