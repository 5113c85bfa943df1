#!/usr/bin/env python3
"""clean_fid.py FOLDER FOLDER [STATS.npz]: FID and KID of two folders of pictures, by clean-fid's rule.

An independent form in numpy and Pillow of what eval/metrics does: pictures decoded by Pillow, each
channel resized to 299 by Pillow in floating point (mode F, bicubic), clipped and not rounded; the
Inception network of 2015 with the formula's weights; FID with numpy.cov and eigenvalues; KID as
clean-fid's kernel distance, over the whole sets (folders of equally many pictures). With a third
argument it writes the second folder's statistics as pytorch-fid does. tests/golden/test_against.c
has the numbers that it printed for tests/data/against.
"""
import pathlib
import sys
import zlib

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image

SIDE = 299


def formula(name, shape, add, mul, positive=False):
    i = np.arange(int(np.prod(shape)), dtype=np.uint32)
    x = (i * np.uint32(0x9E3779B9)) ^ np.uint32(zlib.crc32(name.encode()))
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):
        x ^= x >> np.uint32(shift)
        x *= np.uint32(factor)
    r = ((x >> np.uint32(8)).astype(np.int64) - 2**23) / 2**23
    r = r.astype(np.float32).astype(np.float64)
    return (add + mul * (abs(r) if positive else r)).astype(np.float32).reshape(shape)


def conv(x, name, out, kernel=(1, 1), stride=1, pad=(0, 0)):
    """Convolution without bias, batch norm (eps 0.001), ReLU. x (h,w,c)."""
    kh, kw = kernel
    weight = formula(name + ".conv.weight", (out, x.shape[2], kh, kw), 0,
                     np.sqrt(6 / (x.shape[2] * kh * kw)))
    gamma = formula(name + ".bn.weight", out, 1, 0.25)
    beta = formula(name + ".bn.bias", out, 0, 0.25)
    mean = formula(name + ".bn.running_mean", out, 0, 0.25)
    var = formula(name + ".bn.running_var", out, 1, 0.5)
    x = np.pad(x, ((pad[0], pad[0]), (pad[1], pad[1]), (0, 0)))
    cells = sliding_window_view(x, (kh, kw), axis=(0, 1))[::stride, ::stride]
    h, w = cells.shape[:2]
    y = (cells.reshape(h * w, -1) @ weight.reshape(out, -1).T).reshape(h, w, out)
    return np.maximum((y - mean) / np.sqrt(var + np.float32(0.001)) * gamma + beta, 0)


def max_pool(x, stride, pad=0):
    x = np.pad(x, ((pad, pad), (pad, pad), (0, 0)), constant_values=-np.inf)
    return sliding_window_view(x, (3, 3), axis=(0, 1))[::stride, ::stride].max(axis=(3, 4))


def mean_pool(x):
    """3x3, stride 1: the mean over the cells inside the map."""
    sums = [sliding_window_view(np.pad(v, ((1, 1), (1, 1), (0, 0))), (3, 3), axis=(0, 1)).sum((3, 4))
            for v in (x, np.ones_like(x))]
    return sums[0] / sums[1]


def chain(x, name, *layers):
    for part, out, kernel, stride, pad in layers:
        x = conv(x, f"{name}.{part}", out, kernel, stride, pad)
    return x


def one(part, out):
    return part, out, (1, 1), 1, (0, 0)


