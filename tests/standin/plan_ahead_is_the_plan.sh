# shellcheck shell=bash
# What --for plans for a card is what the CUDA build plans on that card, byte for byte.
for i in 1 2 3 4 5 6 7 8; do
    echo "a red fox beside a small house, number $i"
done >prompts.txt
plan() {
    "$SKV" sample --transformer "formula:$1" --vae "formula:$1" --t5 formula:xl --spm \
        "$SOURCE/tests/data/tiny_t5/spiece.model" --resolution 1M --cfg 3 --prompts prompts.txt \
        --out run --dry-run "${@:2}" | grep -E '^#   '
}
for model in 2b 8b; do
    for path in full scalekv-10,snapkv-10; do
        STANDIN_CARD=h200 STANDIN_CODE=any LD_PRELOAD=$STANDIN plan "$model" --paths "$path" >there
        plan "$model" --paths "$path" --for h200 >ahead
        test "$(wc -l <there)" -eq 9
        diff there ahead && echo "$model, $path: the same"
    done
done
