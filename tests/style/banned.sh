#!/usr/bin/env bash
# Calls that have one place only: printing and ending the program in src/cli, MPI in mpi/, HDF5 in
# src/io; and no path of somebody's machine anywhere.
# shellcheck source=tests/style/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# search PATTERN WHY FILE...
search() {
    local pattern=$1 why=$2 file

    shift 2
    for file in "$@"; do
        without_comments "$file" | grep -nE "$pattern" | sed -E "s|^([0-9]+):.*|${file}:\\1: $why|" ||
            true
    done
}

# except PATTERN: the sources of the product but for those whose path matches.
except() {
    sources src kernels mpi eval | grep -vE "$1"
}

mapfile -t below_cli < <(except '^src/cli/')
mapfile -t no_console < <(except '^src/(cli/|core/log\.c$)')
mapfile -t no_mpi < <(except '^mpi/')
mapfile -t no_h5 < <(except '^src/io/')

bad=$(
    ends='(^|[^_[:alnum:]])(exit|_exit|_Exit|quick_exit|abort)[[:space:]]*\('
    prints='(^|[^_[:alnum:]])(v?printf|puts|putchar|perror|stdout|stderr)([^_[:alnum:]]|$)'
    search "$ends" "ends the program below src/cli" "${below_cli[@]}"
    search "$prints" "prints below src/cli" "${no_console[@]}" |
        grep -v '^src/core/status\.h:' || true # SKV_PRINTF names the attribute
    search '(^|[^_[:alnum:]])MPI_[A-Z]' "calls MPI outside mpi/" "${no_mpi[@]}"
    search '(^|[^_[:alnum:]])(H5[A-Z]+[a-z]|hid_t|herr_t)' "HDF5 outside src/io" "${no_h5[@]}"
    grep -rnIE '/(wor[k]|far[m]|home/[a-z]|root/)|/tmp/skv[/]|\.\./share[d]|[.]librar[y]' \
        --include='*' --exclude-dir=build --exclude-dir='build*' --exclude-dir=.git \
        --exclude-dir=data . |
        sed -E 's|^\./([^:]*:[0-9]+):.*|\1: a path of one machine|' || true
)
[ -z "$bad" ] || echo "$bad"
verdict "$(printf '%s' "$bad" | grep -c '' || true)" "banned"
