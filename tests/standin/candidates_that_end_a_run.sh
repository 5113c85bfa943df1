# shellcheck shell=bash
# A candidate that ends the process, or kills the GPU, is named, and the next start leaves it out.
# shellcheck source=tests/standin/card.sh
. "$SOURCE/tests/standin/card.sh"
printf 'a cat\n' >prompts.txt
ulimit -c 0

# start VARIABLE: a run, its status, and what it says of the candidate.
start() {
    local status=0

    rm -rf run
    (export "${1?}" && as h200 tiny sample) >log 2>&1 || status=$?
    echo "$1: status $status"
    grep -oE 'was tried for matmul .* with "id=901 tile=2[^"]*", which the next start leaves out|tried "id=901 tile=2[^"]*" for matmul .*: left out from now on|"id=901 tile=2[^"]*" is left out' log |
        sed -E 's/for matmul [^:]* (with|align)/for matmul \1/; s/align [0-9]+/.../; s/tile=2[^"]*/tile=2/' | sort -u || true
}

for how in STANDIN_CRASHES STANDIN_KILLS; do
    rm -rf cache
    start "$how=901"
    start "$how=901" # tries another shape's, and so on: each start leaves one out
    find cache -name '*.trying' | wc -l
    start NOTHING=1
done
