#!/usr/bin/env bash
# pages.sh SKV FOLDER: FOLDER/man1 has the program's man pages, FOLDER/skv bash's completion.
set -euo pipefail
skv=$1 folder=$2
mkdir -p "$folder/man1"
"$skv" help --as man >"$folder/man1/skv.1"
for command in $("$skv" help --as names); do
    "$skv" help "$command" --as man >"$folder/man1/skv-$command.1"
done
"$skv" help --as bash >"$folder/skv"
