"""What running each block instance once takes: multiply-adds by kind, numbers moved, weights; counted at a resolution.

``blockprof.networks.facts`` reads them off the graphs of instances. Those of a built-in space lie in its folder, so
that nothing has to be built: as coefficients of the sizes and areas of an input and output, of which each quantity
is a sum. ``tests/benchmarks/make_facts.py`` writes them, and checks that they are exact at all resolutions.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import numpy as np

from blockprof.foundation.arrays import FloatArray, IntArray
from blockprof.spaces.definition import FixedPart, Space

COUNTS = ("macs", "conv_macs", "params")
"""By torchprofile, by OFA's and fvcore's rule, and from the modules; of fixed stems and heads too."""

MATRIX_MACS = (
    "expand_macs",
    "depthwise_macs",
    "spatial_macs",
    "project_macs",
    "shortcut_macs",
    "stem_macs",
    "head_macs",
    "linear_macs",
    "attention_macs",
)
"""Multiply-adds of a layer's expanding, depthwise, other spatial, projecting and other 1x1 convolutions, of stems and
heads, of linear maps and of products of activations; without squeeze-and-excite."""

QUANTITIES = (
    "blocks",
    *MATRIX_MACS,
    "strided_macs",
    "squeeze_excites",
    "activations",
    "squeeze_macs",
    "squeeze_activations",
    "weights",
)
"""``strided_macs`` are those of spatial convolutions that stride, ``activations`` the numbers moved, ``weights`` those
of convolutions and linear maps. Beside them there are ``depthwise<k>_macs`` for each kernel size k."""

HEADER = ("instance", "quantity", "constant", "in_area", "out_area", "out_size", "in_size", "in_area_squared")


@dataclass(frozen=True, eq=False)
class Facts:
    """Facts of a space's instances at one resolution.

    Attributes:
        values: by quantity (I,), in order of ``space.instances``: ``COUNTS``, ``QUANTITIES``, ``depthwise<k>_macs`` and
            ``nodes``, how many nodes its ONNX graph has.
        base: by count, of the space's fixed parts together.
        counted_by: what counted ``macs``: ``torchprofile 0.1.0``.
    """

    values: Mapping[str, FloatArray]
    base: Mapping[str, float]
    counted_by: str

    @property
    def kernels(self) -> IntArray:
        """(I,): the size of each instance's largest depthwise kernel; 0 where it has no depthwise convolution."""
        largest = np.zeros(len(self.values["blocks"]), dtype=np.int64)
        for kernel in depthwise_kernels(self.values):
            largest[self.values[depthwise(kernel)] > 0] = kernel
        return largest


class _Sized(Protocol):
    def in_size(self, resolution: int) -> int: ...

    def out_size(self, resolution: int) -> int: ...


@dataclass(frozen=True, slots=True)
class _Part:
    """Stem or head where there is only one."""

    space: Space
    part: FixedPart

    def in_size(self, resolution: int) -> int:
        return resolution if self.part == "stem" else self.space.instances[-1].out_size(resolution)

    def out_size(self, resolution: int) -> int:
        return self.space.instances[0].in_size(resolution) if self.part == "stem" else 1


def depthwise(kernel: int) -> str:
    """The quantity of depthwise multiply-adds of one kernel size."""
    return f"depthwise{kernel}_macs"


def depthwise_kernels(values: Mapping[str, object]) -> tuple[int, ...]:
    """The kernel sizes, ascending, that quantities are told apart by."""
    sizes = (name.removeprefix("depthwise").removesuffix("_macs") for name in values if name.startswith("depthwise"))
    return tuple(sorted(int(size) for size in sizes if size))


def area_terms(part: _Sized, resolution: int) -> FloatArray:
    """(6,): what the coefficients of a part are multiplied with, in the order of ``HEADER``."""
    size_in, size_out = part.in_size(resolution), part.out_size(resolution)
    return np.array([1.0, size_in**2, size_out**2, size_out, size_in, size_in**4], dtype=float)


def parts_of(space: Space) -> dict[str, _Sized]:
    """Every part that has facts by name: fixed stem and head, and the instances."""
    fixed: dict[str, _Sized] = {part: _Part(space, part) for part in space.fixed_parts}
    return fixed | {instance.name: instance for instance in space.instances}


def shipped_facts(space: Space, resolution: int) -> Facts | None:
    """The facts that the space brings along; None where it brings none, or they are of another definition."""
    if space.assets.facts is None:
        return None
    kept = _read(space)
    if kept.digest != space.digest:
        return None
    terms = {name: area_terms(part, resolution) for name, part in parts_of(space).items()}
    index_of = {instance.name: index for index, instance in enumerate(space.instances)}
    values = {name: np.zeros(len(index_of)) for name in (*COUNTS, *QUANTITIES)}
    base = dict.fromkeys(COUNTS, 0.0)
    for part, quantity, coefficients in kept.rows:
        amount = float(coefficients @ terms[part])
        if part in index_of:
            values.setdefault(quantity, np.zeros(len(index_of)))[index_of[part]] = amount
        elif quantity in base:
            base[quantity] += amount
    return Facts(values, base, kept.counted_by)


@dataclass(frozen=True, eq=False)
class _Kept:
    digest: str
    counted_by: str
    rows: tuple[tuple[str, str, FloatArray], ...]


@cache
def _read(space: Space) -> _Kept:
    """The space's file of facts: ``digest,counted by`` on the first line, then a table with ``HEADER``."""
    file = space.assets.facts
    assert file is not None
    (digest, counted_by), header, *rows = csv.reader(file.read_text(encoding="utf-8").splitlines())
    if tuple(header) != HEADER:
        raise ValueError(f"{file}: not a file of facts")
    return _Kept(digest, counted_by, tuple((row[0], row[1], np.array(row[2:], dtype=float)) for row in rows))
