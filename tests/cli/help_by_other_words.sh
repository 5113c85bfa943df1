# shellcheck shell=bash
# Help and version by the words that people try; the policies of `sample` are listed from their own
# table, each with its options.
for words in help --help -h; do
    "$SKV" $words | sed -n 1p
done
"$SKV" help sample | sed -n 1p
"$SKV" help smaple || echo "exit status $?"
"$SKV" version >one
"$SKV" --version >two
"$SKV" -V >three
cmp one two
cmp one three
grep -cE '^skv [0-9]+\.[0-9]+\.[0-9]+, ' one
grep -cE '^(HDF5|jansson|libpng|libjpeg|libwebp|zlib|SentencePiece|OpenBLAS) +[0-9]+\.[0-9.]+(, running with |$)' one
grep -cE '^MPI +standard [34]\.[0-9]+, running with .' one
"$SKV" sample --help | sed -n '/^Policies/,$p' >policies
grep -cE '^  (full|scalekv|scalekv-paper|sliding|streaming|snapkv|pyramidkv|heatkv|h2o|tova|valuenorm|random|amskv|hack) ' policies
grep -cE '^    window ' policies
