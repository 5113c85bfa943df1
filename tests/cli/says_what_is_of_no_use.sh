# shellcheck shell=bash
# What cannot lead to what a user wants is said before the work: options without effect, a run that
# no metric can be computed of. Names in messages have one slash, whatever was typed.
printf 'a cat\n' >prompts.txt
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$DATA/tiny_t5",
 "prompts": "prompts.txt", "resolution": "0.06M", "drafters": [0], "threads": 1,
 "virtual_run": true}
JSON
sample() {
    "$SKV" sample --config job.json --out run/ "$@" 2>log >/dev/null || echo "status $?"
    grep -E 'effect|reference|error' log || true
}
sample --paths snapkv-10
"$SKV" eval run --networks none || echo "status $?"
sample --paths snapkv-10,scalekv-10
sample --paths snapkv-10,scalekv-10 --orders none.json
sample --paths full --budget-file none.json
sample --paths full
sample --paths scalekv-10
"$SKV" eval run/ --networks none >/dev/null
rm run/groups/full/000000.h5
"$SKV" eval run/ --networks none || echo "status $?"
"$SKV" decode run/ --paths full || echo "status $?"
