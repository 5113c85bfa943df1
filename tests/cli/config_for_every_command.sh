# shellcheck shell=bash
# Every command takes --config. One file serves all of them: a command passes over what only others
# know, and refuses what nobody knows. PATH values are relative to the file.
mkdir conf
printf 'a cat\n' >conf/prompts.txt
cat >conf/job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$SOURCE/tests/data/tiny_t5",
 "prompts": "prompts.txt", "resolution": "0.06M", "group_size": 2, "drafters": [0], "threads": 2,
 "paths": "full,scalekv-10", "networks": "none", "layout": "coco", "samples": 1, "tensors": false,
 "iters": 1, "text_tokens": "4", "out": "run", "json": "summary.json"}
JSON
"$SKV" sample --config conf/job.json >/dev/null 2>&1
"$SKV" gather run --config conf/job.json
"$SKV" eval run --config conf/job.json --paths scalekv-10 2>/dev/null | grep -c '^scalekv-10 '
"$SKV" decode run --config conf/job.json --out again
"$SKV" export run --config conf/job.json --out folders --path full
find run -maxdepth 1 -name 'full*' -o -maxdepth 1 -name 'report.html' # "out" is the run, not eval's or export's
"$SKV" check folders --config=conf/job.json | sed -n 's/; .*//p'
"$SKV" inspect --config conf/job.json run | grep -c '^kind  *run'
"$SKV" bench --config conf/job.json | grep -c '^path scalekv-10, batch 1:'
"$SKV" calibrate --config conf/job.json --out cal --percent 10 2>/dev/null | tail -n 1
"$SKV" verify --config conf/job.json --against "$DATA/none.h5" && exit 1
for command in sample gather eval decode export check inspect bench verify calibrate; do
    echo '{"paths": "full", "laout": "coco"}' >wrong.json
    status=0
    "$SKV" "$command" --config wrong.json run || status=$?
    test $status -eq 2
done
: >empty.json
"$SKV" inspect --config empty.json run || test $? -eq 2
mpirun --oversubscribe -np 2 "$SKV" sample --transformer formula:tiny_f16 --vae formula:tiny_f16 \
    --t5 "$SOURCE/tests/data/tiny_t5" --resolution 0.06M --prompts conf/prompts.txt --dry-run |
    sed -n 's/^# \([0-9]* rows*\).*/no config on 2 ranks: \1/p'
mpirun --oversubscribe -np 2 "$SKV" eval --config conf/job.json --paths scalekv-10 run 2>/dev/null |
    grep -c '^scalekv-10 '
