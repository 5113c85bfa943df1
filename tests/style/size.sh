#!/usr/bin/env bash
# Files to 700 lines, functions to 120, lines to 100 columns.
# shellcheck source=tests/style/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

bad=$(
    sources src kernels mpi eval tests | while IFS= read -r file; do
        # a function runs from a brace in the first column to the next closing one
        awk -v file="$file" '
            /^\{/ { start = FNR }
            /^\}/ {
                if (start && FNR - start + 1 > 120)
                    printf "%s:%d: function of %d lines\n", file, start, FNR - start + 1
                start = 0
            }
            END { if (FNR > 700) printf "%s:700: file of %d lines\n", file, FNR }' "$file"
        grep -nE '^.{101,}' "$file" | sed -E "s|^([0-9]+):.*|${file}:\\1: longer than 100 columns|" ||
            true
    done
)
[ -z "$bad" ] || echo "$bad"
verdict "$(printf '%s' "$bad" | grep -c '' || true)" "sizes"
