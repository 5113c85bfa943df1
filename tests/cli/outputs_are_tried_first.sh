# shellcheck shell=bash
# A file of --json, --csv or --write-stats that cannot be written is said before work begins: nothing
# is made, and what was there stays. So does a file that is no JSON and was meant to be read.
job=(--config "$SOURCE/configs/tiny.json" --resolution 0.06M --threads 2)
"$SKV" sample "${job[@]}" --paths full --out run >/dev/null 2>&1

# refused COMMAND...: status 2
refused() {
    local status=0

    "$SKV" "$@" || status=$?
    test "$status" -eq 2 || echo "$1: status $status"
}
mkfifo pipe
find run -type f | sort >before
refused sample "${job[@]}" --paths full,scalekv-10 --out run --json none/x.json
refused sample "${job[@]}" --out new --json new/below/x.json
refused gather run --json none/x.json
refused export run --layout coco --out folders --json none/x.json
refused check run/images/full --layout coco --count 4 --json run
refused decode run --out again --json pipe
refused eval run --networks none --csv none/x.csv
refused eval run --networks formula --against run/images/full --write-stats none/x.npz
refused scores run --geneval none.jsonl --json none/x.json
refused recall run --json none/x.json
refused calibrate "${job[@]}" --out cal --json none/x.json
refused bench --json none/x.json
refused status run --json none/x.json
refused inspect run --json none/x.json
refused doctor --json none/x.json
echo weights >w.pth
refused inspect --json w.pth run
cat w.pth
find run -type f | sort | cmp - before
ls
# a folder that the command makes is none that is missing
"$SKV" export run --layout coco --out folders/ --json folders/list.json
python3 -c 'import json; print(len(json.load(open("folders/list.json"))))'
