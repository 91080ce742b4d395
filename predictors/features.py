"""What a block instance costs in physical terms, as features of a linear latency model.

A network's features are the sum of its block instances' features and those of the base (stem, head, start-up), so any
linear model of them is an additive metric. They go from coarse to fine: totals over the network (blocks, MACs by kind
of convolution, numbers moved), the same for each block type and each unit, and each instance by itself. The finer ones
say how the cost departs from what the coarser ones make of it.
"""

from dataclasses import dataclass

import numpy as np

from blockprof.foundation.arrays import FloatArray, IntArray
from blockprof.predictors.runtime import count_instances
from blockprof.spaces import (
    Architectures,
    BlockInstance,
    BottleneckInstance,
    HeadInstance,
    Instance,
    Space,
    StemInstance,
)
from blockprof.spaces.expectation import expected_counts
from blockprof.spaces.instances import halved

_CONVOLUTIONS = (
    "expand_macs",
    "depthwise_macs",
    "spatial_macs",
    "project_macs",
    "shortcut_macs",
    "stem_macs",
    "head_macs",
)

COARSE = ("blocks", *_CONVOLUTIONS, "strided_macs", "squeeze_excites", "activations")
"""The few quantities that explain most of any device; the others are finer distinctions."""

_OF_TYPES = ("blocks", "depthwise_macs", "spatial_macs")

_QUANTITIES = (*COARSE, "squeeze_macs", "squeeze_activations", "weights")


@dataclass(frozen=True, eq=False)
class Features:
    """The features of every block instance at every resolution.

    ``phi`` is (R, I + 1, F): at ``resolutions[r]``, one row for each instance of the space's catalogue and the last
    for the base. ``groups`` names the groups of features and ``group_of`` (F,) says which one each belongs to.

    Every total is 1 for the space's mean random network, averaged over the resolutions; the features of a block type,
    a unit and an instance are shares of these.
    """

    space: Space
    resolutions: IntArray
    phi: FloatArray
    groups: tuple[str, ...]
    group_of: IntArray

    def of(self, archs: Architectures, resolutions: IntArray) -> FloatArray:
        """(N, F): the features of N networks, each at its resolution, which must be one of ``resolutions``."""
        counts = instance_counts(archs)
        features = np.empty((len(archs), self.phi.shape[-1]))
        for resolution, phi in zip(self.resolutions, self.phi, strict=True):
            rows = np.asarray(resolutions) == resolution
            features[rows] = counts[rows] @ phi
        return features


def instance_counts(archs: Architectures) -> FloatArray:
    """(N, I + 1): how often each block instance is in each network; the last column, the base, is 1."""
    return count_instances(archs.ids, len(archs.space.instances))


def physical_quantities(instance: Instance, resolution: int, kernels: tuple[int, ...]) -> dict[str, float]:
    """What running the instance once takes, for one image: multiply-adds by kind, numbers moved, and the block itself.

    Every instance has the same quantities, 0 where it has nothing of the kind.
    """
    quantities = dict.fromkeys(_QUANTITIES, 0.0) | {f"depthwise{size}_macs": 0.0 for size in kernels}
    area_in, area_out = instance.in_size(resolution) ** 2, instance.out_size(resolution) ** 2
    match instance:
        case BlockInstance():
            quantities |= _of_mbconv(instance, area_in, area_out)
        case BottleneckInstance():
            quantities |= _of_bottleneck(instance, area_in, area_out)
        case StemInstance():
            quantities |= _of_stem(instance, halved(resolution, 1) ** 2)
        case HeadInstance():
            weights = float(instance.in_channels * instance.out_channels)
            moved = float(instance.in_channels * area_in)
            quantities |= {"head_macs": weights, "weights": weights, "activations": moved}
    return quantities


def convolution_macs(space: Space, resolution: int) -> FloatArray:
    """(I,): multiply-adds of each instance's convolutions and linear maps, without squeeze-and-excite."""
    rows = [physical_quantities(one, resolution, space.kernels) for one in space.instances]
    return np.array([sum(row[name] for name in _CONVOLUTIONS) for row in rows])


