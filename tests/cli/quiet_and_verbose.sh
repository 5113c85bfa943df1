# shellcheck shell=bash
# Every command takes -q (warnings and errors alone) and -v (also what helps to find a fault), among
# its options and after them; a value that looks so stays a value.
printf 'a cat\n' >prompts.txt
set -- sample --transformer formula:tiny_f16 --vae formula:tiny_f16 --t5 "$DATA/tiny_t5" \
    --prompts prompts.txt --resolution 0.06M --drafters 0 --threads 1 --paths scalekv-10
"$SKV" -q 2>/dev/null || echo "without a command: status $?"
"$SKV" "$@" -q --out quiet >table 2>said
echo "quiet: $(wc -l <table) lines of results, beside them:" && cat said
"$SKV" "$@" --out loud >table 2>said
echo "else: $(wc -l <table), $(grep -c '^phase: ' said || true) phases," \
    "$(grep -c '^# ' said) lines of the plan"
"$SKV" "$@" --verbose --out verbose >table 2>said
echo "verbose: $(wc -l <table), $(($(grep -c '^phase: ' said) > 10))," \
    "$(grep -c '^# ' said) lines of the plan"
"$SKV" "$@" --out noted --note -q --no-quiet 2>&1 >/dev/null | grep -c '^# '
grep '"note"' noted/run.json
"$SKV" "$@" --quiet --out quiet --json - 2>said | /usr/bin/python3 -c \
    'import json, sys; print("paths", len(json.load(sys.stdin)))'
cat said
cp -r quiet/images/scalekv-10 ./-q
"$SKV" eval -q --networks none -- -q quiet/images/scalekv-10 | tail -n 1 | sed 's/ .*//'
mpirun --oversubscribe -np 2 "$SKV" gather -q quiet
for command in $("$SKV" help --as names); do
    "$SKV" "$command" --no-such-option >plain 2>&1 && exit 1
    "$SKV" "$command" -q --no-such-option >with 2>&1 && exit 1
    cmp plain with
    "$SKV" "$command" -q x -v >with 2>&1 && exit 1
    grep -qx 'error: --quiet and --verbose exclude each other' with
    "$SKV" "$command" --help | grep -qE '^  --\[no-\]quiet +-q: '
done
