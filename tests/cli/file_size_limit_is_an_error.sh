# shellcheck shell=bash
# A limit on the size of files (ulimit -f) is an error of the write that meets it, with a sentence; it
# does not kill.
printf 'a cat\n' >prompts.txt
(
    ulimit -f 16 # KiB
    code=0
    "$SKV" sample --transformer formula:tiny_f16 --vae formula:tiny_f16 --t5 "$DATA/tiny_t5" \
        --resolution 0.06M --drafters 0 --paths full --threads 2 --prompts prompts.txt --out run \
        >/dev/null 2>log || code=$?
    echo "status $code"
)
grep -c 'error: .*: File too large' log
find run -name '*.tmp' -o -name '*.h5' -path '*groups*'
