"""The spaces that tests of every space run on: the paper's, and, in tests that take no time, one of other widths."""

from pathlib import Path

from blockprof.spaces import load_space

SPACES = {name: load_space(name) for name in ("mbv3", "pn", "resnet50")}
WITH_NARROW = {**SPACES, "mbv3-w1.0": load_space("mbv3-w1.0")}


# A space from a file, with an operator of its own.
OWN = """\
name: own
resolutions: {from: 32, to: 64, step: 32}
operators: {mine: my_operators.py:build}
stem: [{operator: conv, channels: 8, stride: 2}]
units:
  - {channels: 8, stride: 1, layers: [1, 2]}
  - {channels: 16, stride: 2, layers: 2}
head: [{operator: classifier}]
operator: mine
choices: {kernel: [3, 5]}
"""
BUILD = """\
from torch import nn

def build(block, in_channels, out_channels, stride, size):
    kernel = block["kernel"]
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2), nn.ReLU())
"""


def write_own(folder: Path, build: str = BUILD, text: str = OWN) -> str:
    folder.mkdir(exist_ok=True)
    (folder / "my_operators.py").write_text(build)
    (folder / "own.yaml").write_text(text)
    return str(folder / "own.yaml")
