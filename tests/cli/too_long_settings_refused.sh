# shellcheck shell=bash
# Settings that run.h5 could not hold are refused before anything is computed.
printf 'a cat\n' >prompts.txt
"$SKV" sample --config "$SOURCE/configs/tiny.json" --prompts prompts.txt --out run \
    --negative "$(printf 'bad hands, %.0s' {1..7000})"
