# shellcheck shell=bash
# Exit status 2: what the settings name is not there or does not fit, or the settings are wrong.
# Exit status 1: a file is there and damaged.
printf 'a cat\n' >p.txt
cat >good.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$DATA/tiny_t5",
 "prompts": "p.txt", "resolution": "0.06M", "drafters": [0], "out": "run", "threads": 1}
JSON
printf '{"cfg": "three"}' >type.json
printf '{"cfg": 3' >syntax.json
printf 'PK\003\004 and no more' >damaged.pth
printf '[1, 2' >damaged.json

# wants STATUS ARGUMENT...: of skv sample with the good settings and these.
wants() {
    local want=$1 got=0

    shift
    "$SKV" sample --config good.json --dry-run "$@" >/dev/null || got=$?
    [ "$got" -eq "$want" ] || echo "$*: exit status $got, want $want"
}

wants 0
wants 2 --config=none.json
wants 2 --config=type.json
wants 2 --config=syntax.json
wants 2 --transformer none.pth
wants 2 --vae none.pth
wants 2 --vae formula:tiny_f14
wants 2 --t5 none
wants 2 --spm none
wants 2 --prompts none.txt
wants 2 --rewrite-cache none.json
wants 2 --budget-file none.json --paths scalekv-10
wants 2 --model 2b
wants 2 --paths scalekv-0
wants 2 --paths scalekv-150
wants 2 --path-definitions '[{"name":"w","policy":"snapkv"}]'
wants 2 --group-size many
wants 1 --transformer damaged.pth
wants 1 --rewrite-cache damaged.json
