# shellcheck shell=bash
# calibrate measures at an oblong ratio and names the percents that the schedule cannot hold; sample
# takes the budget file as it is, at this ratio alone, and the orders for HeatKV and HACK. A row that fails costs no more than itself.
printf 'a cat\n\377\376 broken\na red house\na dog on a hill\n' >prompts.txt
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$SOURCE/tests/data/tiny_t5",
 "prompts": "prompts.txt", "resolution": "0.06M", "ratio": 1.333, "group_size": 2, "threads": 2,
 "out": "run", "paths": "scalekv-10"}
JSON
status=0
"$SKV" calibrate --config job.json --out cal --percent 4,10,20,100 --drafter-rule count \
    --drafter-count 3 2>/dev/null >out || status=$?
grep -v stability out | sed 's/pairs; .*/pairs/'
echo "stability: $(grep -c 'overlap .* over 200 resamples of 3 prompts .*; uncond' out), status $status"
ls cal
grep -o '"ratio": 1.333[0-9]*' cal/budget-10.json

echo "--- sample"
"$SKV" sample --config job.json --budget-file cal/budget-10.json 2>/dev/null |
    grep -c '^scalekv-10 '
"$SKV" sample --config job.json --budget-file cal/budget-10.json --ratio 1 --out square || echo "status $?"
"$SKV" sample --config job.json --out heat --paths heatkv-20 --orders cal/orders.json 2>/dev/null |
    grep -c '^heatkv-20 '
"$SKV" sample --config job.json --out heads --paths hack-20 --orders cal/heads.json 2>/dev/null |
    grep -c '^hack-20 '

echo "--- without guidance, all queries, compared with the first"
printf 'a cat\n' >prompts.txt
"$SKV" calibrate --config job.json --out plain --percent 10,40 --cfg 1 --queries 0 \
    --compare cal/calibration.h5 2>/dev/null |
    sed -n 's/.*\(over 200 .*\) (.*;.*/\1/p; s/overlap [01]\.[0-9]* with/overlap with/p'
