# shellcheck shell=bash
# A signal that comes before anything is done is heard by every command that can be stopped: status
# 75, and what was there stays. Python sends it before the program starts: blocked, so it waits.
printf 'a cat\na dog\n' >prompts.txt
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$SOURCE/tests/data/tiny_t5",
 "prompts": "prompts.txt", "resolution": "0.06M", "group_size": 2, "drafters": [0], "threads": 2,
 "paths": "full,scalekv-10"}
JSON
stopped() {
    local code=0

    python3 - "$@" <<'PY' || code=$?
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
os.kill(os.getpid(), signal.SIGUSR1)
os.execv(sys.argv[1], sys.argv[1:])
PY
    echo "${2##*/}: status $code"
}
stopped "$SKV" sample --config job.json --out run
ls
"$SKV" sample --config job.json --out run >/dev/null 2>&1
"$SKV" eval run --networks none --report=false >/dev/null
cp run/run.h5 run/metrics.h5 .
stopped "$SKV" gather run
stopped "$SKV" eval run --networks none --report=false
cmp run.h5 run/run.h5
cmp metrics.h5 run/metrics.h5
find run -name '*.tmp'
