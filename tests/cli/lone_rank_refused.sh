# shellcheck shell=bash
# srun without PMIx starts programs that do not find each other; each would write the same files.
status=0
SLURM_STEP_NUM_TASKS=2 "$SKV" sample --config "$SOURCE/configs/tiny.json" --out run || status=$?
test ! -e run
exit $status
