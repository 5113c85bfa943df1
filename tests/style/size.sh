#!/usr/bin/env bash
# Files to 700 lines, functions to 120, lines to 100 columns.
# shellcheck source=tests/style/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

bad=$(
    mapfile -t files < <(sources src kernels mpi eval tests; web eval)
    # a function runs from a brace in the first column, or a line that begins with "function", to
    # the next closing brace there
    awk '
        FNR == 1 { start = 0 }
        /^(\{|function )/ { start = FNR }
        /^\}/ {
            if (start && FNR - start + 1 > 120)
                printf "%s:%d: function of %d lines\n", FILENAME, start, FNR - start + 1
            start = 0
        }
        FNR == 701 { printf "%s:700: file of more than 700 lines\n", FILENAME }' "${files[@]}"
    # by grep: it counts characters, some awks count bytes
    grep -HnE '^.{101,}' "${files[@]}" | sed -E 's|^([^:]*:[0-9]+):.*|\1: longer than 100 columns|' ||
        true
)
[ -z "$bad" ] || echo "$bad"
verdict "$(printf '%s' "$bad" | grep -c '' || true)" "sizes"
