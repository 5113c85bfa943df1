# shellcheck shell=bash
# A driver too old for this build is no reason to compute on the CPU instead, unless asked for.
printf 'a cat\n' >prompts.txt
words="--config $SOURCE/configs/tiny.json --prompts prompts.txt --out run"
export LD_LIBRARY_PATH=$OLD_DRIVER${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
for device in cuda auto; do
    status=0
    # shellcheck disable=SC2086 # words are several
    "$SKV" sample $words --device $device || status=$?
    echo "$device $status"
done
test ! -e run
