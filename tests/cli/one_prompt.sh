# shellcheck shell=bash
# --prompt makes one picture to look at, without a list; it goes before a config's list, and the same
# command goes on.
printf 'a cat\na dog\n' >prompts.txt
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$SOURCE/tests/data/tiny_t5",
 "prompts": "prompts.txt", "resolution": "0.06M", "threads": 2, "device": "cpu",
 "paths": "full"}
JSON
"$SKV" sample --config job.json --prompt "a red fox, on a hill" --out run >/dev/null 2>&1
find run/images -name '*.png' | sort
"$SKV" sample --config job.json --prompt "a red fox, on a hill" --out run 2>/dev/null | head -n 1 | cut -c1-4
"$SKV" sample --config job.json --prompt "a dog" --out run || echo "status $?"
"$SKV" sample --config job.json --prompt "$(printf 'a\nb')" --out other || echo "status $?"
"$SKV" sample --config job.json --prompt " " --out other || echo "status $?"
"$SKV" sample --config job.json --prompt "$(printf '\377')" --out other || echo "status $?"
"$SKV" sample --transformer formula:tiny_f16 --out other || echo "status $?"
"$SKV" sample --config job.json --prompt "a dog" --prompts prompts.txt --out other || echo "status $?"
sed 's/"prompts": /"prompt": "a fox", &/' job.json >both.json
"$SKV" sample --config both.json --out other || echo "status $?"
sed 's/"prompts": "prompts.txt"/"prompt": "a fox"/' job.json >one.json
"$SKV" sample --config one.json --prompts prompts.txt --dry-run | grep rows
test ! -e other
