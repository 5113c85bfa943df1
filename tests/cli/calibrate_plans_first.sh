# shellcheck shell=bash
# calibrate --dry-run prints the plan, which has the figures that a group leaves on the device, and
# touches nothing; what it says fits, and a byte less is refused, with the group that would do.
# --text-cache gives the same calibration without T5 in memory, from a file that sample takes, too.
printf 'a cat\na red house\na dog on a hill\n' >prompts.txt
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$DATA/tiny_t5",
 "prompts": "prompts.txt", "resolution": "0.06M", "group_size": 2, "threads": 2, "drafters": [0]}
JSON
calibrate() {
    "$SKV" calibrate --config job.json --percent 20 "$@"
}
calibrate --dry-run >plan 2>log
sed 's/rank 0 of 1, .*/rank 0 of 1/; s/[0-9]* *[0-9.]* MiB$/... MiB/' plan
ls
bytes() {
    awk -v what="$1" 'index($0, what) {print $(NF - 2)}' plan
}
# two prompts, two rows each: 7 scales, 4 layers, 4 heads, 7 + 2·4 + 2 columns; a column of 521 keys
echo "figures: $(bytes 'figures of a group')"
all=$(bytes '  all ')
calibrate --out none --memory-limit $((all - 1)) 2>&1 | grep -o 'error: .*' | sed "s/$((all - 1))/LESS/; s/$all/ALL/"
test ! -e none
calibrate --out plain --memory-limit "$all" >/dev/null 2>&1 || echo "status $?"

echo "--- texts from a file"
calibrate --out apart --text-cache texts.h5 >/dev/null 2>&1 || echo "status $?"
for name in calibration.h5 budget-20.json orders.json heads.json; do
    cmp plain/$name apart/$name
done
calibrate --dry-run --text-cache texts.h5 2>&1 | grep -o 'texts.h5 has all texts.*'
"$SKV" sample --config job.json --paths full --dry-run --text-cache texts.h5 2>&1 | grep -o 'texts.h5 has all texts.*'
