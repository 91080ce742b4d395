"""What the paper's predictor sees of a network: a chain of blocks, each an operator and six shapes.

As in the code released with the paper (BlockProfile, ``search_spaces/LatencyPredictors``): an operator is the block
without its place (9 in ``pn`` and ``mbv3``; in ``resnet50`` 12 stems and 3 expansion ratios), and the shapes are the
block's height in and out, width in and out, and channels in and out.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from blockprof.foundation.arrays import FloatArray, IntArray
from blockprof.predictors.runtime import make_chains
from blockprof.spaces import (
    Architectures,
    BottleneckInstance,
    HeadInstance,
    Instance,
    LayerInstance,
    OperatorInstance,
    Space,
    StemInstance,
)
from blockprof.spaces.blocks import Bottleneck
from blockprof.spaces.instances import halved

NUM_SHAPES = 6
_FULL_RESOLUTION = 224


def num_operators(space: Space) -> int:
    """How many operators there are to embed: 9 in ``pn`` and ``mbv3``, 15 in ``resnet50``."""
    return int(operator_table(space).max()) + 1


def shape_scales(space: Space) -> FloatArray:
    """(6,): what shapes are divided by: the greatest height and width at resolution 224, and the most channels.

    The released code divides by these in ``pn`` and ``mbv3``. In ``resnet50`` it does not divide at all, which leaves
    a linear map of numbers from 3 to 2048 to drive a GRU's gates; here they are divided there too.
    """
    size = shape_table(space, _FULL_RESOLUTION)[:, 0].max()
    channels = max(space.units[-1].widths)
    return np.array([size] * 4 + [channels] * 2, dtype=float)


def chains(archs: Architectures) -> tuple[IntArray, IntArray]:
    """Each network's block instances in order, without gaps.

    Returns:
        (N, T) instance indices, in ``resnet50`` the stem's first, -1 behind the last; and (N,), how many there are.
    """
    packed = make_chains(archs.space.encode(archs), archs.space.catalogue().absent)
    return packed, (packed >= 0).sum(axis=1)


def network_inputs(
    archs: Architectures, resolutions: IntArray, scales: FloatArray
) -> tuple[IntArray, NDArray[np.float32], IntArray]:
    """What the network takes of N networks, each at its resolution.

    Returns:
        (N, T) operators and (N, T, 6) shapes over ``scales``, both 0 behind a network's last block; (N,) lengths.
    """
    ids, lengths = chains(archs)
    present = ids >= 0
    shapes = np.zeros((*ids.shape, NUM_SHAPES), dtype=np.float32)
    for resolution in np.unique(resolutions).tolist():
        rows = resolutions == resolution
        shapes[rows] = (shape_table(archs.space, resolution) / scales)[ids[rows]]
    return np.where(present, operator_table(archs.space)[ids], 0), shapes * present[..., None], lengths


@cache
def operator_table(space: Space) -> IntArray:
    """(I,): the operator of each of the space's block instances, numbered as in the released code; heads have 0."""
    return np.array([_operator(space, instance) for instance in space.instances])


def shape_table(space: Space, resolution: int) -> FloatArray:
    """(I, 6): height in, height out, width in, width out, channels in, channels out of each block instance.

    As in the released code, sizes of ``pn`` and ``mbv3`` are halved rounding down, unlike the convolutions' own, and
    those of ``resnet50`` are the convolutions'; its stem's are those before the pooling behind it.
    """
    rows = np.zeros((len(space.instances), NUM_SHAPES))
    for row, instance in zip(rows, space.instances, strict=True):
        if not isinstance(instance, HeadInstance):  # no part of a chain
            before, after = _sizes(instance, resolution)
            row[:] = (before, after, before, after, instance.in_channels, instance.out_channels)
    return rows


def _sizes(instance: StemInstance | LayerInstance, resolution: int) -> tuple[int, int]:
    if isinstance(instance, StemInstance):
        return resolution, halved(resolution, instance.halvings - 1)
    if isinstance(instance, BottleneckInstance | OperatorInstance):
        return instance.in_size(resolution), instance.out_size(resolution)
    before = resolution >> instance.halvings
    return before, before // instance.stride


def _operator(space: Space, instance: Instance) -> int:
    if isinstance(instance, HeadInstance):
        return 0
    if isinstance(instance, StemInstance):
        stem, choices = instance.stem, space.stem
        middles, outs = sorted(set(choices.mid_channels)), sorted(set(choices.out_channels))
        return 2 * (middles.index(stem.mid_channels) * len(outs) + outs.index(stem.out_channels)) + int(stem.skip)
    if isinstance(instance.block, Bottleneck):
        stems = 0 if "stem" in space.fixed_parts else len(space.stems)
        return stems + space.expands.index(instance.block.expand)
    return space.blocks.index(instance.block)
