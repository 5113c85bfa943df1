# shellcheck shell=bash
# The short form of a long run: neither memory nor descriptors grow from group to group.
"$SOURCE/tests/bench/flat_memory.sh" "$SKV" "$SOURCE" 160 >out || cat out
cut -d: -f1 out
