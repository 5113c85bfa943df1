# shellcheck shell=bash
# A clone without `git lfs pull` has a short text in place of each large file: whichever option names
# such a file, it is called that.
printf 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n' >pointer
echo 'a cat' >list.txt
for name in w.safetensors w.pth w.json w.h5 w.png list.jsonl; do
    cp pointer "$name"
done
# said COMMAND...: that it fails, and whether it says so
said() {
    "$SKV" "$@" >out 2>&1 && echo "no failure: $*"
    grep -c 'is a Git LFS pointer, not the file itself' out
}
# sample OPTION FILE
sample() {
    printf '%s %s: ' "$1" "$2"
    said sample --transformer formula:tiny_f16 --vae formula:tiny_f16 --t5 "$DATA/tiny_t5" --threads 1 \
        --resolution 0.06M --drafters 0 --paths full,scalekv-10 --prompts list.txt --out run "$1" "$2"
}
for option in --config --rewrite-cache --budget-file; do
    sample "$option" w.json
done
sample --text-cache w.h5
sample --prompts list.jsonl
sample --prompts pointer
for option in --transformer --vae; do
    sample "$option" w.safetensors
    sample "$option" w.pth
done
for file in config.json spiece.model model.safetensors.index.json model-00001-of-00002.safetensors; do
    rm -rf t5
    cp -r "$DATA/tiny_t5" t5
    cp pointer "t5/$file"
    printf '%s ' "$file"
    sample --t5 t5
done
mkdir pictures finished
cp w.png pictures/0000.png
cp w.h5 finished/run.h5
said eval pictures pictures --networks none --out out.d
said eval finished
said inspect w.pth
said check pictures --layout coco --count 1
said verify --transformer formula:tiny_f16 --vae formula:tiny_f16 --against w.h5
# other things that servers and programs leave in a file's place
printf '{ "detail" : "Not found"}' >0.pth
printf 'no such bucket\n' >1.pth
/usr/bin/python3 -c 'import pickle; pickle.dump({"a": [0] * 9}, open("2.pth", "wb"))'
for i in 0 1 2; do
    "$SKV" inspect $i.pth 2>&1 || [ $? = 1 ]
done
