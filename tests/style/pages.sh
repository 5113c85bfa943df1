#!/usr/bin/env bash
# Pages that exist: every room has its README.md, every page that a comment or a page names is in the
# tree, and every heading that is named with it is in that page.
# A citation is the page's path from the top of the tree, and a heading, list item or bold term of it
# behind a comma.
# shellcheck source=tests/style/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

bad=$(
    for folder in src src/*/ kernels mpi eval eval/*/ configs jobs tests; do
        [ -f "${folder%/}/README.md" ] || echo "${folder%/}:1: a room without README.md"
    done
    # a page named within a string is data
    sources src kernels mpi eval tests |
        xargs -d '\n' grep -HnoE '(^|[^"A-Za-z0-9_./$-])[A-Za-z0-9_./-]+\.md(, [A-Za-z][A-Za-z0-9 -]*)?' |
        sed -E 's/^([^:]*:[0-9]+:)[^A-Za-z0-9_.\/-]?/\1/; s/ +$//' |
        while IFS=: read -r file line cited; do
            page=${cited%%,*}
            heading=${cited#"$page"}
            heading=${heading#, }
            if [ ! -f "$page" ]; then
                echo "$file:$line: $page is not in the tree"
            elif [ -n "$heading" ] && ! grep -qiE "^(#+ .*|- \*?|\*\*)$heading" "$page"; then
                echo "$file:$line: $page has no heading \"$heading\""
            fi
        done
    # links between pages, relative to the page
    mapfile -t pages < <(git ls-files -co --exclude-standard -- '*.md')
    grep -HnoE '\]\([^)#]+' "${pages[@]}" | while IFS=: read -r page line link; do
        link=${link#](}
        [[ $link != http* ]] || continue
        [ -e "$(dirname "$page")/$link" ] || echo "$page:$line: $link is not in the tree"
    done
)
[ -z "$bad" ] || echo "$bad"
verdict "$(printf '%s' "$bad" | grep -c '' || true)" "pages"
