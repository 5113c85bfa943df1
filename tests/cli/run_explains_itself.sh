# shellcheck shell=bash
# RUN/README.txt: ten lines that name what is in the folder; its last line reads run.h5. Once it is
# there it is the reader's: another start leaves it alone.
printf 'a cat\n' >prompts.txt
set -- --transformer formula:tiny_f16 --vae formula:tiny_f16 --t5 "$DATA/tiny_t5" --out run \
    --prompts prompts.txt --resolution 0.06M --drafters 0 --threads 1 --paths full,scalekv-10
"$SKV" sample "$@" >/dev/null 2>&1
"$SKV" eval run --networks none >/dev/null
wc -l <run/README.txt
for name in run/*; do
    grep -qw "${name#run/}" run/README.txt || test "$name" = run/README.txt || echo "not in it: $name"
done
(cd run && tail -n 1 README.txt | sed 's|^python3|/usr/bin/python3|' | bash)
echo 'a note' >>run/README.txt
"$SKV" sample "$@" >/dev/null 2>&1
tail -n 1 run/README.txt
