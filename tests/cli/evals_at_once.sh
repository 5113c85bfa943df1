# shellcheck shell=bash
# Two evaluations of one run at once lose nothing of each other; one whose run was replaced meanwhile
# writes nothing; one that writes delays another, but no gather.
printf 'a cat\na dog\n' >prompts.txt
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$DATA/tiny_t5",
 "prompts": "prompts.txt", "resolution": "0.06M", "group_size": 1, "drafters": [0], "threads": 2,
 "paths": "full,scalekv-10,snapkv-10"}
JSON
other=0123456789ab-7-9
# The claim of a process on another host, whose heart beats now.
hold() {
    mkdir -p run/claims
    echo 'process 7 on another host' >"run/claims/$other.alive"
    echo "$other" >run/claims/metrics
}
release() {
    rm run/claims/metrics
}
# until_waiting LOG: that the program says so, or 60 s
until_waiting() {
    for _ in {1..600}; do
        ! grep -qs waiting "$1" || return 0
        sleep 0.1
    done
    echo "$1: it does not wait"
}
"$SKV" sample --config job.json --out run >/dev/null 2>&1

hold
"$SKV" eval run --networks none --paths scalekv-10 >/dev/null 2>first &
first=$!
"$SKV" eval run --networks none --paths snapkv-10 >/dev/null 2>second &
second=$!
until_waiting first
until_waiting second
"$SKV" gather run
release
wait "$first"
wait "$second"
grep -oE '"(scalekv|snapkv)-10"' run/metrics.json | sort -u

# The seed is another's, so the run has other pictures when the evaluation wakes.
"$SKV" sample --config job.json --out other --seed 5 >/dev/null 2>&1
cp run/metrics.json before.json
hold
"$SKV" eval run --networks none >/dev/null 2>third &
third=$!
until_waiting third
cp other/run.h5 run/run.h5.new
mv run/run.h5.new run/run.h5
release
code=0
wait "$third" || code=$?
echo "status $code"
sed -nE 's/^(error|warning): //p' third
cmp before.json run/metrics.json
