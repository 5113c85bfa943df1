"""Reads exported folders by the rules of the evaluators' own scripts, without a line of skv.

    read_layouts.py geneval FOLDER IMAGES PROMPTS     IMAGES: the run's images/<path>
    read_layouts.py dpg FOLDER RESOLUTION IMAGES
    read_layouts.py coco FOLDER_A FOLDER_B IMAGES_A IMAGES_B

Every picture that an evaluator would score is compared, pixel by pixel, with the run's own PNG of
that sample. Prints what was read; ends with status 1 at the first difference.
"""
import json
import os
import re
import struct
import sys
import zlib


class Picture:
    def __init__(self, width, height, rows):
        self.width, self.height, self.rows = width, height, rows

    def crop(self, left, top, right, bottom):
        """As PIL crops: what lies outside is black."""
        rows = []
        for y in range(top, bottom):
            inside = self.rows[y] if 0 <= y < self.height else b""
            row = inside[3 * left:3 * right]
            rows.append(row + bytes(3 * (right - left) - len(row)))
        return Picture(right - left, bottom - top, rows)

    def __eq__(self, other):
        return (self.width, self.height, self.rows) == (other.width, other.height, other.rows)


def unfilter(kind, line, above):
    out = bytearray(line)
    for i, value in enumerate(line):
        a = out[i - 3] if i >= 3 else 0
        b = above[i]
        c = above[i - 3] if i >= 3 else 0
        if kind == 1:
            value += a
        elif kind == 2:
            value += b
        elif kind == 3:
            value += (a + b) // 2
        elif kind == 4:
            p = a + b - c
            nearest = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))
            value += nearest[2]
        out[i] = value & 255
    return bytes(out)


def row_id(prompt, sample):
    return f"{prompt}-{sample}" if sample else prompt


def read_png(path):
    """8-bit RGB without interlacing, chunk checksums verified; all that an export writes."""
    with open(path, "rb") as f:
        data = f.read()
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        sys.exit(f"{path}: no PNG")
    at, packed, head = 8, b"", None
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        (crc,) = struct.unpack(">I", data[at + 8 + length:at + 12 + length])
        if crc != zlib.crc32(kind + body):
            sys.exit(f"{path}: {kind} is damaged")
        if kind == b"IHDR":
            head = struct.unpack(">IIBBBBB", body)
        elif kind == b"IDAT":
            packed += body
        at += 12 + length
    width, height, depth, colour, _, _, interlace = head
    if (depth, colour, interlace) != (8, 2, 0):
        sys.exit(f"{path}: depth {depth}, colour type {colour}, interlace {interlace}")
    raw, stride = zlib.decompress(packed), 3 * width
    rows, above = [], bytes(stride)
    for y in range(height):
        start = y * (stride + 1)
        above = unfilter(raw[start], raw[start + 1:start + 1 + stride], above)
        rows.append(above)
    return Picture(width, height, rows)


def same(a, b, what):
    if a != b:
        sys.exit(f"{what} differs")


def geneval(folder, images, prompts):
    """All folders whose name is digits; in samples/ all files that begin with digits and .png."""
    with open(prompts, "rb") as f:
        lines = f.read().split(b"\n")
    scored = []
    for name in os.listdir(folder):
        inner = os.path.join(folder, name)
        if not os.path.isdir(inner) or not name.isdigit():
            continue
        with open(os.path.join(inner, "metadata.jsonl"), "rb") as f:
            text = f.read()
        same(text, lines[int(name)], f"{name}/metadata.jsonl")
        tag = json.loads(text)["tag"]
        for sample in os.listdir(os.path.join(inner, "samples")):
            path = os.path.join(inner, "samples", sample)
            if not os.path.isfile(path) or not re.match(r"\d+\.png", sample):
                continue
            number = int(re.match(r"\d+", sample).group())
            same(read_png(path), read_png(f"{images}/{row_id(name, number)}.png"), path)
            scored.append((name, number, tag))
    for name, number, tag in sorted(scored):
        print(f"line {name} sample {number} {tag}")


def dpg(folder, resolution, images):
    """Every entry; the key ends at the first dot; four crops of the given side."""
    r = int(resolution)
    for name in sorted(os.listdir(folder)):
        key = name.split(".")[0]
        picture = read_png(os.path.join(folder, name))
        same((picture.width, picture.height), (2 * r, 2 * r), f"{name}: size")
        corners = [(0, 0), (r, 0), (0, r), (r, r)]
        for sample, (left, top) in enumerate(corners):
            crop = picture.crop(left, top, left + r, top + r)
            same(crop, read_png(f"{images}/{row_id(key, sample)}.png"), f"{name}, crop {sample}")
        print(f"item {key}")


def coco(first, second, images_first, images_second):
    """Names that end in .png or .jpg, sorted as text, paired by position."""
    lists = []
    for folder in (first, second):
        lists.append(sorted(n for n in os.listdir(folder) if n.endswith((".png", ".jpg"))))
    same(len(lists[0]), len(lists[1]), "number of pictures")
    # the run's own names by row: its ids sort as its rows here
    own = sorted(os.listdir(images_first))
    for a, b, run in zip(*lists, own):
        same(read_png(f"{first}/{a}"), read_png(f"{images_first}/{run}"), a)
        same(read_png(f"{second}/{b}"), read_png(f"{images_second}/{run}"), b)
        print(f"pair {a} {b}")


if __name__ == "__main__":
    {"geneval": geneval, "dpg": dpg, "coco": coco}[sys.argv[1]](*sys.argv[2:])
