# shellcheck shell=bash
# A step of SLURM of which only half is known: its ranks would each write the same files.
status=0
SLURM_STEP_NUM_TASKS=2 "$SKV" sample --config "$SOURCE/configs/tiny.json" --out run || status=$?
test ! -e run
exit $status
