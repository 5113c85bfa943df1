# shellcheck shell=bash
# h5py gives every text of our HDF5 files as str, attributes at once and datasets by asstr(); every
# dataset of run.h5, metrics.h5 behind it, and of a group file says its long name and units.
printf 'caf\xc3\xa9\na dog\n' >prompts.txt
printf '%05000d\n' 7 >>prompts.txt # so that texts of variable length are there, too
"$SKV" sample --transformer formula:tiny_f16 --vae formula:tiny_f16 --t5 "$DATA/tiny_t5" \
    --prompts prompts.txt --resolution 0.06M --drafters 0 --threads 1 --paths full,scalekv-10 \
    --out run >/dev/null 2>&1
"$SKV" eval run --networks none >/dev/null
/usr/bin/python3 - <<'PYTHON'
import h5py
import numpy as np


def look(name):
    """Texts of attributes and datasets, and how many datasets."""
    seen = {"attributes": 0, "datasets": 0, "texts": 0}

    def attributes(what, o):
        for key, value in o.attrs.items():
            assert not isinstance(value, (bytes, np.bytes_)), (name, what, key)
            seen["attributes"] += isinstance(value, str)

    def visit(what, o):
        attributes(what, o)
        if not isinstance(o, h5py.Dataset):
            return
        assert o.attrs["long_name"] and isinstance(o.attrs["units"], str), what
        seen["datasets"] += 1
        if h5py.check_string_dtype(o.dtype):
            assert h5py.check_string_dtype(o.dtype).encoding == "utf-8", what
            assert all(isinstance(text, str) for text in o.asstr()[:]), what
            seen["texts"] += 1

    with h5py.File(name) as f:
        attributes("/", f)
        f.visititems(visit)
    print(name, "texts of datasets:", seen["texts"], seen["attributes"] >= 2 * seen["datasets"] > 0)


for file in ("run/run.h5", "run/metrics.h5", "run/groups/full/000000.h5"):
    look(file)
with h5py.File("run/run.h5") as f:
    print(f["samples/prompt"].asstr()[0], f["samples/id"].asstr()[:], f.attrs["skv"],
          f["metrics/scalekv-10/psnr"].attrs["units"], repr(f["samples/id"].attrs["units"]))
PYTHON
