# shellcheck shell=bash
# No command at all is a mistake: the list goes to standard error.
"$SKV"
