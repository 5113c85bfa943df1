#!/usr/bin/env bash
# Ranks that would compute different things are found before anything is computed, and named: other
# settings, another CPU family, other files. A rank that is only told its device differs in nothing.
set -euo pipefail
skv=$1 source=$2 work=$3
# shellcheck source=tests/mpi/run_tools.sh
. "$source/tests/mpi/run_tools.sh"
rm -rf "$work"
mkdir -p "$work"
write_job
job=("$skv" sample --config "$work/job.json" --paths full)
host=$(uname -n)

# start OPTION...: rank 0 and two more ranks, which are started by `before` and get the options of
# `after` in addition. Its exit status is in $status, what it said in $work/log.
before=() after=() status=0
start() {
    status=0
    mpirun --oversubscribe -n 1 "${job[@]}" "$@" : -n 2 "${before[@]}" "${job[@]}" "$@" \
        "${after[@]}" </dev/null >"$work/stdout" 2>"$work/log" || status=$?
}

# refused STATUS SENTENCE: what start must have ended with, and nothing is left of the run
refused() {
    [ "$status" -eq "$1" ] || fail "status $status, want $1: $(cat "$work/log")"
    grep -qF "error: $2" "$work/log" || fail "want \"$2\": $(cat "$work/log")"
    [ "$(grep -c 'error: ' "$work/log")" -eq 1 ] || fail "more than one error: $(cat "$work/log")"
    [ ! -e "$work/run" ] || fail "the run was begun"
}

after=(--seed 5)
start --out "$work/run"
refused 2 "ranks do not agree on --seed: rank 0 ($host): 0; ranks 1-2 ($host): 5"
after=(--store bits --seed 5 --samples 2)
start --out "$work/run"
refused 2 "ranks do not agree on --samples: rank 0 ($host): 1; ranks 1-2 ($host): 2 (and on 2 more)"

# Other commands, also where one of them would have failed by itself; other options of eval.
apart() {
    status=0
    mpirun --oversubscribe -n 1 "$skv" "${@:1:$#/2}" : -n 1 "$skv" "${@:$#/2+1}" </dev/null \
        >"$work/stdout" 2>"$work/log" || status=$?
}
apart sample --config "$work/job.json" eval "$work/none" --device
refused 2 "ranks do not agree on the command: rank 0 ($host): sample; rank 1 ($host): eval"
apart eval a --networks none eval a --networks formula
refused 2 "ranks do not agree on --networks: rank 0 ($host): \"none\"; rank 1 ($host): \"formula\""
apart eval a eval b
refused 2 "ranks do not agree on the run or first folder: rank 0 ($host): a; rank 1 ($host): b"

# The same program but for what it says of its build.
build=$("$skv" --version | head -n 1)
build=${build#skv }
LC_ALL=C sed "s/$build/${build%?}_/" "$skv" >"$work/other_skv"
chmod +x "$work/other_skv"
status=0
mpirun --oversubscribe -n 1 "${job[@]}" --out "$work/run" : -n 1 "$work/other_skv" "${job[@]:1}" \
    --out "$work/run" </dev/null 2>"$work/log" || status=$?
refused 1 "ranks do not agree on the build of skv: rank 0 ($host): $build; rank 1 ($host): ${build%?}_"
status=0
mpirun --oversubscribe -n 1 "$skv" eval a : -n 1 "$work/other_skv" eval a </dev/null \
    2>"$work/log" || status=$?
refused 1 "ranks do not agree on the build of skv: rank 0 ($host): $build; rank 1 ($host): ${build%?}_"

# A rewriting cache is one more thing that all ranks are to be sent.
echo '{}' >"$work/rewrites.json"
after=(--rewrite-cache "$work/rewrites.json")
start --out "$work/run"
refused 2 "ranks do not agree on --rewrite-cache: rank 0 ($host): not given; ranks 1-2 ($host): "

# The same name, another file in each rank's folder.
cp -r "$source/tests/data/tiny_t5" "$work/a"
mkdir "$work/0" "$work/1"
ln -s "$work/a" "$work/0/t5"
cp -r "$source/tests/data/tiny_t5" "$work/1/t5"
"$python" - "$work/1/t5" <<'PYTHON'
import glob
import sys

names = glob.glob(sys.argv[1] + "/*.safetensors") + glob.glob(sys.argv[1] + "/*.bin")
data = bytearray(open(names[0], "rb").read())
start = int.from_bytes(data[:8], "little") + 8 if names[0].endswith(".safetensors") else 0
data[start + 1] ^= 1
open(names[0], "wb").write(data)
PYTHON
status=0
mpirun --oversubscribe -n 1 --wdir "$work/0" "${job[@]}" --t5 t5 --out "$work/run" : \
    -n 2 --wdir "$work/1" "${job[@]}" --t5 t5 --out "$work/run" </dev/null 2>"$work/log" || status=$?
refused 1 "ranks do not agree on what t5 contains (by its digest): rank 0 ($host): "

# Told its device, a rank is as the others.
after=(--device cpu --threads 2)
start --out "$work/told"
[ "$status" -eq 0 ] || fail "--device cpu on some ranks: $(cat "$work/log")"
mpirun -n 1 "${job[@]}" --out "$work/one" </dev/null >/dev/null 2>"$work/log" || fail "$(cat "$work/log")"
same_run "$work/one" "$work/told" || fail "--device cpu on some ranks changes pictures"

# Two CPU families, as OpenBLAS can be told on any x86-64.
device() { OPENBLAS_CORETYPE=$1 "${job[@]}" --dry-run | sed -nE 's/^# rank 0 of 1, .*, local 0: //p'; }
old=$(device Prescott) new=$(device Nehalem)
if [ "$old" = "$new" ]; then
    echo "skipped: this OpenBLAS has one form for all CPU families ($old)"
    exit 77
fi
export OPENBLAS_CORETYPE=Prescott
before=(env OPENBLAS_CORETYPE=Nehalem) after=()
start --out "$work/run"
refused 1 "ranks do not agree on the device: rank 0 ($host): $old; ranks 1-2 ($host): $new"
start --dry-run --allow-other-device
[ "$status" -eq 0 ] || fail "--allow-other-device: $(cat "$work/log")"
grep -q "warning: ranks do not agree on the device" "$work/log" || fail "no warning"
echo "other settings, files and devices are named before anything is computed"
