#!/usr/bin/env bash
# Runs one case of tests/cli and holds it against the files beside it:
#   x.sh            the commands, run by bash -eu in an empty folder of its own, with $SKV (the
#                   program, also found as `skv`), $SOURCE (the tree) and $DATA (tests/data)
#   x.stdout        all of standard output; missing: there must be none
#   x.stderr.glob   a bash pattern for each line of standard error; a line "..." stands for any
#                   number of lines; missing: there must be none
#   x.exit          the exit status; missing: 0
# Status 77 of a case that does not ask for it means: skipped.
set -uo pipefail

if [ $# -ne 4 ]; then
    echo "usage: run_case.sh CASE.sh PROGRAM SOURCE_TREE WORK_FOLDER" >&2
    exit 2
fi
script=$(realpath "$1")
base=${script%.sh}
export SKV=$2 SOURCE=$3 DATA=$3/tests/data
work=$4/$(basename "$base")

# what the caller's own launcher left behind would be taken for this program's
unset "${!OMPI_COMM_WORLD@}" "${!PMIX_@}" "${!PMI_@}" "${!SLURM_@}" "${!TORCHELASTIC_@}"
unset RANK WORLD_SIZE LOCAL_RANK LOCAL_WORLD_SIZE MASTER_ADDR MASTER_PORT
export LC_ALL=C.UTF-8 PATH=${SKV%/*}:$PATH

rm -rf "$work"
mkdir -p "$work/run" || exit 1
cd "$work/run" || exit 1
bash -eu "$script" >../stdout 2>../stderr </dev/null
status=$?
cd ..

failed=0
want_status=0
[ ! -f "$base.exit" ] || want_status=$(<"$base.exit")
if [ "$status" -eq 77 ] && [ "$want_status" -ne 77 ]; then
    cat stdout stderr
    exit 77
fi
if [ "$status" -ne "$want_status" ]; then
    echo "exit status $status, want $want_status"
    failed=1
fi

want_stdout=/dev/null
[ ! -f "$base.stdout" ] || want_stdout=$base.stdout
if ! diff -u --label "wanted stdout" --label "stdout" "$want_stdout" stdout; then
    failed=1
fi

# fits LINE PATTERN
fits() {
    # shellcheck disable=SC2053 # a pattern is meant
    [[ $1 == $2 ]]
}

patterns=()
[ ! -f "$base.stderr.glob" ] || mapfile -t patterns <"$base.stderr.glob"
mapfile -t lines <stderr
p=0
l=0
open=no # a "..." stands before pattern p
while [ $l -lt ${#lines[@]} ] || [ $p -lt ${#patterns[@]} ]; do
    pattern=${patterns[p]-}
    if [ $p -lt ${#patterns[@]} ] && [ "$pattern" = ... ]; then
        open=yes
        p=$((p + 1))
    elif [ $p -ge ${#patterns[@]} ] && [ $open = yes ]; then
        break
    elif [ $l -ge ${#lines[@]} ]; then
        echo "stderr ends before: $pattern"
        failed=1
        break
    elif [ $p -lt ${#patterns[@]} ] && fits "${lines[l]}" "$pattern"; then
        open=no
        p=$((p + 1))
        l=$((l + 1))
    elif [ $open = yes ]; then
        l=$((l + 1))
    else
        echo "stderr line $((l + 1)): ${lines[l]}"
        echo "           wanted: ${pattern:-no such line}"
        failed=1
        break
    fi
done

if [ $failed -ne 0 ]; then
    echo "--- all of stderr (files are kept in $work):"
    cat stderr
fi
exit $failed
