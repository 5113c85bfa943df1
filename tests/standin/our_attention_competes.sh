# shellcheck shell=bash
# Where cuDNN's attention is slower than ours, ours is chosen, recorded by its name and kept; that
# is no want of an engine, and nothing is said of one.
# shellcheck source=tests/standin/card.sh
. "$SOURCE/tests/standin/card.sh"
printf 'a cat\n' >prompts.txt

# sample SLOW [OPTION...]: a run where these are slow; who serves attention
sample() {
    local status=0

    STANDIN_SLOW=$1 as 4090 tiny sample "${@:2}" >log 2>&1 || status=$?
    echo "slow: ${1:-nothing}${2:+, ${*:2}}: status $status"
    [ "$(counted attention)" -eq 0 ] || echo "  cuDNN's was tried or served"
    grep -oE 'has no attention engine' log || true
    grep -oE '"sdpa [^"]*": "[^"]*"' run/tune.json | sed -E 's/"sdpa .*": "(.*)"/\1/' | sort |
        uniq -c || true
}
sample ''
rm -r run cache
sample attention
rm run/groups/full/000000.h5
sample ''
rm -r run cache
sample attention --tune off
