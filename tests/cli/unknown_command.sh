# shellcheck shell=bash
# The nearest command is named.
"$SKV" smaple --config nowhere.json
