# shellcheck shell=bash
# --max-hours ends a run in time, with status 75; the same command without it goes on, since the hours
# are no part of what the run is.
for i in {1..100}; do
    echo "picture $i"
done >prompts.txt
sample=(sample --transformer formula:tiny_f16 --vae formula:tiny_f16 --t5 "$DATA/tiny_t5"
    --resolution 0.06M --drafters 0 --paths full --store bits --threads 1 --group-size 2 --prompts prompts.txt --out run)
code=0
"$SKV" "${sample[@]}" --max-hours 0.0007 >/dev/null 2>log || code=$?
echo "status $code"
grep -o 'stopped by --max-hours: [0-9]* of 50 groups [a-z]* done' log | sed 's/: .*/, and it says so/'
find run -maxdepth 1 -name 'run.h5' -o -maxdepth 1 -name '.stop-*'
"$SKV" "${sample[@]}" --no-gather >/dev/null 2>log
grep -o 'skv gather run makes run.h5' log
"$SKV" gather run
