#!/usr/bin/env bash
# shellcheck disable=SC2016 # the dollars are awk's
# File names are unique in the tree, but for the files of one operation (its CPU form, its CUDA
# form, its test); and every public prototype is named skv_... and defined somewhere.
# shellcheck source=tests/style/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

bad=$(
    sources src kernels mpi eval tests | grep -vE '^(kernels/(cpu|cuda)|tests/(ops|ref))/' |
        awk -F/ '{
            if ($NF in seen) printf "%s:1: same name as %s\n", $0, seen[$NF]
            seen[$NF] = $0
        }'

    # names of functions whose definition starts in the first column
    sources src kernels mpi eval | xargs -d '\n' awk '
        FNR == 1 { head = "" }
        /^[a-z_A-Z].*[a-z0-9_]+\(/ && !/^#/ { head = $0 }
        /^\{/ && head != "" {
            sub(/\(.*/, "", head); sub(/.*[ *]/, "", head)
            print head
            head = ""
        }
        /;[[:space:]]*$/ && !/^[[:space:]]/ { head = "" }' | sort -u >"${TMPDIR:-/tmp}/defined.$$"
    trap 'rm -f "${TMPDIR:-/tmp}/defined.$$"' EXIT
    mapfile -t headers < <(sources src kernels mpi eval | grep '\.h$')
    without_comments "${headers[@]}" | grep -vE '^[^:]*:[0-9]+:(#|typedef|static| )' |
        grep -E '[ *][a-z0-9_A-Z]+\(' |
        sed -E 's/^([^:]*:[0-9]+):.*[ *]([A-Za-z0-9_]+)\(.*/\1 \2/' |
        grep -vE ' (SKV_PRINTF|__attribute__)$' |
        awk -v list="${TMPDIR:-/tmp}/defined.$$" '
            BEGIN { while ((getline name < list) > 0) defined[name] = 1 }
            $2 ~ /_$/ { next } # a Fortran symbol of LAPACK
            $2 !~ /^skv_/ { printf "%s: %s is not named skv_...\n", $1, $2 }
            !($2 in defined) { printf "%s: %s is declared and nowhere defined\n", $1, $2 }' || true
)
[ -z "$bad" ] || echo "$bad"
verdict "$(printf '%s' "$bad" | grep -c '' || true)" "names"
