# What the style checks share; sourced. Each runs at the top of the tree, prints offenders as
# file:line: what, and fails if there are any.
# shellcheck shell=bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export LC_ALL=C.UTF-8

# sources FOLDER...: the C and CUDA files below these folders.
sources() {
    local folder

    for folder in "$@"; do
        if [ -d "$folder" ]; then
            find "$folder" -type f \( -name '*.[ch]' -o -name '*.cu' -o -name '*.cc' \)
        fi
    done | sort
}

# web FOLDER...: the files of web pages below these folders.
web() {
    find "$@" -type f \( -name '*.js' -o -name '*.css' -o -name '*.html' \) | sort
}

# without_comments FILE...: the same lines as "file:line:text", with comments and the contents of
# strings blanked.
without_comments() {
    awk '
        FNR == 1 { inside = 0 }
        {
            line = $0; out = ""
            while (line != "") {
                if (inside) {
                    at = index(line, "*/")
                    if (!at) { line = ""; break }
                    line = substr(line, at + 2); inside = 0
                } else if (match(line, /"([^"\\]|\\.)*"|\/\/|\/\*/)) {
                    token = substr(line, RSTART, RLENGTH)
                    out = out substr(line, 1, RSTART - 1)
                    line = substr(line, RSTART + RLENGTH)
                    if (token == "//") line = ""
                    else if (token == "/*") inside = 1
                    else out = out "\"\""
                } else { out = out line; line = "" }
            }
            printf "%s:%d:%s\n", FILENAME, FNR, out
        }' "$@"
}

# verdict COUNT WHAT
verdict() {
    if [ "$1" -gt 0 ]; then
        echo "$1 offenders: $2"
        exit 1
    fi
}
