# shellcheck shell=bash
# Our attention keeps eight warps of a multiprocessor busy on every card: two blocks of four where
# its shared memory holds two, else one of eight.
# shellcheck source=tests/standin/card.sh
. "$SOURCE/tests/standin/card.sh"

# blocks CARD BACKEND: of one launch with heads of 128 and of different lengths
blocks() {
    as "$1" "$OPCHECK" -b "$2" -o attention --perf >log || cat log
    echo "$1 $2: $(($(counted 'threads flash_long') / 32)) warps," \
        "$(($(counted 'shared flash_long') / 1024)) KiB"
}
for card in $cards; do
    blocks "$card" cuda
done
blocks h200 cuda-99k # what a check on an H200 runs
