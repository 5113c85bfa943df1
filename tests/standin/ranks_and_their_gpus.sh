# shellcheck shell=bash
# Ranks that see one GPU each share it only where it is the same. GPUs of two kinds are found before
# weights are looked for: those named here are not there. NCCL that fails, hangs or reckons wrongly
# (the stand-in's memory has no contents) costs a warning, and weights go the other way.
# shellcheck source=tests/standin/card.sh
. "$SOURCE/tests/standin/card.sh"
printf 'a cat\na dog in a box\na red house\n' >prompts.txt
cat >rank <<'SH'
#!/bin/sh
export CUDA_VISIBLE_DEVICES="${ONE_GPU-$OMPI_COMM_WORLD_RANK}" STANDIN_CARD=h100 LD_PRELOAD="$STANDIN"
[ "$OMPI_COMM_WORLD_RANK" != 1 ] || STANDIN_CARD=${OTHER-h100}
exec "$@"
SH
chmod +x rank
export STANDIN_CODE=any STANDIN_GPUS=3
three() {
    local status=0

    rm -rf run
    mpirun --oversubscribe -n 3 ./rank "$@" --wait-limit 6 >log 2>&1 || status=$?
    echo "status $status"
    grep -E '^warning|^error|of weights' log | sed -E 's/^[0-9.]+ GiB/some GiB/; s/ in [0-9.]+ s$//' |
        sort -u
}
tiny_job() {
    three "$SKV" sample --config "$SOURCE/configs/tiny.json" --model tiny_f16 --transformer \
        formula:tiny_f16 --vae formula:tiny_f16 --t5 "$DATA/tiny_t5" --resolution 0.06M \
        --drafters 0 --group-size 1 --paths full --prompts prompts.txt --out run
}
STANDIN_NCCL=fails tiny_job
STANDIN_NCCL=hangs tiny_job
tiny_job
# skv doctor names the pair: of two, as which of more was first is not known
mpirun --oversubscribe -n 2 ./rank "$SKV" doctor --config "$SOURCE/configs/tiny.json" --model \
    tiny_f16 --transformer formula:tiny_f16 --vae formula:tiny_f16 --t5 "$DATA/tiny_t5" \
    --resolution 0.06M --drafters 0 --paths full --prompts prompts.txt --wait-limit 6 2>&1 |
    grep -o 'there is no way between .*' | sed -E 's/\([^,]*, GPU-[^)]*\)/(its GPU)/g'
ONE_GPU=2 tiny_job
OTHER=a100 three "$SKV" sample --model 2b --transformer missing.pth --vae missing.pth --t5 missing \
    --prompts prompts.txt --out run |
    grep -oE '^status .|ranks do not agree on the device|NVIDIA [AH]100'
