#!/usr/bin/env python3
"""The metric networks' convolutions and pools in PyTorch, random weights: seconds a picture.

networks.py THREADS: prints a JSON object. AlexNet's five taps at 1024 x 1024, Inception at 299 x 299
(batch norm folded, as a deployed network has it). Only for timing: the numbers mean nothing.
"""
import json
import sys
import time

import torch
from torch import nn

torch.set_num_threads(int(sys.argv[1]))


def conv(ci, co, kernel, stride=1, pad=0):
    return nn.Sequential(nn.Conv2d(ci, co, kernel, stride, pad), nn.ReLU(inplace=True))


def same(ci, co, kh, kw):
    return conv(ci, co, (kh, kw), 1, (kh // 2, kw // 2))


def mean(ci, co):
    return nn.Sequential(nn.AvgPool2d(3, 1, 1, count_include_pad=False), conv(ci, co, 1))


class Beside(nn.Module):
    """Branches on one input, side by side."""

    def __init__(self, *branches):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x):
        return torch.cat([b(x) for b in self.branches], 1)


def chain(*parts):
    return nn.Sequential(*parts)


def block_a(ci, pool):
    return Beside(conv(ci, 64, 1), chain(conv(ci, 48, 1), same(48, 64, 5, 5)),
                  chain(conv(ci, 64, 1), same(64, 96, 3, 3), same(96, 96, 3, 3)), mean(ci, pool))


def block_b(ci):
    return Beside(conv(ci, 384, 3, 2), chain(conv(ci, 64, 1), same(64, 96, 3, 3), conv(96, 96, 3, 2)),
                  nn.MaxPool2d(3, 2))


def block_c(ci, c):
    return Beside(conv(ci, 192, 1), chain(conv(ci, c, 1), same(c, c, 1, 7), same(c, 192, 7, 1)),
                  chain(conv(ci, c, 1), same(c, c, 7, 1), same(c, c, 1, 7), same(c, c, 7, 1),
                        same(c, 192, 1, 7)), mean(ci, 192))


def block_d(ci):
    return Beside(chain(conv(ci, 192, 1), conv(192, 320, 3, 2)),
                  chain(conv(ci, 192, 1), same(192, 192, 1, 7), same(192, 192, 7, 1),
                        conv(192, 192, 3, 2)), nn.MaxPool2d(3, 2))


def block_e(ci, pool):
    def split():
        return Beside(same(384, 384, 1, 3), same(384, 384, 3, 1))

    return Beside(conv(ci, 320, 1), chain(conv(ci, 384, 1), split()),
                  chain(conv(ci, 448, 1), same(448, 384, 3, 3), split()), pool)


inception = chain(
    conv(3, 32, 3, 2), conv(32, 32, 3), same(32, 64, 3, 3), nn.MaxPool2d(3, 2), conv(64, 80, 1),
    conv(80, 192, 3), nn.MaxPool2d(3, 2), block_a(192, 32), block_a(256, 64), block_a(288, 64),
    block_b(288), block_c(768, 128), block_c(768, 160), block_c(768, 160), block_c(768, 192),
    block_d(768), block_e(1280, mean(1280, 192)),
    block_e(2048, chain(nn.MaxPool2d(3, 1, 1), conv(2048, 192, 1))), nn.AdaptiveAvgPool2d(1)).eval()
alexnet = chain(conv(3, 64, 11, 4, 2), nn.MaxPool2d(3, 2), conv(64, 192, 5, 1, 2), nn.MaxPool2d(3, 2),
                conv(192, 384, 3, 1, 1), conv(384, 256, 3, 1, 1), conv(256, 256, 3, 1, 1)).eval()


def best(network, x, runs=5):
    times = []
    with torch.no_grad():
        for _ in range(runs + 1):
            start = time.perf_counter()
            network(x)
            times.append(time.perf_counter() - start)
    return min(times[1:])


print(json.dumps({"alexnet": best(alexnet, torch.randn(1, 3, 1024, 1024)),
                  "inception": best(inception, torch.randn(1, 3, 299, 299))}))
