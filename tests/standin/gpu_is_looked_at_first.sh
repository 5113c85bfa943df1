# shellcheck shell=bash
# A GPU or a library that cannot run this program is named before anything is read: the weights that
# are named here are not there.
printf 'a cat\n' >prompts.txt
refused() {
    local status=0

    STANDIN_CARD=$1 LD_PRELOAD=$STANDIN "$SKV" sample --model 2b --transformer missing.pth --vae \
        missing.pth --t5 missing --prompts prompts.txt --out run || status=$?
    echo "$1: status $status"
}
refused v100
STANDIN_CODE=none refused 5090
STANDIN_CODE=ptx refused b200
STANDIN_CODE=any STANDIN_CUDNN=91302 refused h100
STANDIN_CODE=any STANDIN_DRIVER=12080 refused h100
# the code that there is serves the GPU that it is for
STANDIN_CODE='' refused h100
