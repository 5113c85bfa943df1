# shellcheck shell=bash
# Algorithms are measured once for a GPU, kept for its runs and for the run itself, and a run's own
# record comes first; another GPU has its own beside it.
# shellcheck source=tests/standin/card.sh
. "$SOURCE/tests/standin/card.sh"
printf 'a cat\na dog in a box\na red house\n' >prompts.txt

# on CARD ARGUMENT...: a run in the folder run, and what it says of its choices, without times.
on() {
    local card=$1 status=0

    shift
    as "$card" tiny "$@" >log 2>&1 || status=$?
    echo "$card, $*: status $status"
    grep -oE 'algorithms chosen.*|tune.json has .*|on record for matmul .* cannot be had here' log |
        sed -E 's/in [0-9.]+ s/in time/; s/[1-9][0-9]* (measured|known)/some \1/g
            s/from .*/from the cache/; s/matmul .* cannot/matmul ... cannot/' || true
    [ "$status" -eq 0 ] || grep -c 'the choice "id=7 tile=1 ' log
}
choices() { python3 -c 'import json, sys
for name, choices in json.load(open("run/tune.json"))["devices"].items():
    print(name.split(" (")[0], "some" if choices else "none",
          sorted({c.split()[0] for c in choices.values()}))'; }
again() { rm run/groups/full/000000.h5; }

on h200 sample
choices
mv run cold
on h200 sample
cmp cold/tune.json run/tune.json

echo "its own record, whatever others have measured since:"
rm -r cache
again
on h200 sample
[ ! -e cache ]

echo "a record that cannot be had:"
sed -i 's/"id=900 /"id=7 /' run/tune.json
again
on h200 sample

echo "another GPU:"
cp cold/tune.json run/tune.json
on b200 sample --allow-other-device
choices
mv run/tune.json both.json
cp cold/tune.json run/tune.json
as b200 "$SKV" decode run --out pictures >log 2>&1
grep -o 'tune.json has no choice of algorithms for NVIDIA B200' log

echo "nothing measured, now and later:"
rm -r run cache
on h200 sample --tune off
choices
again
on h200 sample
choices
[ ! -e cache ]

as h200 "$SKV" doctor 2>&1 | grep -oE 'tuning +no algorithms are known' || true
