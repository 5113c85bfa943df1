# shellcheck shell=bash
# Lists in the forms of PartiPrompts, WISE, Infinity and TIIF: what is used of them is said, and what
# a line asks for in vain is named; where the choice is open the list is refused before anything is
# loaded, and --prompt-key makes it. Bad lines are named on stderr. Standard input and descriptors.
printf 'Prompt\tCategory\nan owl\tAnimals\n\tAnimals\n' >parti.tsv
printf '[{"Prompt": "a cake", "Explanation": "x", "prompt_id": 3}]' >wise.json
printf '{"h_div_w": 2.0, "text": "a tower", "steps": 9, "Negative Prompt": "fog"}\n' >infinity.jsonl
printf '{"type": "t", "short_description": "a", "long_description": "b"}\n' >tiif.jsonl
printf '\357\273\277{"resolution": "0.06M", "drafters": [0], "threads": 1, "paths": "full"}' >bom.json
printf '\357\273\277{"a cake": "a round cake"}' >cache.json

# plan ARGUMENT...: what a dry run says of the list, and its status
plan() {
    echo "== $*"
    "$SKV" sample --config bom.json --transformer formula:tiny_f16 --vae formula:tiny_f16 \
        --t5 "$DATA/tiny_t5" --dry-run "$@" 2>&1 >out | grep -vE 'drafters|will fail' || true
    grep -E '^# [0-9]+ rows?|cannot be sampled' out || true
}
plan --prompts parti.tsv
plan --prompts wise.json --rewrite-cache cache.json
plan --prompts infinity.jsonl --cfg 1
plan --prompts tiif.jsonl
plan --prompts tiif.jsonl --prompt-key 'Long Description' --id-key type
printf 'a cat\ra dog' | plan --prompts -
printf '{"prompt": "a cat"}\n{"prompt": "a dog"}\n' | plan --prompts -
plan --prompts /dev/fd/5 5<wise.json
