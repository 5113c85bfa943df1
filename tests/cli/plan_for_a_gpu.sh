# shellcheck shell=bash
# The plan of a GPU that is not there: the bytes that an H200 planned (tests/bench/ballast.sh), what
# fits the card, and how long it takes; and what is refused.
for i in $(seq 1 16); do
    echo "a red fox on a hill under a big tree beside a small house in the sun, number $i"
done >prompts.txt
plan() {
    local gpu=$1 model=$2
    shift 2
    echo "== $gpu, $model, $*"
    "$SKV" sample --transformer "formula:$model" --vae "formula:$model" --t5 formula:xl --spm \
        "$SOURCE/tests/data/tiny_t5/spiece.model" --resolution 1M --cfg 3 --prompts prompts.txt \
        --out run --dry-run --for "$gpu" "$@" 2>said | grep -E '^#   all|rank 0|rows? fit|for one|takes' |
        sed -E 's/, [^,]*, local 0//; s/ +/ /g' || true
    cat said
}
plan h200 2b --paths scalekv-10 --group-size 8
plan h200 8b --paths full --group-size 8 --dtype fp32
plan 4090 2b --paths full --group-size 1
plan 4090 8b --paths scalekv-10 --group-size 8
plan ours:17179869184 2b --paths full,scalekv-10 --group-size 1
"$SKV" sample --for h200 || echo "status $?"
"$SKV" sample --dry-run --for h20 || echo "status $?"
test ! -e run
