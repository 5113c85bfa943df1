#!/usr/bin/env bash
# Every source file is as clang-format 14 writes it; other versions write some constructs otherwise.
# shellcheck source=tests/style/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

for tool in clang-format-14 clang-format ""; do
    if [ -z "$tool" ]; then
        echo "no clang-format 14 here"
        exit 77
    fi
    if command -v "$tool" >/dev/null && "$tool" --version | grep -q ' version 14\.'; then
        break
    fi
done
sources src kernels mpi eval tests | xargs -d '\n' "$tool" --dry-run -Werror
