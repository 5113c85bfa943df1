# shellcheck shell=bash
# A run that an earlier version of the program left (two paths, three rows, bits alone): inspected,
# gathered again to the same results, compared and decoded.
cp -r "$SOURCE/tests/data/run_v1" old
cp -r old again
rm again/run.h5
"$SKV" inspect again/groups/full/000000.h5 | grep -E '^(kind|bits|pictures) '
"$SKV" gather again
for run in old again; do
    "$SKV" inspect "$run" | grep -A1 '^paths'
    "$SKV" eval "$run" --networks none >"$run.table" 2>/dev/null
done
cmp old/metrics.json again/metrics.json
sed 's/again/old/g' again.table | cmp - old.table
awk 'NR == 3 {print ($7 > 50 && $7 < 100)}' again.table
"$SKV" decode again --paths full --only 00001
ls again/images/full
