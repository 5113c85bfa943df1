# shellcheck shell=bash
# Any two folders of pictures: paired by name, identical pictures counted, a picture of one side
# named (status 3), and a path of a run against its own PNGs of another path as eval RUN has it.
# Endings count in any case, folders in folders, JPEGs; pictures that are not read are named.
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
mkdir -p tree/a/b other/a/b tree/.hidden
cp run/images/full/00000.png tree/a/b/x.PNG
cp run/images/full/00000.png other/a/b/x.png
cp "$DATA/fuzz/picture/grey.jpg" tree/y.JPG
cp "$DATA/fuzz/picture/grey.jpg" other/y.jpeg
cp "$DATA/fuzz/picture/grey.jpg" tree/j.jpe
cp "$DATA/fuzz/picture/grey.jpg" other/j.jpg
cp run/images/full/00000.png tree/.hidden/z.png
touch tree/notes.txt
"$SKV" eval tree other --networks none | awk 'NR == 3 {print "identical in trees:", $NF}'
touch tree/w.Bmp tree/w.tif
ln -s a tree/link
tree=0
"$SKV" eval tree other --networks none >table || tree=$?
echo "a picture that is not read: status $tree"
cp tree/y.JPG $'tree/\xff.jpg'
"$SKV" eval tree other --networks none 2>&1 >/dev/null | grep '^error'
exit $status
