# shellcheck shell=bash
# More prompts at the end of the list, then more samples: the same run continued. What is there stays
# as it is, and what is new is what a run of the whole would have.
for prompt in 'a a red cat' 'b a dog on grass' 'c a house' 'd two birds' 'e a blue car'; do
    printf '{"id": "%s", "prompt": "%s"}\n' "${prompt%% *}" "${prompt#* }"
done >five.jsonl
head -n 3 five.jsonl >three.jsonl
job=(--config "$SOURCE/configs/tiny.json" --resolution 0.06M --threads 1 --group-size 3
    --paths "full,scalekv-10" --seed-rule prompt)
sample() { "$SKV" sample "${job[@]}" "$@" >/dev/null 2>&1; }
files() { find run/groups run/images -type f -printf '%P %i %T@ ' -exec md5sum {} \; | sort; }
kept() { comm -23 "$1" <(files) | wc -l; }
sample --prompts three.jsonl --out run
files >first
sample --prompts five.jsonl --out run --no-gather
"$SKV" status run | head -n 1
sample --prompts five.jsonl --out run
echo "files of the first three that changed: $(kept first)"
files >second
sample --prompts five.jsonl --samples 2 --out run
echo "files of the first five that changed: $(kept second)"
sample --prompts five.jsonl --samples 2 --out whole
"$SKV" export run --layout unigen --samples 2 --path full --out exported
"$SKV" check exported --layout unigen | head -n 1
/usr/bin/python3 "$SOURCE/tests/cli/read_grown.py" run whole exported
"$SKV" status run
"$SKV" eval run --networks none >/dev/null
/usr/bin/python3 -c '
import h5py
print("metrics of rows:", h5py.File("run/metrics.h5")["metrics/scalekv-10/psnr"].shape)'
