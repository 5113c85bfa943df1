# shellcheck shell=bash
# Ranks with two kinds of GPU in one run: one of each kind measures, and the run has both records.
# shellcheck source=tests/standin/card.sh
. "$SOURCE/tests/standin/card.sh"
command -v mpirun >/dev/null || exit 77
printf 'a\nb\nc\nd\ne\nf\ng\nh\n' >prompts.txt
cat >rank <<'END'
#!/usr/bin/env bash
# rank 0 has an H200, the others a B200 each
export STANDIN_CODE=any STANDIN_CARD=b200 LD_PRELOAD=$STANDIN
[ "$OMPI_COMM_WORLD_RANK" != 0 ] || STANDIN_CARD=h200
exec "$@"
END
chmod +x rank
run() {
    mpirun --oversubscribe -n 3 ./rank "$SKV" sample --config "$SOURCE/configs/tiny.json" \
        --model tiny_f16 --transformer formula:tiny_f16 --vae formula:tiny_f16 --t5 \
        "$DATA/tiny_t5" --resolution 0.06M --drafters 0 --group-size 2 --paths full \
        --prompts prompts.txt --out run "$@" >log 2>&1
}
run || grep -o 'ranks do not agree on the device' log
run --allow-other-device || cat log
for rank in 0 1 2; do
    echo "rank $rank: $(grep -c 'algorithms chosen' run/log/$rank.txt) times"
done
grep -oE '"NVIDIA [A-Z0-9]+' run/tune.json
