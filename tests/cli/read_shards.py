"""Reads a folder of WebDataset's archives with Python's tarfile and holds each sample against the run.

    read_shards.py FOLDER IMAGES PROMPT...     IMAGES: the run's images/<path>

As the library does: archives by name, files that follow each other grouped by what stands before the
first dot. Every PNG must be the file of the run, byte for byte.
"""
import glob
import itertools
import json
import os
import sys
import tarfile

folder, images, *prompts = sys.argv[1:]
for shard in sorted(glob.glob(f"{folder}/*.tar")):
    with tarfile.open(shard) as tar:
        members = [m for m in tar if m.isfile()]
        facts = {(m.mtime, m.uid, m.gid, m.mode, m.uname) for m in members}
        if facts - {(0, 0, 0, 0o644, "")}:
            sys.exit(f"{shard}: {facts}")
        for key, files in itertools.groupby(members, lambda m: m.name.split(".", 1)[0]):
            sample = {m.name.split(".", 1)[1]: tar.extractfile(m).read() for m in files}
            recipe = json.loads(sample["json"])
            with open(f"{images}/{recipe['id']}.png", "rb") as f:
                if f.read() != sample["png"]:
                    sys.exit(f"{key}: not the run's picture")
            text = sample["txt"].decode()
            if text != recipe["prompt"] or text != prompts[int(key) * len(prompts) // 6]:
                sys.exit(f"{key}: {text}")
            print(os.path.basename(shard), key, *sample, recipe["id"], recipe["seed"], repr(text))
