# shellcheck shell=bash
# Damage behind a group file's first block is met at the end, by sample and by gather alike: all such
# files are set aside, status 75, and the same sample command computes them again. What is not a file in
# a group's place is computed again at once.
printf 'a cat\na dog\na bird\n' >prompts.txt
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$SOURCE/tests/data/tiny_t5",
 "prompts": "prompts.txt", "resolution": "0.06M", "group_size": 2, "drafters": [0], "threads": 2,
 "paths": "full,scalekv-10", "store": "bits"}
JSON

sample() {
    local status=0

    "$SKV" sample --config job.json --out run >/dev/null 2>log || status=$?
    echo "sample $status"
}

damage() {
    for file; do
        printf '\377\0\377' | dd of="$file" bs=1 seek=9000 conv=notrunc status=none
    done
}

sample
cp run/run.h5 right.h5
damage run/groups/full/000001.h5 run/groups/scalekv-10/000000.h5
sample
grep -c 'warning: .*000000.h5.*set aside' log
grep -o '2 of 4 groups are damaged.*' log
(cd run/groups && echo */*.damaged)
status=0
"$SKV" gather run || status=$?
echo "gather $status"
sample
damage run/groups/full/000000.h5
status=0
"$SKV" gather run || status=$?
echo "gather $status"
rm run/groups/full/000001.h5 run/groups/scalekv-10/000001.h5
mkdir run/groups/full/000001.h5
mkfifo run/groups/scalekv-10/000001.h5
sample
# one byte, from the first block to the file's end
file=run/groups/full/000001.h5
size=$(stat -c %s "$file")
for place in 0 20 700 2047 2048 2060 3000 middle last; do
    case $place in
        middle) at=$((size / 2)) ;;
        last) at=$((size - 1)) ;;
        *) at=$place ;;
    esac
    /usr/bin/python3 -c 'import sys
f = open(sys.argv[1], "r+b")
f.seek(int(sys.argv[2]))
byte = f.read(1)[0]
f.seek(int(sys.argv[2]))
f.write(bytes([byte ^ 64]))' "$file" "$at"
    echo "byte $place"
    sample
    if grep -q 'set aside' log; then sample; fi
    [ -e "$file" ] && [ ! -e "$file.damaged" ] || echo "not computed again"
done
/usr/bin/python3 - <<'PYTHON'
import h5py

right, again = h5py.File("right.h5"), h5py.File("run/run.h5")


def compare(name, there):
    if isinstance(there, h5py.Dataset) and not name.endswith("seconds"):
        assert (again[name][()] == there[()]).all(), name


right.visititems(compare)
PYTHON
