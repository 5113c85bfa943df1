# shellcheck shell=bash
# DPG's pictures: four samples two by two, cut as its evaluator cuts them; the command line names the
# side of one sample. A wrong one does not find the run's samples.
command -v python3 >/dev/null || exit 77
mkdir prompts
printf 'A tall lighthouse.\n' >prompts/partiprompts0.txt
printf 'Two red apples on a table.' >prompts/159.txt
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$SOURCE/tests/data/tiny_t5",
 "prompts": "prompts", "resolution": "0.06M", "group_size": 4, "threads": 2, "samples": 4}
JSON
"$SKV" sample --config job.json --out run >/dev/null 2>&1
"$SKV" export run --layout dpg --path full --out "dpg full"
ls "dpg full"
python3 "$SOURCE/tests/cli/read_layouts.py" dpg "dpg full" 256 run/images/full
if python3 "$SOURCE/tests/cli/read_layouts.py" dpg "dpg full" 128 run/images/full 2>/dev/null; then
    exit 1
fi
"$SKV" check "dpg full" --layout dpg --prompts prompts | sed "s|$PWD|HERE|"
