#!/usr/bin/env python3
"""What a cache of codes gives back, by numpy, number by number; src/cache/README.md, Keys and
values in a byte.

    kv_codes.py WALK_CODES fp8|int8     holds tests/golden/walk_codes.c against it, exactly

E4M3 is rounded by a search in the table of its values, int8 by rint.
"""
import subprocess
import sys

try:
    import numpy as np
except ImportError:
    print("numpy is not here")
    sys.exit(77)

from policies import uniform

DIM = 16
CAP, SINKS = 30, 4  # streaming's, in walk_codes
f32 = np.float32


def e4m3_table():
    """The values of codes 0 to 126: 15 exponents of 8 mantissas, the first without a leading 1."""
    code = np.arange(127)
    exponent, mantissa = code >> 3, code & 7
    return np.where(exponent == 0, mantissa * 2.0**-9, (8 + mantissa) * 2.0 ** (exponent - 10.0))


def to_e4m3(x):
    """The nearest value of the table, between two the one with the even code, with x's sign."""
    table = e4m3_table()
    a = np.minimum(np.abs(x.astype(np.float64)), table[-1])
    above = np.searchsorted(table, a)  # the first that is not below
    below = np.maximum(above - 1, 0)
    up, down = table[above] - a, a - table[below]
    code = np.where((up < down) | ((up == down) & (above % 2 == 0)), above, below)
    return np.copysign(table[code], x).astype(f32)


def to_int8(x):
    return np.clip(np.rint(x), -127, 127).astype(f32)


TYPES = {"fp8": (f32(256), to_e4m3), "int8": (f32(127), to_int8)}


def held(x, peak, name):
    """x after a round trip; all steps in fp32."""
    limit, to_code = TYPES[name]
    scale = np.maximum(peak / limit, f32(2.0**-126)).astype(f32)
    return (to_code((x * (f32(1) / scale)).astype(f32)) * scale).astype(f32)


def tokens(row, head, first, n, scale):
    """K and V of n tokens, (n, DIM) each."""
    u = uniform(1, row * 2 + head, 0, (first + n) * 2 * DIM)[first * 2 * DIM:]
    u = (2 * u - 1).astype(f32).reshape(n, 2 * DIM)
    return u[:, :DIM], u[:, DIM:] * f32(2) ** (np.arange(DIM) % 8 + scale % 3).astype(f32)


def kept(k):
    """Streaming: the first ones and the last."""
    return k if len(k) <= CAP else np.concatenate([k[:SINKS], k[SINKS - CAP:]])


def main(program, name):
    out = subprocess.run([program, name], check=True, capture_output=True, text=True).stdout
    lines = [line.split() for line in out.splitlines()]
    starts = [int(line[2]) for line in lines if line[0] == "scale"]
    read = {tuple(map(int, line[1:5])): np.array([float.fromhex(x) for x in line[5:]], f32)
            for line in lines if line[0] == "read"}
    compared = 0
    for row in range(2):
        for head in range(2):
            cache = np.zeros((0, 2 * DIM), f32)
            for si, start in enumerate(starts):
                for i, want in enumerate(cache):
                    have = read[si, row, head, i]
                    wrong = np.flatnonzero(have != want)
                    if len(wrong) > 0:
                        sys.exit(f"scale {si}, row {row}, head {head}, token {i}, number "
                                 f"{wrong[0]}: {have[wrong[0]]!r}, numpy {want[wrong[0]]!r}")
                    compared += len(want)
                if si + 1 < len(starts):
                    k, v = tokens(row, head, start, starts[si + 1] - start, si)
                    new = np.concatenate([held(k, np.ones(DIM, f32), name),
                                          held(v, np.abs(v).max(axis=0), name)], axis=1)
                    cache = kept(np.concatenate([cache, new]))
    assert len(starts) > 5 and compared == 2 * DIM * len(read), "some were not compared"
    print(f"{name}: {compared} numbers as numpy has them")


main(sys.argv[1], sys.argv[2])
