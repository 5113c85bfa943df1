# shellcheck shell=bash
# Our attention keeps eight warps of a multiprocessor busy on every card: two blocks of four where
# its shared memory holds two, else one of eight. Where there are warpgroups three of them serve
# heads of different lengths.
# shellcheck source=tests/standin/card.sh
. "$SOURCE/tests/standin/card.sh"

# blocks CARD BACKEND: of one launch with heads of 128 and of different lengths
blocks() {
    local kernel=flash_long

    as "$1" "$OPCHECK" -b "$2" -o attention --perf >log || cat log
    ! grep -q '^kernel flash_wgmma_long ' counts || kernel=flash_wgmma_long
    echo "$1 $2: $kernel, $(($(counted "threads $kernel") / 32)) warps," \
        "$(($(counted "shared $kernel") / 1024)) KiB"
}
for card in $cards; do
    blocks "$card" cuda
done
blocks h200 cuda-99k # what a check on an H200 runs
