"""What a block instance costs in physical terms, as features of a linear latency model.

A network's features are the sum of its block instances' features and those of the base (stem, head, start-up), so any
linear model of them is an additive metric. They go from coarse to fine: totals over the network (blocks, MACs by kind
of convolution, numbers moved), the same for each block type and each unit, and each instance by itself. The finer ones
say how the cost departs from what the coarser ones make of it.
"""

from dataclasses import dataclass

import numpy as np

from blockprof.foundation.arrays import FloatArray, IntArray
from blockprof.networks.facts import load_quantities
from blockprof.predictors.runtime import count_instances
from blockprof.spaces import Architectures, HeadInstance, Instance, LayerInstance, Space
from blockprof.spaces.expectation import expected_counts
from blockprof.spaces.facts import MATRIX_MACS, QUANTITIES, depthwise, depthwise_kernels

COARSE = ("blocks", *MATRIX_MACS, "strided_macs", "squeeze_excites", "activations")
"""The few quantities that explain most of any device; the others are finer distinctions."""

_OF_TYPES = ("blocks", "depthwise_macs", "spatial_macs")


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


def convolution_macs(space: Space, resolution: int) -> FloatArray:
    """(I,): multiply-adds of each instance's convolutions and linear maps, without squeeze-and-excite."""
    values = load_quantities(space, resolution).values
    return np.asarray(sum(values[name] for name in MATRIX_MACS))


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
    kernel_of = load_quantities(space, int(resolutions[0])).kernels
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
    facts = [load_quantities(space, int(size)).values for size in resolutions]
    names = (*QUANTITIES, *map(depthwise, depthwise_kernels(facts[0])))
    values = {name: np.array([at_size[name] for at_size in facts]) for name in names}
    counts = _mean_counts(space)
    return {name: value / (value @ counts).mean() for name, value in values.items() if value.any()}


def _mean_counts(space: Space) -> FloatArray:
    """(I,): how often each instance is in a random network, on average."""
    return np.asarray(expected_counts(space, [None], "paper")[0, :-1])


def _block_type(space: Space, instance: Instance) -> int:
    """The index of its block; stems and heads are further types."""
    if isinstance(instance, LayerInstance):
        return space.blocks.index(instance.block)
    return len(space.blocks) + isinstance(instance, HeadInstance)


def _place(space: Space, instance: Instance) -> int:
    """The index of its unit; stems and heads are further places."""
    if isinstance(instance, LayerInstance):
        return instance.unit
    return len(space.units) + isinstance(instance, HeadInstance)


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
