# shellcheck shell=bash
# Every command that computes refuses it in one sentence, before anything is begun.
printf 'a cat\n' >prompts.txt
for command in sample bench verify decode; do
    case $command in
    sample) words="--config $SOURCE/configs/tiny.json --prompts prompts.txt --out run" ;;
    verify) words="--transformer formula:tiny_f16 --vae formula:tiny_f16
        --against $DATA/f16_006M_full.h5" ;;
    decode) words=run ;;
    *) words= ;;
    esac
    status=0
    # shellcheck disable=SC2086 # words are several
    "$SKV" $command $words --device cpu --dtype bf16 || status=$?
    echo "$command $status"
done
test ! -e run
