"""Checkpoints with a number that is not finite.

    spoil.py text FROM TO TENSOR ROW VALUE    a copy of a T5 folder; the first number of a tensor's row
    spoil.py transformer TO TENSOR VALUE      tiny_f16 with random weights; all numbers of a tensor
    spoil.py vae TO TENSOR VALUE              its VAE
"""
import json
import pathlib
import shutil
import struct
import sys

import numpy as np

WIDTH, HEADS, DEPTH, CHUNKS, TEXT, BITS = 128, 4, 4, 2, 256, 16
VAE_BASE, VAE_MULT = 32, (1, 2, 4, 4, 4)


def transformer():
    c = WIDTH
    shapes = {
        "cfg_uncond": (512, TEXT), "pos_start": (1, 1, c), "text_norm.weight": (TEXT,),
        "text_proj_for_sos.ca.mat_q": (1, c // 64, 64), "text_proj_for_sos.ca.v_bias": (c,),
        "text_proj_for_sos.ca.mat_kv.weight": (2 * c, TEXT),
        "text_proj_for_sos.ca.proj.weight": (c, c), "text_proj_for_sos.ca.proj.bias": (c,),
        "text_proj_for_ca.0.weight": (c, TEXT), "text_proj_for_ca.0.bias": (c,),
        "text_proj_for_ca.2.weight": (c, c), "text_proj_for_ca.2.bias": (c,),
        "lvl_embed.weight": (15, c), "word_embed.weight": (c, BITS), "word_embed.bias": (c,),
        "shared_ada_lin.1.weight": (6 * c, c), "shared_ada_lin.1.bias": (6 * c,),
        "head_nm.ada_lin.1.weight": (2 * c, c), "head_nm.ada_lin.1.bias": (2 * c,),
        "head.weight": (2 * BITS, c), "head.bias": (2 * BITS,),
    }
    block = {
        "ada_gss": (1, 1, 6, c), "sa.scale_mul_1H11": (1, HEADS, 1, 1), "sa.q_bias": (c,),
        "sa.v_bias": (c,), "sa.mat_qkv.weight": (3 * c, c), "sa.proj.weight": (c, c),
        "sa.proj.bias": (c,), "ca.v_bias": (c,), "ca.mat_q.weight": (c, c), "ca.mat_q.bias": (c,),
        "ca.mat_kv.weight": (2 * c, c), "ca.proj.weight": (c, c), "ca.proj.bias": (c,),
        "ffn.fc1.weight": (4 * c, c), "ffn.fc1.bias": (4 * c,), "ffn.fc2.weight": (c, 4 * c),
        "ffn.fc2.bias": (c,), "ca_norm.weight": (c,), "ca_norm.bias": (c,),
    }
    for layer in range(DEPTH):
        stem = "block_chunks.%d.module.%d." % divmod(layer, DEPTH // CHUNKS)
        shapes.update({stem + name: shape for name, shape in block.items()})
    return shapes


def vae():
    shapes = {}

    def norm(name, n):
        shapes[name + ".norm.weight"] = shapes[name + ".norm.bias"] = (n,)

    def conv(name, co, ci, side=3):
        shapes[name + ".conv.weight"] = (co, ci, side, side)
        shapes[name + ".conv.bias"] = (co,)

    def resnet(name, ci, co):
        norm(name + ".norm1", ci)
        conv(name + ".conv1", co, ci)
        norm(name + ".norm2", co)
        conv(name + ".conv2", co, co)
        if ci != co:
            conv(name + ".nin_shortcut", co, ci, 1)

    width = VAE_BASE * VAE_MULT[-1]
    conv("decoder.conv_in", width, BITS)
    for i in (1, 2):
        resnet("decoder.mid.block_%d" % i, width, width)
    for level in reversed(range(len(VAE_MULT))):
        for i in range(3):
            resnet("decoder.up.%d.block.%d" % (level, i), width, VAE_BASE * VAE_MULT[level])
            width = VAE_BASE * VAE_MULT[level]
        if level > 0:
            conv("decoder.up.%d.upsample.conv" % level, width, width)
    norm("decoder.norm_out", width)
    conv("decoder.conv_out", 3, width)
    return shapes


def write(path, shapes, tensor, value):
    random, header, data, at = np.random.default_rng(7), {}, [], 0
    for name, shape in shapes.items():
        numbers = (random.standard_normal(shape) * 0.05).astype("<f4")
        if name == tensor:
            numbers[...] = value
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + numbers.nbytes]}
        at += numbers.nbytes
        data.append(numbers.tobytes())
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(data))


def spoil_text(source, target, tensor, row, value):
    found = False
    shutil.copytree(source, target)
    for path in target.glob("*.safetensors"):
        data = bytearray(path.read_bytes())
        (n,) = struct.unpack_from("<Q", data)
        entry = json.loads(data[8:8 + n]).get(tensor)
        if entry:
            at = 8 + n + entry["data_offsets"][0] + 4 * row * entry["shape"][-1]
            struct.pack_into("<f", data, at, value)
            path.write_bytes(data)
            found = True
    if not found:
        sys.exit(f"{source}: no tensor {tensor}")


what, *args = sys.argv[1:]
if what == "text":
    source, target, tensor, row, value = args
    spoil_text(pathlib.Path(source), pathlib.Path(target), tensor, int(row), float(value))
else:
    target, tensor, value = args
    shapes = {"transformer": transformer, "vae": vae}[what]()
    if tensor not in shapes:
        sys.exit(f"no tensor {tensor}")
    write(pathlib.Path(target), shapes, tensor, float(value))
