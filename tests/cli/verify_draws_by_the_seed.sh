# shellcheck shell=bash
# verify draws a recording's bits by the seed of its generator, with recorded ones fed back or, in a
# free run, from the seed alone. Another seed draws others, which fails; a free run wants a seed.
verify() {
    local status=0
    "$SKV" verify --transformer formula:tiny_f16 --vae formula:tiny_f16 --threads 2 \
        --against "$DATA/f16_006M_nocfg.h5" "$@" >table || status=$?
    echo "$status $(grep -c FAIL table)"
    grep -E '^bits (equal  |that differ)' table | tr -s ' ' || true
}
verify --seed 1
verify --seed 1 --free-run --json free.json
grep -c '"bits that differ otherwise"' free.json
verify --seed 2 | grep -c '^1 1$'
verify --seed 1 --free-run --torch-gpu 1:256 | head -1
verify --free-run
verify --seed 1x
