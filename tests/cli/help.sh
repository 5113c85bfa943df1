# shellcheck shell=bash
# Help lists the commands, each command's help has its usage first, and no help joins other ranks:
# the promise of two ranks would otherwise be refused.
export SLURM_STEP_NUM_TASKS=2
"$SKV" --help >all
sed -n 1p all
commands=$(sed -nE 's/^  ([a-z]+) .*/\1/p' all)
test -n "$commands"
for command in $commands; do
    "$SKV" "$command" --help >one
    grep -q "^usage: skv $command " one
    grep -qE '^  --(\[no-\])?[a-z]' one
done
