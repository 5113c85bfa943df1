#!/usr/bin/env bash
# Calls that have one place only: printing and ending the program in src/cli, MPI in mpi/, HDF5 in
# src/io; nothing is added to JSON unchecked; the report's page asks for nothing, runs no text as
# code and takes none as markup; and no path of somebody's machine anywhere.
# shellcheck source=tests/style/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# search PATTERN WHY FILTER: lines of code with the pattern, in files whose path has no FILTER.
search() {
    grep -vE "$3" <<<"$code" | grep -E "^[^:]*:[0-9]+:.*$1" |
        sed -E "s|^([^:]*:[0-9]+):.*|\\1: $2|" || true
}

# search_web PATTERN WHY: lines of the page's files with the pattern; the name of SVG is no address.
search_web() {
    grep -HnE "$1" "${pages[@]}" | grep -vF '"http://www.w3.org/2000/svg"' |
        sed -E "s|^([^:]*:[0-9]+):.*|\\1: $2|" || true
}

mapfile -t files < <(sources src kernels mpi eval)
code=$(without_comments "${files[@]}")
mapfile -t pages < <(web eval)
bad=$(
    ends='([^_[:alnum:]])(exit|_exit|_Exit|quick_exit|abort)[[:space:]]*\('
    prints='([^_[:alnum:]])(v?printf|puts|putchar|perror|stdout|stderr)([^_[:alnum:]]|$)'
    # job/stop.c: what ends a process from a signal's handler, or while it waits for others
    search "$ends" "ends the program below src/cli" '^src/(cli/|job/stop\.c:)'
    # core/status.h: SKV_PRINTF names the attribute
    search "$prints" "prints below src/cli" '^src/(cli/|core/(log\.c|status\.h):)'
    search '[^_[:alnum:]]MPI_[A-Z]' "calls MPI outside mpi/" '^mpi/'
    search '[^_[:alnum:]](H5[A-Z]+[a-z]|hid_t|herr_t)' "HDF5 outside src/io" '^src/io/'
    # src/io/h5_open.c, skv_h5__enter: has the file looked at by another process first
    search '[^_[:alnum:]]H5Fopen' "opens HDF5 files past the one door" '^src/io/h5_open\.c:'
    # as a statement of its own
    grep -E '^[^:]*:[0-9]+:[[:space:]]*json_(object_(set|update)|array_(append|set|insert|extend))' \
        <<<"$code" | grep -v '!= 0' |
        sed -E 's|^([^:]*:[0-9]+):.*|\1: adds to JSON unchecked: skv_json_put, skv_json_append|' ||
        true
    asks='https?:|@import|[^_[:alnum:]](fetch|import|importScripts|url)[[:space:]]*\('
    asks+='|XMLHttpRequest|WebSocket|EventSource|RTCPeerConnection|sendBeacon|[^_[:alnum:]]Worker'
    asks+='|<(link|iframe|object|embed|base)|<script[^>]+src'
    search_web "$asks" "asks a network"
    search_web '[^_[:alnum:]](eval|new Function)[[:space:]]*\(' "runs text as code"
    search_web '(inner|outer)HTML|insertAdjacentHTML|document\.write|DOMParser|srcdoc' \
        "takes text as markup"
    grep -rnIE '/(wor[k]|far[m]|home/[a-z]|root/)|/tmp/skv[/]|\.\./share[d]|[.]librar[y]' \
        --include='*' --exclude-dir=build --exclude-dir='build*' --exclude-dir=.git --exclude=.git \
        --exclude-dir=data . |
        sed -E 's|^\./([^:]*:[0-9]+):.*|\1: a path of one machine|' || true
)
[ -z "$bad" ] || echo "$bad"
verdict "$(printf '%s' "$bad" | grep -c '' || true)" "banned"
