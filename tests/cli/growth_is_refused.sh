# shellcheck shell=bash
# What is no growth at the end is refused, with the first line that differs, and nothing is written.
printf '%s\n' 'a cat' 'a dog' 'a house' >three.txt
sed 's/a dog/a dog with a hat that has so many feathers that nobody would want to read all of it/' \
    three.txt >changed.txt
head -n 2 three.txt >fewer.txt
{ cat three.txt; echo 'a bird'; } >four.txt
job=(--config "$SOURCE/configs/tiny.json" --resolution 0.06M --threads 1 --paths full --group-size 2)
begin() { "$SKV" sample "${job[@]}" --store bits "$@" >/dev/null 2>&1; }
refused() {
    local before code=0
    before=$(find run -type f ! -path run/log/\* -exec md5sum {} + | sort)
    "$SKV" sample "${job[@]}" --store bits --out run "$@" >/dev/null 2>out || code=$?
    grep '^error: ' out
    test "$before" = "$(find run -type f ! -path run/log/\* -exec md5sum {} + | sort)" ||
        echo "something was written"
    test "$code" = 2 || echo "status $code"
}
begin --prompts three.txt --out run
refused --prompts changed.txt
refused --prompts fewer.txt
echo '{"prompt": "a cat", "seed": 7}' >seeded.jsonl
refused --prompts seeded.jsonl
{ cat three.txt; printf 'x\n%.0s' {1..99998}; } >long.txt
refused --prompts long.txt
refused --prompts four.txt --samples 2 --seed-rule prompt
mv run/rows.h5 rows.h5
refused --prompts four.txt
mv rows.h5 run/rows.h5
echo "-- another job is at work"
mkdir -p run/claims
printf 'process 5 on host node3\n' >run/claims/0123456789ab-5-99.alive
printf '0123456789ab-5-99\n' >run/claims/job050
refused --prompts four.txt
begin --prompts three.txt --out run || echo "the run as it is cannot be worked on"
rm -rf run/claims
begin --prompts four.txt --samples 2 --out run
refused --prompts four.txt
rm -r run
begin --prompts three.txt --seed-rule run --out run
refused --prompts four.txt --seed-rule run --samples 2
rm -r run
printf '{"id": "a-1", "prompt": "x"}\n{"id": "a", "prompt": "y"}\n' >twins.jsonl
begin --prompts twins.jsonl --out run
refused --prompts twins.jsonl --samples 2
rm -r run
begin --prompts three.txt --out run
sed -i '/"segments"/,/\]/d; s/"samples": 1/"samples": 3/' run/run.json
refused --prompts three.txt --samples 3
