#!/usr/bin/env bash
# Rows whose text, logits or picture are not finite fail alone: with a reason, without picture, on
# any number of ranks, and for good; the rows beside them are those of a run without a fault.
set -euo pipefail
skv=$1 source=$2 work=$3
# shellcheck source=tests/mpi/run_tools.sh
. "$source/tests/mpi/run_tools.sh"
rm -rf "$work"
mkdir -p "$work"
write_job
t5=$source/tests/data/tiny_t5
spoil() {
    "$python" "$source/tests/mpi/spoil.py" "$@"
}

# try STATUS RANKS OUT OPTION...: a run that ends so; its messages are in $work/log
try() {
    local want=$1 status=0

    shift
    sample "$@" >/dev/null 2>"$work/log" || status=$?
    [ $status -eq "$want" ] || fail "$(cat "$work/log")
status $status, want $want: $*"
}

# check RUN CALM PATH ERROR...: a row for each ERROR; one with "" is CALM's, any other has zeros
check() {
    "$python" - "$@" <<'PYTHON'
import os
import sys

import h5py

run, calm, path, *want = sys.argv[1:]
a, b = h5py.File(run + "/run.h5", "r"), h5py.File(calm + "/run.h5", "r")
status, error = a["samples/status"][:], a["samples/error"].asstr()[:]
if list(error) != want:
    sys.exit(f"{run}: errors {list(error)}, want {want}")
for i, reason in enumerate(want):
    name = f"images/{path}/{a['samples/id'].asstr()[i]}.png"
    if (status[i] == 0) != (reason == "") or status[i] > 0:
        sys.exit(f"{run}: row {i} has status {status[i]}")
    if os.path.exists(f"{run}/{name}") != (reason == ""):
        sys.exit(f"{run}: {name}: a PNG too many or too few")
    for kind in ("bits", "image"):
        mine, other = (f[f"paths/{path}/{kind}"][i] for f in (a, b))
        if not other.any():
            sys.exit(f"{calm}: row {i} has no {kind}")
        if (mine.any() if reason else (mine != other).any()):
            sys.exit(f"{run}: {kind} of row {i}")
PYTHON
}

# A character that the vocabulary lacks is token 2: its row spoils the texts that have one.
cat >"$work/prompts.jsonl" <<'JSON'
{"prompt": "a cat"}
{"prompt": "a 猫 on a mat in front of a door"}
{"prompt": "two red cubes on a table"}
{"prompt": "a dog", "negative": "猫"}
{"prompt": "a lighthouse"}
JSON
set -- --prompts "$work/prompts.jsonl" --paths full,scalekv-10
spoil text "$t5" "$work/t5_row" shared.weight 2 inf
try 0 1 "$work/calm" "$@"
try 3 2 "$work/row" "$@" --t5 "$work/t5_row"
grep -q "2 of 5 rows failed: 2 \"not finite: text\"" "$work/log" || fail "the last line does not say how many failed"
for path in full scalekv-10; do
    check "$work/row" "$work/calm" $path "" "not finite: text" "" "not finite: text" ""
done
try 3 1 "$work/row" "$@" --t5 "$work/t5_row"
! grep -q "group 1/" "$work/log" || fail "a finished run with failed rows computes again"
try 3 1 "$work/row" "$@" --t5 "$work/t5_row" --only 00003
grep -q "00003.*not finite: text" "$work/log" || fail "--only does not say that its row failed"

# All rows: in the text, the logits and the picture.
printf 'a cat\na dog\na man\n' >"$work/three.txt"
set -- --prompts "$work/three.txt" --paths full
spoil text "$t5" "$work/t5_all" encoder.final_layer_norm.weight 0 nan
spoil transformer "$work/head.safetensors" head.weight nan
spoil vae "$work/vae.safetensors" decoder.conv_out.conv.bias inf
try 0 1 "$work/calm3" "$@"
try 3 1 "$work/text" "$@" --t5 "$work/t5_all"
check "$work/text" "$work/calm3" full "not finite: text" "not finite: text" "not finite: text"
try 3 1 "$work/head" "$@" --transformer "$work/head.safetensors"
reason="not finite: logits of scale 0"
check "$work/head" "$work/calm3" full "$reason" "$reason" "$reason"
try 3 2 "$work/vae" "$@" --vae "$work/vae.safetensors"
reason="not finite: picture"
check "$work/vae" "$work/calm3" full "$reason" "$reason" "$reason"

# Pictures again from bits: none of a row that failed, none that is not finite.
status=0
"$skv" decode "$work/vae" --threads 1 >"$work/out" 2>"$work/log" || status=$?
[ $status -eq 3 ] || fail "decode of failed rows ends with $status"
[ -z "$(find "$work/vae/images" -name '*.png')" ] || fail "decode made a picture of a failed row"
status=0
"$skv" decode "$work/calm3" --vae "$work/vae.safetensors" --out "$work/decoded" --threads 1 \
    >"$work/out" 2>"$work/log" || status=$?
[ $status -eq 3 ] || fail "decode to numbers that are not finite ends with $status"
[ "$(grep -c "not finite: picture" "$work/log")" -eq 3 ] || fail "decode does not name the pictures"
[ -z "$(find "$work/decoded/images" -name '*.png')" ] || fail "decode wrote a picture that is none"
echo "not finite: text, logits and picture fail alone, on 1 and 2 ranks"
