#!/usr/bin/env bash
# ballast.sh SKV HOLD_GPU SOURCE: what a run takes beyond its plan on cards of 16 and 24 GiB, tried
# on a large GPU whose other memory a second process holds (tests/mpi/hold_gpu.c, built with CUDA as
# hold_gpu). For each case the largest group of the table "Memory by GPU" (kernels/README.md); bytes
# that the GPU lacked at the worst moment, less those of an idle start (context, workspaces) and of
# the plan. They must stay below the 256 MiB that the plan leaves to libraries
# (src/job/backend_choice.c). Some minutes, mostly for making up weights.
set -euo pipefail
skv=$1 hold=$2 source=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for i in $(seq 1 32); do
    echo "a red fox on a hill under a big tree beside a small house in the sun, number $i"
done >"$work/all.txt"

# beside LEFT COMMAND...: runs it beside a process that leaves LEFT bytes of the GPU; prints the
# bytes that were taken of these at the worst moment.
beside() {
    local left=$1 to holder status=0

    shift
    rm -f "$work/in"
    : >"$work/said"
    mkfifo "$work/in"
    "$hold" "$left" watch <"$work/in" >"$work/said" &
    holder=$!
    exec {to}>"$work/in"
    until grep -q held "$work/said"; do
        kill -0 "$holder" 2>/dev/null || return 1
        sleep 0.2
    done
    "$@" >"$work/log" 2>&1 || status=$?
    exec {to}>&-
    wait "$holder"
    if [ "$status" -ne 0 ]; then
        tail -5 "$work/log" >&2
        return 1
    fi
    echo $((left - $(sed -n 's/^least //p' "$work/said")))
}

# run MODEL PATH GROUP OPTION...: two groups, so that the second is computed by captured graphs.
run() {
    local model=$1 path=$2 group=$3

    shift 3
    head -n $((2 * group)) "$work/all.txt" >"$work/prompts.txt"
    rm -rf "$work/run"
    "$skv" sample --transformer "formula:$model" --vae "formula:$model" --t5 formula:xl --spm \
        "$source/tests/data/tiny_t5/spiece.model" --resolution 1M --cfg 3 --paths "$path" \
        --group-size "$group" --prompts "$work/prompts.txt" --out "$work/run" --store bits "$@"
}

echo "| card of | model | path | group | idle | planned | taken | beyond both, MiB |"
echo "| --- | --- | --- | --- | --- | --- | --- | --- |"
# nominal GiB; MiB that CUDA shows on such a card; model; path; group; options
while read -r gib mib model path group options; do
    left=$((mib << 20))
    # shellcheck disable=SC2086 # options are several words or none
    idle=$(beside $left run "$model" "$path" "$group" $options --dry-run)
    # shellcheck disable=SC2086
    taken=$(beside $left run "$model" "$path" "$group" $options)
    planned=$(sed -nE 's/^#   all +([0-9]+) .*/\1/p' "$work/log")
    rm -f "$work/texts.h5"
    echo "| $gib GiB | $model | $path | $group | $idle | $planned | $taken |" \
        "$(((taken - idle - planned) >> 20)) |"
done <<CASES
16 15948 2b scalekv-10 8
16 15948 2b full 1
24 24217 2b scalekv-10 16
24 24217 2b full 3
24 24217 8b scalekv-10 1
24 24217 8b scalekv-10 4 --text-cache $work/texts.h5
CASES
