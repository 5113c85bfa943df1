# shellcheck shell=bash
# A group file that is as its writer left it was read back by the writer: gather --virtual-run points
# at its pictures and does not read them, nor does the process that checks HDF5 files. A file that
# somebody touched, and a copy, are read whole.
printf 'a cat\na dog\na bird\n' >prompts.txt
cat >job.json <<JSON
{"transformer": "formula:tiny_f16", "vae": "formula:tiny_f16", "t5": "$SOURCE/tests/data/tiny_t5",
 "prompts": "prompts.txt", "resolution": "0.06M", "group_size": 2, "drafters": [0], "threads": 2,
 "paths": "scalekv-10", "store": "bits,image"}
JSON

gather() {
    local status=0

    "$SKV" gather run "$@" >/dev/null 2>log || status=$?
    echo "gather $* $status"
}

"$SKV" sample --config job.json --out run --no-gather >/dev/null 2>&1
cp -a run copied
# A bit of a picture, as a disk may lose it: nobody has written to the file.
/usr/bin/python3 - <<'PYTHON'
import os

import h5py

for run in ("run", "copied"):
    name = run + "/groups/scalekv-10/000001.h5"
    picture = h5py.File(name)["image"][0].tobytes()
    with open(name, "r+b") as file:
        before = os.fstat(file.fileno())
        at = file.read().index(picture)
        file.seek(at + 1000)
        file.write(bytes([picture[1000] ^ 1]))
        file.flush()
        os.utime(file.fileno(), ns=(before.st_atime_ns, before.st_mtime_ns))
PYTHON
gather --virtual-run
rm -r run/run.h5 run/index
touch run/groups/scalekv-10/000001.h5
gather --virtual-run
rm -r run
mv copied run
gather --virtual-run
