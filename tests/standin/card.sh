# What the cases here share; sourced. STANDIN is the library.
# shellcheck shell=bash
# shellcheck disable=SC2034 # the cases use it
export SKV_CACHE=$PWD/cache # not this user's
cards='a100-40 a100 3090 4090 l40s h100 h200 b200 5090'

# as CARD COMMAND...: runs it on that card, with code for every card; counts go to the file counts.
as() {
    local card=$1

    shift
    rm -f counts
    STANDIN_CARD=$card STANDIN_CODE=${STANDIN_CODE-any} STANDIN_REPORT=counts \
        LD_PRELOAD=$STANDIN "$@"
}

# counted WHAT: a number of the last run, 0 where nothing of that name was counted.
counted() {
    awk -v what="$1" 'substr($0, 1, length(what) + 1) == what " " { n = $NF } END { print n + 0 }' \
        counts
}

# tiny COMMAND...: of the tiny model, with what it needs besides.
tiny() {
    "$SKV" "$@" --config "$SOURCE/configs/tiny.json" --model tiny_f16 --transformer \
        formula:tiny_f16 --vae formula:tiny_f16 --t5 "$DATA/tiny_t5" --resolution 0.06M \
        --drafters 0 --group-size 2 --paths full,scalekv-10 --prompts prompts.txt --out run
}
