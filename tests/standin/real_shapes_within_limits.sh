# shellcheck shell=bash
# A group of the 2B at 1024², texts of every length, on a card of each size of shared memory: no
# launch beyond its limits, and for the texts the attention kernels, and their blocks, that the card has room for.
for card in a100 3090 h100 b200; do
    bash "$SOURCE/tests/standin/card_table.sh" "$SKV" "$STANDIN" "$card" 2b 2 | tail -n +3 |
        awk -F ' *[|] *' '{
            gsub(/ warps [0-9]+/, " warps", $9)
            print $2, $4 ": " $9
        }'
done
