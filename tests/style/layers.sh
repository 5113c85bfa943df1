#!/usr/bin/env bash
# Who may include whom: downwards only. A folder's own headers are always allowed; a name with a
# slash allows one header, a name without one allows the whole folder.
# shellcheck source=tests/style/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

declare -A allowed=(
    [src/core]=""
    [kernels]="core"
    [src/io]="core"
    [src/arch]="core"
    [src/run]="core io"
    [src/cache]="core arch kernels"
    [src/model]="core arch kernels cache/kv.h cache/policy.h io/checkpoint.h io/checkpoint_kind.h io/formula.h"
    [mpi]="core kernels/backend.h"
    [src/sample]="model cache arch run io core kernels"
    [src/calibrate]="model cache arch io core kernels"
    [src/job]="calibrate sample model cache arch run io core kernels mpi"
    [eval/metrics]="core kernels io run mpi/comm.h"
    [eval/report]="core io run"
    [eval/layout]="core io run"
    [eval/scores]="core io run eval/layout"
    [src/cli]="core kernels io arch cache model mpi run sample calibrate job eval/metrics eval/report eval/layout eval/scores"
)

# Libraries' headers, and the only folders that see them.
declare -A home=(
    [mpi.h]="mpi" [nccl.h]="mpi" [hdf5.h]="src/io" [png.h]="src/io" [zlib.h]="src/io src/run"
    [sentencepiece_processor.h]="src/io" [cblas.h]="kernels eval/metrics" [cudnn.h]="kernels"
    [cublasLt.h]="kernels" [cuda_runtime.h]="kernels mpi"
)

bad=0
offend() {
    echo "$1"
    bad=$((bad + 1))
}

for folder in "${!allowed[@]}"; do
    own=${folder#src/}
    while IFS= read -r hit; do
        file=${hit%%:*}
        include=${hit##*#include }
        header=${include:1}
        header=${header%%[\">]*}
        if [ "${include:0:1}" = "<" ]; then
            homes=${home[$header]-any}
            if [ "$homes" != any ] && [[ " $homes " != *" $folder "* ]]; then
                offend "${hit%%:#*}: <$header> belongs to $homes, not to $folder"
            fi
            continue
        fi
        if [[ $header != */* ]]; then
            offend "${hit%%:#*}: \"$header\" must be written with its folder"
            continue
        fi
        module=${header%/*}
        if [[ $module != "$own" && $module != "$own"/* && " ${allowed[$folder]} " != *" $module "* ]] &&
            [[ " ${allowed[$folder]} " != *" $header "* ]]; then
            offend "${hit%%:#*}: $folder may not include \"$header\" (${file##*/})"
        fi
    done < <(sources "$folder" | xargs -r -d '\n' grep -HnE '^#include ["<]')
done

# A new folder must get its line above.
for folder in src/*/ kernels/ mpi/ eval/*/; do
    folder=${folder%/}
    if [ -n "$(sources "$folder")" ] && [ -z "${allowed[$folder]+known}" ]; then
        offend "$folder: not in the table of tests/style/layers.sh"
    fi
done
verdict "$bad" "includes against the layers"