def _of_mbconv(instance: BlockInstance, area_in: int, area_out: int) -> dict[str, float]:
    channels_in, middle, channels_out = instance.in_channels, instance.mid_channels, instance.out_channels
    kernel, squeezed = instance.block.kernel, instance.squeeze_channels
    depthwise_macs = float(middle * kernel**2 * area_out)
    return {
        "blocks": 1.0,
        "expand_macs": float(channels_in * middle * area_in),
        "depthwise_macs": depthwise_macs,
        f"depthwise{kernel}_macs": depthwise_macs,
        "strided_macs": depthwise_macs * (instance.stride > 1),
        "project_macs": float(middle * channels_out * area_out),
        "squeeze_excites": float(instance.squeeze_excite),
        "squeeze_macs": float(2 * middle * squeezed),
        "squeeze_activations": float(2 * middle * area_out * instance.squeeze_excite),
        "activations": float(
            (channels_in + 2 * middle) * area_in + (2 * middle + (1 + instance.has_skip) * channels_out) * area_out
        ),
        "weights": float(middle * (channels_in + kernel**2 + channels_out + 2 * squeezed)),
    }


def _of_bottleneck(instance: BottleneckInstance, area_in: int, area_out: int) -> dict[str, float]:
    channels_in, middle, channels_out = instance.in_channels, instance.mid_channels, instance.out_channels
    spatial = 9 * middle**2
    shortcut = 0 if instance.has_skip else channels_in * channels_out
    return {
        "blocks": 1.0,
        "expand_macs": float(channels_in * middle * area_in),
        "spatial_macs": float(spatial * area_out),
        "strided_macs": float(spatial * area_out * (instance.stride > 1)),
        "project_macs": float(middle * channels_out * area_out),
        "shortcut_macs": float(shortcut * area_out),
        "activations": float((2 * channels_in + 2 * middle) * area_in + (middle + 3 * channels_out) * area_out),
        "weights": float(channels_in * middle + spatial + middle * channels_out + shortcut),
    }


def _of_stem(instance: StemInstance, area: int) -> dict[str, float]:
    """Two or three 3x3 convolutions at half the resolution, and the pooling."""
    middle, channels_out = instance.stem.mid_channels, instance.stem.out_channels
    weights = 9 * middle * (instance.in_channels + (0 if instance.stem.skip else middle) + channels_out)
    moved = area * ((4 if instance.stem.skip else 7) * middle + 2 * channels_out)
    return {"stem_macs": float(weights * area), "weights": float(weights), "activations": float(moved)}


def build_features(space: Space, resolutions: IntArray) -> Features:
    """The features of a space's block instances at ``resolutions`` (R,), ascending.

    At a single resolution nothing tells a cost that grows with the area from one that does not, so the features that
    would are left out, as are quantities that the space's blocks do not have.
    """
    several = len(resolutions) > 1
    area = np.asarray(resolutions, dtype=float)[:, None] ** 2
    constant = np.ones_like(area)
    base = np.concatenate([constant, area / area.mean()], axis=-1) if several else constant
    columns = {"base": _base_rows(base, len(space.instances))}
    for name, part in _instance_parts(space, resolutions).items():
        columns[name] = _instance_rows(part[..., part.any(axis=(0, 1))])
    if several:
        columns["resolutions"] = _base_rows(np.eye(len(resolutions)), len(space.instances))
    columns = {name: part for name, part in columns.items() if part.shape[-1]}
    widths = [part.shape[-1] for part in columns.values()]
    return Features(
        space=space,
        resolutions=np.asarray(resolutions),
        phi=np.concatenate(list(columns.values()), axis=-1),
        groups=tuple(columns),
        group_of=np.repeat(np.arange(len(widths)), widths),
    )


