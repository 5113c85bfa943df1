# shellcheck shell=bash
# An evaluation keeps what it does not compute: without networks, of some paths, from a folder where
# no weights are found. Weights are looked for in the current folder, then beside the program.
printf 'a cat\na dog\n' >prompts.txt
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$SOURCE/tests/data/tiny_t5",
 "prompts": "prompts.txt", "resolution": "0.06M", "group_size": 2, "drafters": [0], "threads": 2,
 "paths": "full,scalekv-10,streaming-20"}
JSON
"$SKV" sample --config job.json --out run >/dev/null 2>&1
"$SKV" eval run --networks formula --report=false >/dev/null
cp run/metrics.h5 run/metrics.json .
same() {
    cmp metrics.h5 run/metrics.h5
    cmp metrics.json run/metrics.json
}
touch -d '2 days ago' run/metrics.h5.0123456789ab-7-9.tmp # of one that was killed, on another host
"$SKV" eval run --networks none --report=false >/dev/null
same
find run -name '*.tmp'
"$SKV" eval run --networks none --report=false --paths streaming-20 >/dev/null
same
mkdir elsewhere
(cd elsewhere && "$SKV" eval ../run --report=false >/dev/null)
same

# numbers against another reference are others, and so are those of folders
"$SKV" eval run --networks none --report=false --reference scalekv-10 >/dev/null
"$SKV" eval run/images/full run/images/scalekv-10 --networks formula --out two >/dev/null
"$SKV" eval run/images/full run/images/scalekv-10 --networks none --out two >/dev/null

# which file is found first is told by what is wrong with it
file=pt_inception-2015-12-05-6726825d.pth
mkdir -p place/bin place/weights place/bin/weights weights
cp "$SKV" place/bin/skv
for folder in place/bin/weights place/weights weights; do
    echo "no weights" >"$folder/$file"
    place/bin/skv eval run || echo "$folder: status $?"
done
place/bin/skv eval run --inception run/run.h5 || echo "--inception: status $?"
