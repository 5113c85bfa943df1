# shellcheck shell=bash
# Man pages, bash's completion and the options' reference in src/cli/README.md have every option of
# every command: they come from the tables that --help comes from.
commands=$("$SKV" help --as names)
"$SKV" help --as markdown >reference
"$SKV" help --as man >program.1
for command in $commands; do
    "$SKV" "$command" --help | sed -nE 's/^  --(\[no-\])?([a-z0-9-]+).*/\2/p' >options
    "$SKV" help "$command" --as man | sed 's/\\-/-/g' >page.1
    "$SKV" help "$command" --as markdown >table
    test -s options
    while read -r option; do
        grep -qE "^\.B --(\[no-\])?$option( |\$)" page.1
        grep -qE "^\| \`--(\[no-\])?${option}[ \`]" table
    done <options
    grep -qE '^\.SH EXIT STATUS$' page.1
    grep -qF "skv\\-$command (1)" program.1
done
if ! sed '1,/^## Options$/d' "$SOURCE/src/cli/README.md" | sed 1d | cmp - reference; then
    echo "put what skv help --as markdown prints behind '## Options' and an empty line there"
fi

# complete WORD...: what bash offers for the last word
"$SKV" help --as bash >completion
# shellcheck source=/dev/null
. ./completion
offers() {
    local COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
    _skv
    echo "${COMPREPLY[*]}"
}
touch picture.png
offers skv ga
offers skv sample --dev
offers skv sample --device c
offers skv sample --no-dry
offers skv sample --transformer pic
offers skv sample --seed 1
offers skv gather pic
offers skv help --as m
