#!/usr/bin/env bash
# shellcheck disable=SC2016 # the dollars are awk's
# No circles: source files do not call each other in a loop, neither directly nor by way of others.
# shellcheck source=tests/style/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

mapfile -t files < <(sources src kernels mpi eval | grep -v '\.h$')
# "caller callee function" for each public function called outside its own file
calls=$(
    without_comments "${files[@]}" | awk '
        {
            at = index($0, ":"); file = substr($0, 1, at - 1)
            line = substr($0, at + 1); line = substr(line, index(line, ":") + 1)
            # a definition starts in the first column, and so does its brace
            if (line ~ /^[a-z_A-Z].*[a-z0-9_]+\(/ && line !~ /^(#|static )/) head = line
            if (line ~ /^\{/ && head != "") {
                sub(/\(.*/, "", head); sub(/.*[ *]/, "", head)
                home[head] = file
                head = ""
            }
            if (line ~ /;[[:space:]]*$/ && line !~ /^[[:space:]]/) head = ""
            while (match(line, /skv_[a-z0-9_]+/)) {
                name = substr(line, RSTART, RLENGTH)
                line = substr(line, RSTART + RLENGTH)
                uses[file " " name] = 1
            }
        }
        END {
            for (use in uses) {
                split(use, part, " ")
                if (part[2] in home && home[part[2]] != part[1])
                    print part[1], home[part[2]], part[2]
            }
        }' | sort
)
# what is in no loop goes: files that nobody calls, and files that call nobody, until none is left
bad=$(awk '
    { from[NR] = $1; to[NR] = $2; name[NR] = $3 }
    END {
        do {
            gone = 0
            split("", calls); split("", called)
            for (i in from) { calls[from[i]] = 1; called[to[i]] = 1 }
            for (i in from)
                if (!(from[i] in called) || !(to[i] in calls)) { delete from[i]; gone = 1 }
        } while (gone)
        for (i = 1; i <= NR; i++)
            if (i in from) printf "%s:1: calls %s of %s, which leads back\n", from[i], name[i], to[i]
    }' <<<"$calls")
[ -z "$bad" ] || echo "$bad"
verdict "$(printf '%s' "$bad" | grep -c '' || true)" "calls in a circle"
