#!/usr/bin/env bash
# From a fresh clone to pictures and a report: installs packages, builds, samples a tiny model by two
# ranks and evaluates what the caches cost.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: jobs/quickstart.sh

Installs the packages that are missing (Debian, Ubuntu; root or sudo), builds build/skv, for the GPU
where there is one (an existing build/ stays as it was configured), and samples a few prompts with
a tiny model made of formula weights, on two ranks, with the full cache and with compressed ones;
then the compressed ones are held against the full cache (skv eval).
The run is left in build/quickstart; an earlier one there is removed.

SKV_INSTALL=no   install nothing
TEXT
}

case ${1:-} in
"") ;;
-h | --help)
    usage
    exit 0
    ;;
*)
    usage >&2
    exit 2
    ;;
esac

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=jobs/install.sh
. jobs/install.sh
run=build/quickstart

skv_install "${skv_packages_run[@]}"

if [ -f build/CMakeCache.txt ]; then
    cmake -S . -B build # as it was configured, even if that was cut short
else
    cmake -S . -B build -DSKV_TESTS=OFF -DSKV_CUDA="$(skv_gpu)"
fi
cmake --build build --target skv --parallel "$(nproc)"

if [ "$(id -u)" -eq 0 ]; then # a container: mpirun would refuse
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
# containers often forbid one process to read another's memory, which Open MPI would try
export OMPI_MCA_btl_vader_single_copy_mechanism=none
rm -rf "$run"
(
    set -x
    mpirun -n 2 --oversubscribe --bind-to none \
        build/skv sample --config configs/tiny.json --out "$run" </dev/null
    build/skv eval "$run" --networks formula
)

cat <<TEXT

report     $run/report.html   (open it in a browser)
pictures   $run/images/<path>/<prompt>.png   ($(find "$run/images" -name '*.png' | wc -l) files)
HDF5       $run/run.h5   (see it with: h5dump -H $run/run.h5)
settings   $run/run.json
TEXT
