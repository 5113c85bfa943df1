# shellcheck shell=bash
# PNGs are derived: what is missing, empty, cut, another file or none is remade, from pictures or
# from bits, and
# equal; decode too.
printf 'a cat\na dog\na bird\n' >prompts.txt
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$SOURCE/tests/data/tiny_t5",
 "prompts": "prompts.txt", "resolution": "0.06M", "group_size": 2, "drafters": [0], "threads": 2,
 "paths": "full,scalekv-10"}
JSON
"$SKV" sample --config job.json --out run >/dev/null 2>&1
cp -r run/images first
rm run/images/full/00001.png
: >run/images/full/00002.png
ln -sf /dev/null run/images/scalekv-10/00000.png
"$SKV" sample --config job.json --out run >/dev/null 2>&1
diff -r first run/images
truncate -s -12 run/images/full/00000.png
head -c "$(stat -c %s first/full/00001.png)" /dev/zero >run/images/full/00001.png
printf 'version https://git-lfs.github.com/spec/v1\n' >run/images/scalekv-10/00001.png
"$SKV" sample --config job.json --out run >/dev/null 2>&1
diff -r first run/images
"$SKV" sample --config job.json --out lean --store bits,png >/dev/null 2>&1
rm lean/images/scalekv-10/00002.png
"$SKV" sample --config job.json --out lean --store bits,png >/dev/null 2>&1
diff -r first lean/images
"$SKV" decode run --out again --device cpu
diff -r first again/images
