# shellcheck shell=bash
# What is no plain dataset where run.h5 should have one is an error of every command that reads it,
# and so is a path whose name could not be a folder's.
printf 'a cat\na dog\n' >prompts.txt
"$SKV" sample --transformer formula:tiny_f16 --vae formula:tiny_f16 --t5 "$DATA/tiny_t5" \
    --resolution 0.06M --drafters 0 --paths full,scalekv-10 --threads 2 --prompts prompts.txt \
    --out run >/dev/null 2>&1
cp run/run.h5 right.h5

# spoil WHAT: run.h5 with another thing at the place of the second path's pictures, bits, or itself
spoil() {
    cp right.h5 run/run.h5
    /usr/bin/python3 - "$1" <<'PY'
import sys, h5py
with h5py.File("run/run.h5", "r+") as f:
    path = f["paths/scalekv-10"]
    if sys.argv[1] == "soft":
        del path["image"]
        path["image"] = h5py.SoftLink("/paths/full/image")
    elif sys.argv[1] == "dangling":
        del path["image"]
        path["image"] = h5py.SoftLink("/nowhere")
    elif sys.argv[1] == "external":
        del path["bits"]
        path["bits"] = h5py.ExternalLink("/etc/passwd", "/paths/full/bits")
    elif sys.argv[1] == "group":
        del path["image"]
        path.create_group("image")
    else:
        f.move("paths/scalekv-10", "paths/" + sys.argv[1])
PY
}

for what in soft dangling external group Upper two_words; do
    spoil "$what"
    for command in "eval run --networks none" "export run --layout coco --path full --out out"; do
        status=0
        # shellcheck disable=SC2086 # words of a command
        "$SKV" $command >/dev/null 2>err || status=$?
        echo "$what, ${command%% *}: $status $(sed 's/^error: //' err)"
    done
done
