"""A run that grew beside one of the whole list, row by row of one id; and an export of it."""
import sys

import h5py
import numpy as np
from PIL import Image

PATHS = ("full", "scalekv-10")


def rows_of(run):
    return {name: i for i, name in enumerate(run["samples/id"].asstr()[:])}


def pixels(path):
    return np.asarray(Image.open(path).convert("RGB"))


grown, whole = (h5py.File(f"{name}/run.h5") for name in sys.argv[1:3])
here, there = rows_of(grown), rows_of(whole)
print("rows:", " ".join(here))
print("the same ids:", sorted(here) == sorted(there))
print("row numbers:", grown["samples/row"][:].tolist())
print("prompts, samples:", grown.attrs["segments"])
for what in ("samples/seed", "samples/offset", "samples/prompt", "paths/{}/image", "paths/{}/bits"):
    for path in PATHS if "{}" in what else PATHS[:1]:
        name = what.format(path)
        n = sum(np.array_equal(grown[name][i], whole[name][there[k]]) for k, i in here.items())
        print(f"{name}: {n} of {len(here)} are the same")
for prompt in "abcde":
    for sample in range(2):
        name = f"{prompt}-{sample}" if sample else prompt
        picture = pixels(f"{sys.argv[3]}/{prompt}_{sample}.png")
        if not np.array_equal(picture, grown["paths/full/image"][here[name]]):
            print(f"{prompt}_{sample}.png is not the picture of {name}")
