# shellcheck shell=bash
# What the evaluators of GenEval, DPG-Bench and GenEval 2 wrote (data/scores: their own scripts, with
# models that answer by a hash) becomes metrics.json and a page; an evaluation keeps it, and it goes
# when the pictures go. Only scores are read, so the run keeps bits alone.
R=$DATA/scores
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$SOURCE/tests/data/tiny_t5",
 "prompts": "$R/prompts.jsonl", "resolution": "0.06M", "group_size": 12, "drafters": [0],
 "threads": 2, "samples": 4, "paths": "full,scalekv-10", "store": "bits",
 "published": [{"path": "full", "geneval": 0.69, "dpg": 83.06},
               {"path": "full", "rewritten": true, "geneval": 0.73}]}
JSON
"$SKV" sample --config job.json --out run >/dev/null 2>&1

# the seconds are not the same twice
scores() {
    "$SKV" scores "$@" | sed -E 's/^([a-z0-9-]+ +[0-9.]+ +)[0-9]+\.[0-9]{3} /\1SECONDS /'
}
scores run --geneval "$R/geneval_full.jsonl" --no-report
[ -e run/report.html ] || echo "no report"
scores run --geneval "$R/geneval_scalekv-10.jsonl" --json copy.json
cmp run/metrics.json copy.json
grep -c '"evaluator": "geneval"' run/metrics.json
scores run --dpg "full=$R/dpg_scalekv-10.txt,scalekv-10=$R/dpg_full.txt"
scores run --geneval2 "$R/full.scores.json,$R/scalekv-10.scores.json"
grep -o '"evaluator":"[a-z0-9]*"' run/report.html | sort | uniq -c

# both keep what the other wrote
"$SKV" eval run --networks none >/dev/null
grep -cE '"evaluator": |"bits_equal_mean": ' run/metrics.json
cp run/metrics.json evaluated.json
scores run --geneval "$R/geneval_full.jsonl" >/dev/null
cmp run/metrics.json evaluated.json

# a part of the pictures: said, status 3
sed '/00001\\\/samples\\\/00002/d' "$R/geneval_full.jsonl" >part.jsonl
scores run --geneval part.jsonl
"$SKV" scores run --geneval part.jsonl >/dev/null 2>&1 || echo "status $?"

# scores of other pictures go
sed -i 's/"rows": 12/"rows": 11/' run/metrics.json
"$SKV" eval run --networks none >/dev/null
grep -c '"evaluator"' run/metrics.json || true
echo '{"scores": [' >run/metrics.json # of a disk that was full, say
scores run --geneval "$R/geneval_full.jsonl"
