#!/usr/bin/env bash
# clang-tidy 14 finds nothing in the C files of the product; .clang-tidy says what it looks for.
# tidy.sh BUILD: the folder of a build with compile_commands.json. CUDA files: clang 14 cannot read
# CUDA 13's headers.
# shellcheck source=tests/style/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

tool=clang-tidy-14
if ! command -v $tool >/dev/null; then
    echo "no $tool here"
    exit 77
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# only what this build compiles: the others have no command line
sources src kernels mpi eval | grep '\.c$' |
    while IFS= read -r file; do
        ! grep -qF "$PWD/$file\"" "$1/compile_commands.json" || echo "$file"
    done |
    xargs -d '\n' -n 4 -P "$(nproc)" $tool -p "$1" --quiet >"$log" 2>/dev/null || true
grep -E '(warning|error):' "$log" | sed "s|^$PWD/||" | sort -u || true
verdict "$(grep -cE '(warning|error):' "$log" || true)" "clang-tidy"
