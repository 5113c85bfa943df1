# shellcheck shell=bash
# Prompts that would drive a terminal are shown, not sent: inspect of a group file and of run.json,
# for people and as JSON.
printf 'red \033[31m bell \a title \033]0;x\a csi \302\233 bidi \342\200\256 caf\303\251\n' >prompts.txt
"$SKV" sample --transformer formula:tiny_f16 --vae formula:tiny_f16 --t5 "$DATA/tiny_t5" \
    --resolution 0.06M --drafters 0 --group-size 1 --paths full --threads 2 --prompts prompts.txt \
    --out run >/dev/null 2>&1
"$SKV" inspect run/groups/full/000000.h5 >people
grep -o 'prompt .*' people
"$SKV" inspect --json - run/groups/full/000000.h5 >json
grep -o '"prompt": .*' json
python3 - run/run.json <<'PY'
import json, sys
r = json.load(open(sys.argv[1]))
r["common"]["evil\u001b[2J"] = "\u001b[2J\u009b"
json.dump(r, open(sys.argv[1], "w"))
PY
"$SKV" inspect run | grep -o 'evil.*'
if LC_ALL=C grep -q $'[\001-\011\013-\037\177]' people json; then echo "a control character"; fi
