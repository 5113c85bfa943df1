# Shared by the run tests: a small job, and comparing what two runs left behind.
# Needs: skv (program), source (repository), work (an empty folder of the test's own).
# shellcheck shell=bash disable=SC2154

# The system's, or one that comes first in PATH. By its own name: "two runs differ" would be said
# otherwise.
python=
for python in /usr/bin/python3 python3 ""; do
    [ -z "$python" ] || "$python" -c 'import h5py, numpy' 2>/dev/null && break
done
if [ -z "$python" ]; then
    echo "comparing runs takes python3-h5py, which neither /usr/bin/python3 nor python3 finds" >&2
    exit 1
fi

# Ends the test as skipped where there is no GPU.
need_gpu() {
    nvidia-smi -L >/dev/null 2>&1 && return
    echo "skipped: no GPU"
    exit 77
}

# The job of the tests: 6 rows in 3 groups, the full cache and two compressed paths.
write_job() {
    printf '%s\n' "a photo of a cat" "two red apples" "a lighthouse above the sea" \
        "a person on a bench" "a green car" "an old map" >"$work/prompts.txt"
    cat >"$work/job.json" <<JSON
{
  "transformer": "formula:tiny_f16", "vae": "formula:tiny_f16",
  "t5": "$source/tests/data/tiny_t5", "prompts": "prompts.txt",
  "resolution": "0.06M", "cfg": 3, "group_size": 2, "drafters": [0],
  "paths": "full,scalekv-10,streaming-20"
}
JSON
}

# How ranks are started: by mpirun where the program has MPI, or by a plain loop, over TCP.
by_loop="bash $source/tests/mpi/loop.sh"
start="mpirun --oversubscribe -n"
[ -z "${SKV_TEST_NO_MPI:-}" ] || start=$by_loop

# sample RANKS OUT OPTION...
sample() {
    local ranks=$1 out=$2

    shift 2
    # shellcheck disable=SC2086 # words
    $start "$ranks" "$skv" sample --config "$work/job.json" --out "$out" \
        --threads 1 "$@" </dev/null
}

# same_run A B: equal PNGs, byte for byte, and equal datasets.
same_run() {
    diff -r "$1/images" "$2/images" && same_datasets "$1" "$2"
}

# same_datasets A B: of run.h5, but for the seconds.
same_datasets() {
    "$python" - "$1/run.h5" "$2/run.h5" <<'PYTHON'
import sys

import h5py
import numpy as np


def datasets(path):
    found = {}
    with h5py.File(path, "r") as f:
        f.visititems(lambda n, o: found.update({n: o[()]}) if isinstance(o, h5py.Dataset) else None)
    return found


a, b = (datasets(p) for p in sys.argv[1:])
names = sorted(set(a) | set(b))
if not any(n.endswith("/bits") for n in names):
    sys.exit("no bits in run.h5: nothing was compared")
for n in names:
    if n not in a or n not in b:
        sys.exit(f"{n} is in one run only")
    if not n.endswith("/seconds") and not np.array_equal(a[n], b[n]):
        sys.exit(f"{n} differs")
PYTHON
}

fail() {
    echo "$*" >&2
    exit 1
}
