"""Reads exported folders as the evaluators of the sets of 2026 do, without a line of skv.

    read_sets.py LAYOUT FOLDER IMAGES PROMPTS     IMAGES: the run's images/<path>

Each function below follows one evaluator: what it lists, globs or opens by name, in its order, and
which prompt it takes a picture for. Every picture that would be scored is then compared with the
run's own PNG of that prompt and sample.
Prints what would be scored; ends with status 1 at the first difference.
"""
import glob
import io
import json
import os
import sys

import numpy as np
from PIL import Image


def pixels(path):
    return np.asarray(Image.open(path).convert("RGB"), dtype=int)


def compare(picture, form, images, prompt_id, sample, what):
    """JPEG: as Pillow's own of quality 95."""
    want = pixels(f"{images}/{prompt_id}-{sample}.png" if sample else f"{images}/{prompt_id}.png")
    if form == "JPEG":
        packed = io.BytesIO()
        Image.fromarray(want.astype(np.uint8)).save(packed, "JPEG", quality=95)
        want = pixels(packed)
    if picture.shape != want.shape:
        sys.exit(f"{what}: {picture.shape}, want {want.shape}")
    off = np.abs(picture - want).mean()
    if off > (0.5 if form == "JPEG" else 0):
        sys.exit(f"{what}: differs from {prompt_id}-{sample} by {off}")
    print(f"{what}: {form}, prompt {prompt_id} sample {sample}")


def check(path, images, prompt_id, sample, what):
    form = Image.open(path).format
    compare(pixels(path), form, images, prompt_id, sample, what)


def by_text(prompts, text):
    (one,) = [p for p in prompts if p["prompt"] == text]
    return one["id"]


def geneval2(folder, images, prompts):
    """One JSON object, prompt to file; every prompt must be in it. Run from another folder."""
    with open(f"{folder}/image_paths.json", encoding="utf-8") as f:
        paths = json.load(f)
    os.chdir("/")
    for p in prompts:
        check(paths[p["prompt"]], images, p["id"], 0, os.path.basename(paths[p["prompt"]]))


def geneval_pp(folder, images, prompts):
    for line, p in enumerate(prompts, 1):
        check(f"{folder}/{line}.jpg", images, p["id"], 0, f"{line}.jpg")


def wise(folder, images, prompts):
    for p in prompts:
        check(os.path.join(folder, f"{p['id']}.png"), images, p["id"], 0, f"{p['id']}.png")


def t2i_compbench(folder, images, prompts):
    """All of samples/, sorted by the number behind the last _; the place in that order is the id,
    the text is what comes before the first _."""
    samples = sorted(os.listdir(f"{folder}/samples"),
                     key=lambda x: int(x.split("_")[-1].split(".")[0]))
    k = len(samples) // len(prompts)
    for place, name in enumerate(samples):
        if int(name.split("_")[-1].split(".")[0]) != place:
            sys.exit(f"{name} stands at {place}")
        check(f"{folder}/samples/{name}", images, by_text(prompts, name.split("_")[0]), place % k,
              name)


def oneig(folder, images, prompts):
    """Category by category id*, which must be one name; cut into 2 x 2; a black cell is missing."""
    folders = {"Anime_Stylization": "anime", "Text_Rendering": "text"}
    for p in prompts:
        category, key = p["id"].rsplit("-", 1)
        found = glob.glob(f"{folder}/{folders[category]}/full/{key}*")
        if len(found) != 1:
            sys.exit(f"{p['id']}: {found}")
        grid = Image.open(found[0])
        width, height = grid.size[0] // 2, grid.size[1] // 2
        for i in range(2):
            for j in range(2):
                cell = grid.crop((j * width, i * height, (j + 1) * width, (i + 1) * height))
                cell = np.asarray(cell.convert("RGB"), dtype=int)
                if not cell.any():
                    sys.exit(f"{found[0]}: a black cell")
                compare(cell, grid.format, images, p["id"], 2 * i + j,
                        os.path.relpath(found[0], folder))


def tiif(folder, images, prompts):
    for line, p in enumerate(prompts):
        check(f"{folder}/{line}.png", images, p["id"], 0, f"{line}.png")


def longtext(folder, images, prompts):
    """All *.png; the prompt's number is before the _."""
    for path in sorted(glob.glob(f"{folder}/*.png")):
        number, sample = os.path.basename(path)[:-4].split("_")
        (p,) = [p for p in prompts if int(p["id"]) == int(number)]
        check(path, images, p["id"], int(sample) - 1, os.path.basename(path))


def unigen(folder, images, prompts):
    for p in prompts:
        for j in range(4):
            name = f"{int(p['id'])}_{j}.png"
            check(os.path.join(folder, name), images, p["id"], j, name)


def genai(folder, images, prompts):
    for p in prompts:
        name = f"{int(p['id']):05d}.jpeg"
        check(os.path.join(folder, name), images, p["id"], 0, name)


def imagereward(folder, images, prompts):
    """A JSON array, despite its name; each object brings its prompt and its files."""
    with open(f"{folder}/metadata.jsonl", encoding="utf-8") as f:
        items = json.load(f)
    os.chdir("/")
    for item, p in zip(items, prompts):
        if (item["id"], item["prompt"]) != (p["id"], p["prompt"]):
            sys.exit(f"{item} is not {p}")
        for j, path in enumerate(item["gen_image_paths"]):
            check(path, images, p["id"], j, os.path.relpath(path, folder))


def hpsv2(folder, images, prompts):
    """Every folder is a style; its pictures are numbered as its prompts are."""
    for style in sorted(os.listdir(folder)):
        own = [p for p in prompts if p["id"].rsplit("-", 1)[0] == style]
        for place, p in enumerate(own):
            name = f"{style}/{place:05d}.jpg"
            check(os.path.join(folder, name), images, p["id"], 0, name)


def mjhq(folder, images, prompts):
    """clean-fid's list: every picture in all folders."""
    found = [p for p in glob.glob(f"{folder}/**", recursive=True)
             if p.lower().endswith((".png", ".jpg", ".jpeg", ".webp"))]
    for path in sorted(found):
        name = os.path.relpath(path, folder)
        check(path, images, os.path.basename(name)[:-4], 0, name)


if __name__ == "__main__":
    layout, folder, images, prompts = sys.argv[1:]
    with open(prompts, encoding="utf-8") as f:
        prompts = [json.loads(line) for line in f]
    layout = {"geneval++": "geneval_pp", "t2i-compbench": "t2i_compbench"}.get(layout, layout)
    globals()[layout](os.path.abspath(folder), os.path.abspath(images), prompts)
