# shellcheck shell=bash
# A partial run.h5 where it could be taken for a whole one: in inspect, in status as JSON, after a
# path was added to the run, where a path or the run has no group at all. inspect shows the file
# that it was given, not the run.h5 beside it. status --watch ends when nobody can read it.
printf 'a cat\na dog\n' >prompts.txt
job=(--config "$SOURCE/configs/tiny.json" --resolution 0.06M --threads 1 --group-size 1
    --prompts prompts.txt --store bits --out run --no-gather)
sampled() {
    "$SKV" sample "${job[@]}" --paths "$1" >/dev/null 2>&1
}
again() {
    local code=0

    "$SKV" "$@" || code=$?
    echo "status $code"
}
sampled full,scalekv-10
"$SKV" gather run
cp run/run.h5 run/old.h5
mv run/groups/full/000001.h5 last.h5
"$SKV" gather run --partial 2>/dev/null
"$SKV" inspect run | grep '^partial'
"$SKV" inspect run/run.h5 | grep '^partial'
(cd run && "$SKV" inspect run.h5) | grep '^partial'
"$SKV" inspect run/old.h5 | grep -c '^partial\|path full'
again status run --json - | grep -E '"(gathered|partial|seconds_left)"'
timeout 30 "$SKV" status run --watch >/dev/full || echo "watch into a full file: status $?"
mv last.h5 run/groups/full/000001.h5
"$SKV" gather run
sampled full,scalekv-10,snapkv-10
again status run | sed -n '1p;$p'
again eval run --networks none
rm run/groups/full/*.h5 run/run.h5
again gather run --partial
again eval run --networks none --partial
rm run/groups/*/*.h5
again gather run --partial
