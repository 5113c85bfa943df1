# shellcheck shell=bash
# What is wrong with calibrate's options is said in one sentence, with status 2, before anything is
# computed.
printf 'a cat\n' >prompts.txt
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$SOURCE/tests/data/tiny_t5",
 "prompts": "prompts.txt", "resolution": "0.06M", "threads": 2, "drafters": [0]}
JSON
try() {
    local status=0

    "$SKV" calibrate --config job.json "$@" 2>said || status=$?
    grep -v '^#' said >&2 # the plan
    echo "status $status"
}
try
try --out cal --top 0
try --out cal --top 16,64,16
try --out cal --percent 0
try --out cal --percent 10,10
try --out cal --queries 1000
try --out cal --drafter-rule count
try --out cal --drafter-count 2
try --out cal --drafter-rule best
try --out cal --rows uncond --cfg 1
try --out cal --expect released
try --out cal --compare prompts.txt
try --out cal --compare "$DATA/policies.h5"
try --out cal --compare none.h5
try --out cal --paths full
try --out cal --ratio 7
mkdir run
echo '{}' >run/run.json
try --out run
try --out prompts.txt
test ! -e cal
