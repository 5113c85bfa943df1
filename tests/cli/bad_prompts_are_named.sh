# shellcheck shell=bash
# Prompts that cannot be sampled are named before anything is computed, also by a dry run; the last
# line of a run says how many rows failed and why; asking for such a row alone is a failure.
printf 'a cat\n\n\377 broken\n\n' >prompts.txt
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$SOURCE/tests/data/tiny_t5",
 "prompts": "prompts.txt", "resolution": "0.06M", "group_size": 2, "drafters": [0], "threads": 2,
 "paths": "full", "samples": 2}
JSON

# run NAME ARGUMENT...: what skv says goes to NAME.out and NAME.err; its exit status is printed
run() {
    local status=0

    "$SKV" "${@:2}" >"$1.out" 2>"$1.err" || status=$?
    echo "$1: status $status"
    tail -n 1 "$1.err"
}

run dry sample --config job.json --dry-run
grep '^warning: prompts' dry.err
sed -nE '/cannot be sampled/,/^# memory/p' dry.out
run sample sample --config job.json --out run
grep '^warning: prompts' sample.err
run gather gather run
run only sample --config job.json --out run --only 00001-1
printf '\377\n' >prompts.txt
run all_bad sample --config job.json --dry-run
