# shellcheck shell=bash
# Results that are not of the run, cut, mixed or not results at all: one sentence, nothing written.
R=$DATA/scores
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$SOURCE/tests/data/tiny_t5",
 "prompts": "$R/prompts.jsonl", "resolution": "0.06M", "group_size": 12, "drafters": [0],
 "threads": 2, "samples": 4, "paths": "full,scalekv-10", "store": "bits"}
JSON
"$SKV" sample --config job.json --out run >/dev/null 2>&1

try() {
    local status=0
    "$SKV" scores run "$@" || status=$?
    echo "status $status"
}
# change FILE SED...: results/FILE with an edit
mkdir results
change() {
    local file=$1
    shift
    sed "$@" "$R/$file" >"results/$file"
}
try
try --geneval none.jsonl
try --geneval "other=$R/geneval_full.jsonl"
try --geneval "$R/geneval_full.jsonl,full=$R/geneval_scalekv-10.jsonl"
printf '<!DOCTYPE html>\n<html></html>\n' >page.jsonl
try --geneval page.jsonl
: >empty.jsonl
try --geneval empty.jsonl
head -c 2000 "$R/geneval_full.jsonl" >cut.jsonl
try --geneval cut.jsonl
change geneval_full.jsonl '1s|/00003.png|/00009.png|'
try --geneval results/geneval_full.jsonl
change geneval_full.jsonl 2p
try --geneval results/geneval_full.jsonl
change geneval_full.jsonl '3s|/full|/scalekv-10|'
try --geneval results/geneval_full.jsonl
change geneval_full.jsonl 's|/full|/pictures|'
try --geneval results/geneval_full.jsonl
change geneval_full.jsonl '1s|"prompt":"a photo|"prompt":"an image|'
try --geneval results/geneval_full.jsonl
change geneval_full.jsonl '1s|"correct":false|"correct":"no"|'
try --geneval results/geneval_full.jsonl
head -c 3000000 /dev/zero | tr '\0' '[' >long.jsonl # one line
try --geneval long.jsonl

change dpg_full.txt 1,2d
try --dpg results/dpg_full.txt
change dpg_full.txt '/^DPG/d'
try --dpg results/dpg_full.txt
change dpg_full.txt 1d
try --dpg results/dpg_full.txt
change dpg_full.txt 1p
try --dpg results/dpg_full.txt
change dpg_full.txt 's/^\(.*png, [0-9.]*\), .*/\1, 1.0/'
try --dpg results/dpg_full.txt
change dpg_full.txt '1s/0.8125/0.25/'
try --dpg results/dpg_full.txt
change dpg_full.txt '5s/100.0/1e999/'
try --dpg results/dpg_full.txt
cat "$R/dpg_full.txt" "$R/dpg_full.txt" >twice.txt
try --dpg twice.txt
try --dpg "$R/geneval_full.jsonl"

cp "$R/full.scores.json" results/mine.json
try --geneval2 results/mine.json
echo '[[1], [1], [1]]' >full.json
try --geneval2 full.json
echo '[[0.5, 0.5, 0.5]]' >full.json
try --geneval2 full.json
echo '[[0.5, 0.5, 2], [1, 1, 1, 1], [1, 1, 1]]' >full.json
try --geneval2 full.json
printf 'a photo of a bench\na cat\na dog\n' >list.txt
try --geneval2 "$R/full.scores.json" --prompts list.txt
ls run
