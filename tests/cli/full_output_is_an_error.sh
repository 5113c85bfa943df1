# shellcheck shell=bash
# Results that cannot be written to standard output are an error with a sentence.
status=0
"$SKV" inspect "$DATA/run_v1" >/dev/full || status=$?
echo "status $status"
