# Debian and Ubuntu packages of skv, in one place; sourced by jobs/quickstart.sh and tests/run.sh.
# Nothing is asked of apt, and no root is needed, when everything is there already.
# SKV_INSTALL=no: never install (libraries from elsewhere; CMake says what it cannot find).
# shellcheck shell=bash

# What building and running the program takes. Ubuntu's libsentencepiece-dev needs libprotobuf-dev
# and does not say so. libxxhash: digests of weights, prompts and settings (XXH3).
# shellcheck disable=SC2034 # used where this file is sourced
skv_packages_run=(
    build-essential cmake pkg-config libopenmpi-dev openmpi-bin libhdf5-dev libopenblas-dev
    libsentencepiece-dev libprotobuf-dev libjansson-dev libpng-dev libjpeg-dev libwebp-dev
    zlib1g-dev libxxhash-dev
)

# The libraries that the installed program runs with, on Ubuntu 24.04 (jobs/skv.def).
# shellcheck disable=SC2034
skv_packages_image=(
    libopenmpi3t64 openmpi-bin libhdf5-103-1t64 libopenblas0 libsentencepiece0 libjansson4
    libpng16-16t64 libjpeg-turbo8 libwebp7 zlib1g libxxhash0
)

# What the tests take besides. clang-format must be 14: others format differently. slurm*: a cluster
# of one node. python3-pil: reads pictures as the evaluators do.
# shellcheck disable=SC2034
skv_packages_test=(
    libcmocka-dev ninja-build python3 python3-numpy python3-h5py python3-pil python3-matplotlib
    clang-format-14 clang-tidy-14 shellcheck procps slurmctld slurmd slurm-client
    slurm-wlm-basic-plugins iproute2
)

# A browser for the tests of the report. Not on Ubuntu, whose chromium is a snap: containers cannot
# have it.
# shellcheck disable=SC2034
skv_packages_browser=(chromium chromium-driver python3-selenium)

# skv_install PACKAGE...: installs those that are missing, as root or by sudo.
skv_install() {
    local package missing=() as_root=()

    if [ "${SKV_INSTALL:-yes}" = no ]; then
        return 0
    fi
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        echo "install: no apt here, so nothing is installed; needed: $*" >&2
        return 0
    fi
    for package in "$@"; do
        if [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
            missing+=("$package")
        fi
    done
    if [ ${#missing[@]} -eq 0 ]; then
        return 0
    fi
    if [ "$(id -u)" -ne 0 ]; then
        # without a terminal sudo cannot ask for a password
        if ! command -v sudo >/dev/null || { [ ! -t 0 ] && ! sudo -n true 2>/dev/null; }; then
            echo "install: neither root nor sudo; have these packages installed first:" \
                "${missing[*]}" >&2
            return 1
        fi
        as_root=(sudo)
    fi
    echo "install: ${missing[*]}"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -o Acquire::Retries=3 update </dev/null &&
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get -q -y -o Acquire::Retries=3 install --no-install-recommends "${missing[@]}" \
            </dev/null
}

# skv_nvcc: prints where nvcc is; fails where there is none.
skv_nvcc() {
    command -v nvcc || { [ -x /usr/local/cuda/bin/nvcc ] && echo /usr/local/cuda/bin/nvcc; }
}

# skv_gpu: ON where a GPU answers and nvcc is there to build for it, else OFF.
skv_gpu() {
    if nvidia-smi -L >/dev/null 2>&1 && skv_nvcc >/dev/null; then
        echo ON
    else
        echo OFF
    fi
}
