# shellcheck shell=bash
# A candidate that computes other numbers than our plain form is named and left out, however fast it
# is: the next best serves, and in the end our own kernels.
# shellcheck source=tests/standin/card.sh
. "$SOURCE/tests/standin/card.sh"
printf 'a cat\n' >prompts.txt

# wrong NUMBER...: candidates that compute nonsense; what is said of them, and what is on record
wrong() {
    local status=0

    rm -rf run cache
    STANDIN_WRONG=$1 as h200 tiny sample >log 2>&1 || status=$?
    echo "wrong: ${1:-none}: status $status"
    sed -nE 's/.*((cuBLASLt|cuDNN) computes nonsense for [a-z]+).* by "(id=[0-9]+|variant=. engine=.).*" .*(: not taken)/\1 by \3\4/p' log |
        sort -u
    python3 - <<'PY'
import json
for choices in json.load(open("run/tune.json"))["devices"].values():
    kinds = {}
    for key, choice in choices.items():
        words = choice.split()
        kinds.setdefault(key.split()[0], set()).add(" ".join(
            w for w in words if w.split("=")[0] in ("id", "variant", "engine", "kernel", "ours")))
    for kind in sorted(kinds):
        print(" ", kind + ":", ", ".join(sorted(kinds[kind])))
PY
}
wrong ''
wrong 900,1
wrong 900,901,902
