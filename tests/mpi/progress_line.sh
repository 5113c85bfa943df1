#!/usr/bin/env bash
# What sample says while it works: on a terminal one line with a bar, written anew, whole, and never
# wider than the terminal, with other lines whole above and below it; in a file whole lines, of all
# ranks.
set -euo pipefail
skv=$1 source=$2 work=$3
# shellcheck source=tests/mpi/run_tools.sh
. "$source/tests/mpi/run_tools.sh"
rm -rf "$work"
mkdir -p "$work"
write_job
cat >"$work/on_terminal.sh" <<SH
stty cols 60
exec "$skv" sample --config "$work/job.json" --out "$work/one"
SH
script -qec "bash $work/on_terminal.sh" /dev/null </dev/null >"$work/terminal"
"$python" - "$work/terminal" <<'PYTHON'
import re
import sys

lines = open(sys.argv[1], newline="").read().split("\r\n")
bars = [part for line in lines for part in line.split("\r\033[K")[1:]]
last = [line for line in lines if re.search(r"\[#+\] 3 of 3 groups, [0-9.]+ images/s of 1 rank$", line)]
assert len(last) == 1, "the line stays once, at its end"
for bar in bars:
    assert re.match(r"(\[#* *\] )?\d of 3 groups, [0-9.]+ images/s of 1 rank(, \d+ \S+ left)?$", bar), bar
    assert len(bar) <= 59, bar
for line in lines:
    assert "\033" not in line or line.startswith("\r\033[K"), line
assert any(line.startswith("path  ") for line in lines)
PYTHON
sample 2 "$work/two" 2>"$work/log"
grep -c ' of 3 groups, ' "$work/log" | grep -qx 1
grep -qE '^3 of 3 groups, [0-9.]+ images/s of 2 ranks$' "$work/log"
! grep -q $'\033' "$work/log"
