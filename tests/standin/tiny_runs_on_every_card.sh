# shellcheck shell=bash
# A whole run, from prompts to pictures, on each card: no launch beyond its limits (the stand-in
# would end it), graphs captured and launched, every product and picture by the libraries (which
# nothing is compared with, as nothing is measured).
# shellcheck source=tests/standin/card.sh
. "$SOURCE/tests/standin/card.sh"
printf 'a cat\na dog in a box\na red house\n' >prompts.txt
for card in $cards; do
    rm -rf run
    status=0
    as "$card" tiny sample --tune off >log 2>&1 || status=$?
    [ "$status" -eq 0 ] || cat log
    for what in launches graph_launches products attention convolutions; do
        [ "$(counted $what)" -gt 0 ] || echo "$card: no $what"
    done
    echo "$card: status $status, $(find run/images -name '*.png' | wc -l) pictures"
done
