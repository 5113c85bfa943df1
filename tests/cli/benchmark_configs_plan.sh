# shellcheck shell=bash
# The benchmarks' configs take their prompt files in the upstream forms and plan at 1M, with as many
# pictures a prompt as the benchmark wants.
printf '{"tag": "colors", "include": [], "prompt": "a red cow"}\n' >evaluation_metadata.jsonl
mkdir dpg
printf 'A lighthouse.' >dpg/partiprompts0.txt
cat >captions.json <<'JSON'
{"images": [{"id": 5}, {"id": 1}],
 "annotations": [{"image_id": 1, "id": 2, "caption": "a cat"},
                 {"image_id": 5, "id": 9, "caption": "a dog"}]}
JSON
printf '[{"id": "000001-0000", "prompt": "a red cow"}]' >benchmark-prompts.json
mkdir hpsv2
printf '["a cat", "a dog"]' >hpsv2/anime.json
printf '["a boat"]' >hpsv2/photo.json
# what is the model's is taken from formulas; everything else is the config's
plan() {
    printf '%s: ' "$1"
    "$SKV" sample --config "$SOURCE/configs/$1.json" --model tiny_f16 --drafters 0 \
        --transformer formula:tiny_f16 --vae formula:tiny_f16 --t5 "$DATA/tiny_t5" \
        --prompts "$2" --threads 1 --dry-run | grep ' rows in '
}
plan geneval evaluation_metadata.jsonl
plan dpg dpg
plan coco captions.json
plan table1 captions.json
plan imagereward benchmark-prompts.json
plan hpsv2 hpsv2
