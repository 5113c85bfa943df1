# shellcheck shell=bash
# Our own kernels serve where a library supports nothing, which is said once where it costs; any
# other failure of cuBLASLt ends the run.
# shellcheck source=tests/standin/card.sh
. "$SOURCE/tests/standin/card.sh"
printf 'a cat\na dog in a box\na red house\na\nb\nc\nd\ne\n' >prompts.txt

# large: pictures of 1 megapixel, and what is said of fallbacks
large() {
    local status=0

    rm -rf run
    as h200 "$SKV" sample --config "$SOURCE/configs/tiny.json" --model tiny_f16 --transformer \
        formula:tiny_f16 --vae formula:tiny_f16 --t5 "$DATA/tiny_t5" --resolution 1M \
        --drafters 0 --group-size 8 --paths full --store bits,png --prompts prompts.txt --out run \
        >log 2>&1 || status=$?
    echo "status $status"
    grep -oE 'cuDNN [0-9.]+ has no .*serve|cuBLASLt [0-9]+ has no product .*slower|cublasLtMatmulAlgoGetHeuristic: .*' log |
        sed -E 's/[0-9.]+ has/N has/; s/of [0-9]+ x [0-9]+ x [0-9]+/of M x N x K/' || true
}
STANDIN_REFUSE=attention,convolutions,products large
STANDIN_FAIL=products large
large
