# shellcheck shell=bash
# The nearest option is named, and nothing was begun.
status=0
"$SKV" sample --out run --resolutoin 1M || status=$?
test ! -e run
exit $status