def same(part, out, kh, kw):
    return part, out, (kh, kw), 1, (kh // 2, kw // 2)


def half(part, out):
    return part, out, (3, 3), 2, (0, 0)


def block_a(x, n, pool):
    return np.concatenate([
        chain(x, n, one("branch1x1", 64)),
        chain(x, n, one("branch5x5_1", 48), same("branch5x5_2", 64, 5, 5)),
        chain(x, n, one("branch3x3dbl_1", 64), same("branch3x3dbl_2", 96, 3, 3),
              same("branch3x3dbl_3", 96, 3, 3)),
        chain(mean_pool(x), n, one("branch_pool", pool))], axis=2)


def block_b(x, n):
    return np.concatenate([
        chain(x, n, half("branch3x3", 384)),
        chain(x, n, one("branch3x3dbl_1", 64), same("branch3x3dbl_2", 96, 3, 3),
              half("branch3x3dbl_3", 96)),
        max_pool(x, 2)], axis=2)


def block_c(x, n, c):
    return np.concatenate([
        chain(x, n, one("branch1x1", 192)),
        chain(x, n, one("branch7x7_1", c), same("branch7x7_2", c, 1, 7),
              same("branch7x7_3", 192, 7, 1)),
        chain(x, n, one("branch7x7dbl_1", c), same("branch7x7dbl_2", c, 7, 1),
              same("branch7x7dbl_3", c, 1, 7), same("branch7x7dbl_4", c, 7, 1),
              same("branch7x7dbl_5", 192, 1, 7)),
        chain(mean_pool(x), n, one("branch_pool", 192))], axis=2)


def block_d(x, n):
    return np.concatenate([
        chain(x, n, one("branch3x3_1", 192), half("branch3x3_2", 320)),
        chain(x, n, one("branch7x7x3_1", 192), same("branch7x7x3_2", 192, 1, 7),
              same("branch7x7x3_3", 192, 7, 1), half("branch7x7x3_4", 192)),
        max_pool(x, 2)], axis=2)


def block_e(x, n, pool):
    b = chain(x, n, one("branch3x3_1", 384))
    d = chain(x, n, one("branch3x3dbl_1", 448), same("branch3x3dbl_2", 384, 3, 3))
    return np.concatenate([
        chain(x, n, one("branch1x1", 320)),
        chain(b, n, same("branch3x3_2a", 384, 1, 3)), chain(b, n, same("branch3x3_2b", 384, 3, 1)),
        chain(d, n, same("branch3x3dbl_3a", 384, 1, 3)),
        chain(d, n, same("branch3x3dbl_3b", 384, 3, 1)),
        chain(pool(x), n, one("branch_pool", 192))], axis=2)


def features(path):
    rgb = np.asarray(Image.open(path).convert("RGB"), dtype=np.float32)
    size = (SIDE, SIDE)
    x = np.stack([np.asarray(Image.fromarray(rgb[:, :, c], mode="F").resize(size, Image.BICUBIC))
                  for c in range(3)], axis=2).clip(0, 255)
    x = (x - 128) / 128
    x = conv(x, "Conv2d_1a_3x3", 32, (3, 3), 2)
    x = conv(x, "Conv2d_2a_3x3", 32, (3, 3))
    x = max_pool(conv(x, "Conv2d_2b_3x3", 64, (3, 3), 1, (1, 1)), 2)
    x = conv(x, "Conv2d_3b_1x1", 80)
    x = max_pool(conv(x, "Conv2d_4a_3x3", 192, (3, 3)), 2)
    for name, pool in (("Mixed_5b", 32), ("Mixed_5c", 64), ("Mixed_5d", 64)):
        x = block_a(x, name, pool)
    x = block_b(x, "Mixed_6a")
    for name, c in (("Mixed_6b", 128), ("Mixed_6c", 160), ("Mixed_6d", 160), ("Mixed_6e", 192)):
        x = block_c(x, name, c)
    x = block_d(x, "Mixed_7a")
    x = block_e(x, "Mixed_7b", mean_pool)
    x = block_e(x, "Mixed_7c", lambda v: max_pool(v, 1, 1))
    return x.mean(axis=(0, 1), dtype=np.float64)


def root(s):
    w, v = np.linalg.eigh(s)
    w[w < w.max() * len(w) * np.finfo(float).eps] = 0
    return v * np.sqrt(w)


def main():
    sets = [np.array([features(p) for p in sorted(pathlib.Path(f).rglob("*")) if p.is_file()])
            for f in sys.argv[1:3]]
    (m1, s1), (m2, s2) = [(x.mean(axis=0), np.cov(x, rowvar=False)) for x in sets]
    trace_root = np.linalg.svd(root(s1).T @ root(s2), compute_uv=False).sum()
    print("FID", repr(((m1 - m2) ** 2).sum() + np.trace(s1) + np.trace(s2) - 2 * trace_root))
    x, y = sets
    n = len(x)
    if n == len(y):
        xx, yy, xy = [(a @ b.T / a.shape[1] + 1) ** 3 for a, b in ((x, x), (y, y), (x, y))]
        within = xx.sum() - np.trace(xx) + yy.sum() - np.trace(yy)
        print("KID", repr((within / (n - 1) - 2 * xy.sum() / n) / n))
    if len(sys.argv) > 3:
        np.savez_compressed(sys.argv[3], mu=m2, sigma=s2)


main()
