#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test (those of the GPU where there is one).
# Afterwards the program is build/skv. Where CI is set (to anything) warnings are errors, and a test that skips is a
# failure: its tool is installed.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=jobs/install.sh
. jobs/install.sh
jobs=$(nproc)
werror=OFF
[ -z "${CI:-}" ] || werror=ON
failed=()

# build_tree FOLDER CMAKE_OPTION...
build_tree() {
    local folder=$1

    shift
    cmake -S . -B "$folder" -DSKV_WERROR=$werror -DSKV_TESTS=ON "$@"
    cmake --build "$folder" --parallel "$jobs"
}

# run_tests FOLDER CTEST_OPTION...: remembers failures, goes on.
run_tests() {
    local folder=$1 log=$1/tests.log skipped

    shift
    ctest --test-dir "$folder" --output-on-failure --no-tests=error --parallel "$jobs" "$@" \
        2>&1 </dev/null | tee "$log" || failed+=("tests in $folder")
    skipped=$(grep -E '\*\*\*(Skipped|Not Run)' "$log" || true)
    if [ -n "$skipped" ]; then
        printf 'these did not run:\n%s\n' "$skipped"
        if [ -n "${CI:-}" ]; then
            failed+=("tests that did not run in $folder")
        fi
    fi
}

skv_install "${skv_packages_run[@]}" "${skv_packages_test[@]}"

# Where there is a GPU, build/ is for it and runs the GPU's tests; a build without CUDA runs the
# others, which would choose the GPU by themselves.
cpu=build
if [ "$(skv_cuda)" = ON ]; then
    build_tree build -DSKV_CUDA=ON
    run_tests build --label-regex '^gpu$'
    cpu=build/cpu-release
fi
build_tree "$cpu" -DSKV_CUDA=OFF
run_tests "$cpu" --label-exclude '^gpu$'

build_tree build/cpu-asan --preset cpu-asan
export ASAN_OPTIONS=detect_stack_use_after_return=1
export LSAN_OPTIONS=suppressions=$PWD/tests/lsan.supp:print_suppressions=0
run_tests build/cpu-asan --label-regex '^(unit|fuzz|ops)$'
# Open MPI unloads its plug-ins, so what they leak cannot be suppressed by name
export ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0
run_tests build/cpu-asan --label-regex '^mpi$' --exclude-regex '^run_'

if [ ${#failed[@]} -gt 0 ]; then
    printf 'failed: %s\n' "${failed[@]}" >&2
    exit 1
fi
echo "all tests passed; the program is build/skv"
