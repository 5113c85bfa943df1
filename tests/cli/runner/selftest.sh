#!/usr/bin/env bash
# A runner that lets everything pass would make all cases worthless: here cases that must pass and
# cases that must fail, each differing from a passing one in one thing.
set -euo pipefail

runner=$(dirname "$(realpath "${BASH_SOURCE[0]}")")/run_case.sh
work=$1
rm -rf "$work"
mkdir -p "$work/cases"
cd "$work/cases"

# expect RESULT NAME: runs the case x made so far, then clears it.
expect() {
    local got=0

    bash "$runner" x.sh /bin/true /nowhere "$work" >"$work/log" 2>&1 || got=$?
    if [ "$got" -ne "$1" ]; then
        echo "$2: runner ended with $got, want $1"
        cat "$work/log"
        exit 1
    fi
    rm -f x.*
}

speak='echo one; echo two; echo "warn: 12 s" >&2; echo "note: b" >&2'
good() {
    echo "$speak" >x.sh
    printf 'one\ntwo\n' >x.stdout
    printf 'warn: * s\nnote: ?\n' >x.stderr.glob
}

good && expect 0 "all as wanted"
good && printf 'one\n' >x.stdout && expect 1 "a line of stdout too many"
good && rm x.stdout && expect 1 "no stdout wanted"
good && printf 'warn: * s\n' >x.stderr.glob && expect 1 "a line of stderr too many"
good && printf 'warn: * s\nnote: ?\nmore\n' >x.stderr.glob && expect 1 "a line of stderr missing"
good && printf 'warn: * m\nnote: ?\n' >x.stderr.glob && expect 1 "a pattern that does not match"
good && rm x.stderr.glob && expect 1 "no stderr wanted"
good && printf '...\nnote: b\n' >x.stderr.glob && expect 0 "any lines, then one"
good && printf 'warn: *\n...\n' >x.stderr.glob && expect 0 "one line, then any"
good && printf '...\nnote: c\n' >x.stderr.glob && expect 1 "any lines, then one that is missing"
good && echo 3 >x.exit && expect 1 "another exit status"
good && echo "exit 3" >>x.sh && expect 1 "an exit status nobody wanted"
good && echo "exit 3" >>x.sh && echo 3 >x.exit && expect 0 "the exit status wanted"
echo "exit 77" >x.sh && expect 77 "a case that skips"
echo "false; true" >x.sh && expect 1 "a command that fails in the middle"
echo "test ! -e old; touch old; pwd >&2" >x.sh && echo '*/x/run' >x.stderr.glob &&
    expect 0 "an empty folder"
echo "test ! -e old" >x.sh && expect 0 "an empty folder again"
