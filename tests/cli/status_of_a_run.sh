# shellcheck shell=bash
# skv status says how far a run is, by its folder alone: nothing is written there, and foreign names
# are escaped. A process that beats is at work; one that does not is not.
printf 'a cat\na dog\n\na cow\n' >prompts.txt
job=(--config "$SOURCE/configs/tiny.json" --resolution 0.06M --threads 2 --paths "full,scalekv-10"
    --prompts prompts.txt --out run)
look() {
    local code=0

    "$SKV" status "$@" | sed 's/, [0-9.]* images.s.*left$/, RATE/; s/[0-9]* s ago/N s ago/' || true
    "$SKV" status "$@" >/dev/null 2>&1 || code=$?
    echo "status $code"
}
"$SKV" sample "${job[@]}" --no-gather >/dev/null 2>&1 || true
look run
rm run/groups/full/000001.h5
touch -d '1 hour ago' run/groups/*/*.h5
find run | sort >before
look run
find run | sort | cmp - before
mkdir run/claims
printf 'process 5 on \033[1mhost\nrank 1 of 4: 12 groups, 1.5 s each\n' >run/claims/0-5-0.alive
printf 'process 6 on host\nrank 2 of 4: 12 groups, 2.5 s each\n' >run/claims/0-6-0.alive
printf 'process 7 on host\n' >run/claims/0-7-0.alive
touch -d '1 hour ago' run/claims/0-7-0.alive
look run
"$SKV" status run --json - | python3 -c '
import json, sys
s = json.load(sys.stdin)
assert [p["rank"] for p in s["processes"]] == [2, 1] and s["dead_processes"] == 1
assert (s["done"], s["groups"], s["paths"]["full"]) == (3, 4, 1) and s["failed_rows"] == {"the line is empty": 1}
' || true
rm -r run/claims
"$SKV" sample "${job[@]}" >/dev/null 2>&1 || true
look run
"$SKV" status run --json s.json >/dev/null || true
python3 -c '
import json
s = json.load(open("s.json"))
assert s["complete"] and s["failed_rows"] == {"the line is empty": 1}, s
'
look . 2>&1