def _instance_parts(space: Space, resolutions: IntArray) -> dict[str, FloatArray]:
    """The groups of features that instances have, each (R, I, f)."""
    shares = _shares(space, resolutions)
    totals = np.stack([value for name, value in shares.items() if name in COARSE], axis=-1)
    kinds = np.stack([value for name, value in shares.items() if name not in COARSE], axis=-1)
    everything = np.concatenate([totals, kinds], axis=-1)
    of_types = np.stack([shares[name] for name in _OF_TYPES if name in shares], axis=-1)
    type_of = np.array([_block_type(space, instance) for instance in space.instances])
    unit_of = np.array([_place(space, instance) for instance in space.instances])
    kernel_of = np.array([_kernel(instance) for instance in space.instances])
    # Accelerators have fast paths for small kernels and none for the largest, whose costs then follow no rule.
    large = (kernel_of == kernel_of.max()) & (kernel_of > kernel_of.min())
    alone = np.broadcast_to(np.eye(len(large)), (len(resolutions), len(large), len(large))) / _mean_counts(space).sum()
    parts = {
        "totals": totals,
        "kinds": kinds,
        "block_types": _separate(of_types, type_of),
        "units": _separate(everything, unit_of),
        "instances": alone * ~large,
        "instances_large_kernel": alone * large,
    }
    if len(resolutions) > 1:
        area = _areas(space, resolutions)[..., None]
        varies = np.ptp(everything, axis=0).any(axis=0)
        at_mean_area = np.broadcast_to(everything[..., varies].mean(axis=0), everything[..., varies].shape)
        parts["other_areas"] = np.concatenate([everything[..., ~varies] * area, at_mean_area], axis=-1)
        parts["instances_by_area"] = alone * area
    return parts


def _shares(space: Space, resolutions: IntArray) -> dict[str, FloatArray]:
    """Each quantity that occurs in the space as (R, I), 1 in total for its mean network over the resolutions."""
    rows = [[physical_quantities(one, int(size), space.kernels) for one in space.instances] for size in resolutions]
    values = {name: np.array([[one[name] for one in row] for row in rows]) for name in rows[0][0]}
    counts = _mean_counts(space)
    return {name: value / (value @ counts).mean() for name, value in values.items() if value.any()}


def _mean_counts(space: Space) -> FloatArray:
    """(I,): how often each instance is in a random network, on average."""
    return np.asarray(expected_counts(space, [None], "paper")[0, :-1])


def _block_type(space: Space, instance: Instance) -> int:
    """The index of its block; stems and heads are further types."""
    if isinstance(instance, BlockInstance | BottleneckInstance):
        return space.blocks.index(instance.block)
    return len(space.blocks) + isinstance(instance, HeadInstance)


def _place(space: Space, instance: Instance) -> int:
    """The index of its unit; stems and heads are further places."""
    if isinstance(instance, BlockInstance | BottleneckInstance):
        return instance.unit
    return len(space.units) + isinstance(instance, HeadInstance)


def _kernel(instance: Instance) -> int:
    """Its depthwise kernel size; 0 where it has no depthwise convolution."""
    return instance.block.kernel if isinstance(instance, BlockInstance) else 0


def _areas(space: Space, resolutions: IntArray) -> FloatArray:
    """(R, I): the area of each instance's output, 1 on average over the resolutions."""
    areas = np.array([[one.out_size(int(resolution)) ** 2 for one in space.instances] for resolution in resolutions])
    return np.asarray(areas / areas.mean(axis=0))


def _separate(values: FloatArray, kind_of: IntArray) -> FloatArray:
    """(R, I, f) as (R, I, kinds * f): columns of their own for the instances of each kind."""
    return np.concatenate([values * (kind_of == kind)[:, None] for kind in range(kind_of.max() + 1)], axis=-1)


def _instance_rows(part: FloatArray) -> FloatArray:
    """(R, I, f) features of the instances as (R, I + 1, f), 0 for the base."""
    return np.concatenate([part, np.zeros((len(part), 1, part.shape[-1]))], axis=1)


def _base_rows(part: FloatArray, num_instances: int) -> FloatArray:
    """(R, f) features of the base as (R, I + 1, f), 0 for the instances."""
    return np.concatenate([np.zeros((len(part), num_instances, part.shape[-1])), part[:, None]], axis=1)
