#!/usr/bin/env bash
# Builds and tests. Installs what is missing; afterwards the program is build/skv.
#
#   tests/run.sh          what CI runs: every test but the long ones, with sanitizers, and the CUDA
#                         build where nvcc is (with the GPU's tests where there is a GPU)
#   tests/run.sh quick    for the working day: unit, operations and style; under two minutes
#   tests/run.sh long     the above and the tests that take hours
#
# Where CI is set (to anything) warnings are errors, and a test that skips is a failure.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=jobs/install.sh
. jobs/install.sh
mode=${1:-ci}
case $mode in
quick | ci | long) ;;
*)
    echo "usage: tests/run.sh [quick | long]" >&2
    exit 2
    ;;
esac
jobs=$(nproc)
werror=OFF
[ -z "${CI:-}" ] || werror=ON
failed=()

# configure FOLDER CMAKE_OPTION...
configure() {
    local folder=$1

    shift
    cmake -S . -B "$folder" -DSKV_WERROR=$werror -DSKV_TESTS=ON "$@"
}

# build FOLDER [TARGET...]: everything, or these.
build() {
    local folder=$1

    shift
    cmake --build "$folder" --parallel "$jobs" ${1:+--target "$@"}
}

# run_tests FOLDER CTEST_OPTION...: remembers failures, goes on. Half as many tests again as cores:
# many wait.
run_tests() {
    local folder=$1 log=$1/tests.log skipped

    shift
    ctest --test-dir "$folder" --output-on-failure --no-tests=error \
        --parallel $((jobs + (jobs + 1) / 2)) "$@" \
        2>&1 </dev/null | tee "$log" || failed+=("tests in $folder")
    skipped=$(grep -E '\*\*\*(Skipped|Not Run)' "$log" || true)
    if [ -n "$skipped" ]; then
        printf 'these did not run:\n%s\n' "$skipped"
        if [ -n "${CI:-}" ]; then
            failed+=("tests that did not run in $folder")
        fi
    fi
}

# What is tested besides: the CUDA files, which compile and link for one GPU as a sample (the other
# tests' programs are those of the build without CUDA), and the sanitizers' builds. Made while the
# tests wait, which go first.
threads=(test_writer test_parallel test_claims test_stop test_watcher)
build_others() {
    renice -n 19 "$BASHPID"
    if [ -n "$nvcc" ]; then
        configure build/cuda -DSKV_CUDA=ON -DCMAKE_CUDA_ARCHITECTURES=90
        build build/cuda skv skv-opcheck standin old_driver
    fi
    configure build/cpu-asan --preset cpu-asan
    build build/cpu-asan
    configure build/cpu-tsan --preset cpu-tsan
    build build/cpu-tsan skv "${threads[@]}"
}

finish() {
    if [ ${#failed[@]} -gt 0 ]; then
        printf 'failed: %s\n' "${failed[@]}" >&2
        exit 1
    fi
    echo "all tests passed; the program is build/skv"
    exit 0
}

skv_install "${skv_packages_run[@]}" "${skv_packages_test[@]}"
if command -v ninja >/dev/null; then # in two thirds of make's time
    export CMAKE_GENERATOR=${CMAKE_GENERATOR:-Ninja}
fi

# Where there is a GPU, build/ is for it and runs the GPU's tests; a build without CUDA runs the
# others, which would choose the GPU by themselves.
cpu=build
if [ "$(skv_gpu)" = ON ]; then
    configure build -DSKV_CUDA=ON
    build build
    [ "$mode" = quick ] || run_tests build --label-regex '^gpu$'
    cpu=build/cpu-release
fi
configure "$cpu" -DSKV_CUDA=OFF
build "$cpu"
if [ "$mode" = quick ]; then
    run_tests "$cpu" --label-regex '^(unit|ops|style)$'
    finish
fi
no_browser=
if grep -q '^ID=debian$' /etc/os-release; then
    skv_install "${skv_packages_browser[@]}" || true # without it these tests skip, and CI says so
elif ! command -v chromedriver >/dev/null; then
    no_browser='|report'
    echo "no chromedriver here: the report's pages are not tested"
fi
nvcc=
if [ "$cpu" = build ]; then
    nvcc=$(skv_nvcc) || echo "no nvcc here: the CUDA files are not compiled"
fi
build_others >build/others.log 2>&1 &
others=$!
skip="^(gpu|long$no_browser)\$"
[ "$mode" = ci ] || skip="^(gpu$no_browser)\$"
run_tests "$cpu" --label-exclude "$skip"

wait "$others" || {
    tail -n 50 build/others.log
    failed+=("the builds of build/others.log")
    finish
}
# The CUDA build runs as other GPUs (tests/standin).
[ -z "$nvcc" ] || run_tests build/cuda --label-regex '^cuda$'

# HDF5 takes and gives back half a megabyte for each file: the sanitizer writes its notes on these
# bytes rather than map them anew, and keeps fewer of those given back.
export ASAN_OPTIONS=detect_stack_use_after_return=1
export ASAN_OPTIONS=$ASAN_OPTIONS:clear_shadow_mmap_threshold=1073741824:quarantine_size_mb=64
export LSAN_OPTIONS=suppressions=$PWD/tests/lsan.supp:print_suppressions=0
run_tests build/cpu-asan --label-regex '^(unit|fuzz|ops)$'
# Open MPI unloads its plug-ins, so what they leak cannot be suppressed by name
export ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0
run_tests build/cpu-asan --label-regex '^mpi$' --exclude-regex '^run_'

# What runs threads of its own. Some of these tests start threads in a process that forked.
export TSAN_OPTIONS=die_after_fork=0
run_tests build/cpu-tsan --tests-regex "^(run_threads|$(IFS='|' && echo "${threads[*]}"))\$"

finish
