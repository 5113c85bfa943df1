# shellcheck shell=bash
# A run whose folders are divided by hundreds is resumed, gathered, decoded and compared like a flat
# one. (Only a run of more than 10,000 rows begins like that, so a flat one is made over.)
printf 'a cat\na dog\na bird\n' >prompts.txt
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$SOURCE/tests/data/tiny_t5",
 "prompts": "prompts.txt", "resolution": "0.06M", "group_size": 2, "drafters": [0], "threads": 2,
 "paths": "full,scalekv-10", "store": "bits,png"}
JSON
"$SKV" sample --config job.json --out flat >/dev/null 2>&1
cp -r flat run
for folder in run/groups/* run/images/*; do
    mkdir "$folder/0000"
    mv "$folder"/*.* "$folder/0000"
done
sed -i 's/\("groups"\|"images"\): false/\1: true/' run/run.json
rm -r run/run.h5 run/groups/full/0000/000001.h5 run/images/full/0000 run/images/scalekv-10/0000/00001.png
"$SKV" sample --config job.json --out run >/dev/null 2>&1
(cd run && find groups images -type f | sort)
for path in full scalekv-10; do
    diff -r flat/images/$path run/images/$path/0000
done
"$SKV" decode run --out again --device cpu
diff -r run/images again/images
"$SKV" inspect run/groups/full/0000/000001.h5 | grep -E '^(kind|group) '
"$SKV" eval run --networks none | awk '$1 == "scalekv-10" { print $1, "has pictures:", ($2 > 10) }'
printf 'X' | dd of=run/groups/full/0000/000000.h5 bs=1 seek=9000 conv=notrunc status=none
"$SKV" decode run --out third --device cpu 2>log || grep -c 'run/groups/full/0000/000000.h5: the file is damaged' log
