# shellcheck shell=bash
# decode tries every group that run.json counts: a missing one in the middle and a damaged one are
# named, all others are decoded, and the status says that it was not all. Names that would lead out
# of the folder are refused before anything is made.
printf 'a cat\na dog\na bird\n' >prompts.txt
"$SKV" sample --transformer formula:tiny_f16 --vae formula:tiny_f16 --t5 "$DATA/tiny_t5" \
    --resolution 0.06M --drafters 0 --group-size 1 --paths full --threads 2 --prompts prompts.txt \
    --out run >/dev/null 2>&1
mkdir -p held/images
cp -r run/images/full held/images
rm held/images/full/00001.png held/images/full/00000.png
mv run/groups/full/000001.h5 whole.h5
printf 'X' | dd of=run/groups/full/000000.h5 bs=1 seek=9000 conv=notrunc status=none
code=0
"$SKV" decode run --out again --device cpu || code=$?
echo "status $code"
diff -r held/images again/images
code=0
"$SKV" decode run --out again --device cpu --only 00002 || code=$?
echo "status $code"

sed -i 's|"full": {|"../../../evil": {|' run/run.json
code=0
"$SKV" decode run --out a/b/c/d --device cpu || code=$?
echo "status $code"
[ ! -e a ] || find a
