# shellcheck shell=bash
# A run's folder may hold anything: nothing waits for a FIFO, no link is followed, and what is
# outside stays as it is. The folder itself may be a link.
printf 'a cat\n' >prompts.txt
sample=(sample --transformer formula:tiny_f16 --vae formula:tiny_f16 --t5 "$DATA/tiny_t5"
    --resolution 0.06M --drafters 0 --paths full --threads 2 --prompts prompts.txt --out)
"$SKV" "${sample[@]}" run >/dev/null 2>&1

# fails WORD... : within 60 s, with one sentence
fails() {
    local code=0
    timeout 60 "$SKV" "$@" >/dev/null 2>err || code=$?
    echo "$1 $code: $(grep -c '^error: ' err) $(grep -o '\(not a regular file\|is a link\)' err)"
}

mkdir fifo
mkfifo fifo/run.json
fails inspect fifo
fails gather fifo
fails decode fifo
fails "${sample[@]}" fifo
cp -r run odd
rm -r odd/log
mkdir odd/log
mkfifo odd/log/0.txt
fails "${sample[@]}" odd

mkdir victim
: >victim/precious.1.tmp
for part in groups/full images/full log; do
    rm -rf linked
    cp -r run linked
    rm -r "linked/${part:?}"
    ln -s ../victim "linked/$part"
    [ "$part" != "${part#*/}" ] && ln -sfn ../../victim "linked/$part"
    echo "$part"
    fails "${sample[@]}" linked
    [ "$part" = log ] || fails decode linked
done
find victim | sort
ln -s run link
"$SKV" "${sample[@]}" link >/dev/null 2>&1
"$SKV" inspect link | grep kind
