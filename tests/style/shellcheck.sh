#!/usr/bin/env bash
# Scripts pass shellcheck.
# shellcheck source=tests/style/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

if ! command -v shellcheck >/dev/null; then
    echo "no shellcheck here"
    exit 77
fi
find jobs tests .ci -type f \( -name '*.sh' -o -name '*.sbatch' -o -path .ci/run \) -print0 |
    xargs -0 shellcheck --external-sources
