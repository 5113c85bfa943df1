# shellcheck shell=bash
# Any two folders of PNGs: paired by name, identical pictures counted, a picture of one side named
# (status 3), and a path of a run against its own PNGs of another path as eval RUN has it.
printf 'a cat\na dog\na bird\n' >prompts.txt
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$SOURCE/tests/data/tiny_t5",
 "prompts": "prompts.txt", "resolution": "0.06M", "group_size": 3, "drafters": [0], "threads": 2,
 "paths": "full,scalekv-10"}
JSON
"$SKV" sample --config job.json --out run >/dev/null 2>&1
# numbers depend on the CPU's kernels; those of both ways are the same
"$SKV" eval run --networks formula | cut -c25-90 >of_run
"$SKV" eval run/images/full run/images/scalekv-10 --networks formula --out metrics | cut -c25-90 >of_folders
cmp of_run of_folders
awk 'NR == 3 {print NF, "numbers"}' of_folders
ls metrics
cp -r run/images/scalekv-10 mixed
cp run/images/full/00001.png mixed/
cp run/images/full/00001.png mixed/other.png
status=0
"$SKV" eval run/images/full mixed --networks none >table || status=$?
awk 'NR == 3 {print "identical:", $NF}' table
exit $status
