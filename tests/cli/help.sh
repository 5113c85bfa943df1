# shellcheck shell=bash
# Help lists the commands, each command's help has its usage first, and no help joins other ranks:
# the promise of two ranks would otherwise be refused.
export SLURM_STEP_NUM_TASKS=2
"$SKV" --help >all
sed -n 1p all
awk 'length > 80' all
commands=$(sed -nE 's/^  ([a-z]+) .*/\1/p' all)
test -n "$commands"
for command in $commands; do
    "$SKV" "$command" --help >one
    grep -q "^usage: skv $command " one
    grep -qE '^  --(\[no-\])?[a-z]' one
    # as wide as a terminal: texts are wrapped, and none is cut
    awk -v c="$command" '/^ {28}[^ ]/ && length > 80 { print c ": " $0 }' one
    test "$command" != sample || grep -A 2 -e '--prompts' one
done
