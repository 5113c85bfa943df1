# shellcheck shell=bash
# --prompts may be standard input or a pipe. The run's digest covers the prompts, so the same folder
# is taken for the same run, and refused for other prompts.
printf 'a cat\n' >prompts.txt
args=(sample --transformer formula:tiny_f16 --vae formula:tiny_f16 --t5 "$DATA/tiny_t5"
    --resolution 0.06M --drafters 0 --paths full --threads 2 --out run)
"$SKV" "${args[@]}" --prompts - <prompts.txt >/dev/null 2>&1
ls run/images/full
printf 'a cat\n' | "$SKV" "${args[@]}" --prompts - >/dev/null 2>&1
printf 'a cat\n' | "$SKV" "${args[@]}" --prompts /dev/stdin >/dev/null 2>&1
"$SKV" "${args[@]}" --prompts <(sleep 1; printf 'a cat\n') >/dev/null 2>&1
"$SKV" "${args[@]}" --prompts prompts.txt >/dev/null 2>&1
for table in 'prompt,id\na cat,\n' 'Prompt\tNote\na cat\tx\n' '[\n"a cat"\n]\n'; do
    # shellcheck disable=SC2059  # it is the format
    printf "$table" | "$SKV" "${args[@]}" --prompts - >/dev/null 2>&1 || echo "no: $table"
done
mkfifo pipe.jsonl
printf '{"prompt": "a dog"}\n' >pipe.jsonl &
code=0
"$SKV" "${args[@]}" --prompts pipe.jsonl >/dev/null || code=$?
echo "status $code"
