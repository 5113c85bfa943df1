# shellcheck shell=bash
# Where a library has nothing for an operation our own kernels serve instead, and the run is
# complete.
# shellcheck source=tests/standin/card.sh
. "$SOURCE/tests/standin/card.sh"
printf 'a cat\na dog\n' >prompts.txt
for refused in '' products attention convolutions products,attention,convolutions; do
    rm -rf run
    status=0
    STANDIN_REFUSE=$refused as 4090 tiny sample >log 2>&1 || status=$?
    [ "$status" -eq 0 ] || cat log
    used=
    for what in products attention convolutions; do
        [ "$(counted $what)" -eq 0 ] || used+=" $what,"
    done
    echo "without ${refused:-nothing}: status $status, libraries:${used%,}"
done
