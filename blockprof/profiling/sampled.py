"""Sampled statistics of any metric: N networks a placement, all from the same base networks."""

from collections.abc import Sequence

import numpy as np

from blockprof.foundation.arrays import FloatArray, IntArray
from blockprof.foundation.listener import SILENT, Listener
from blockprof.metrics.metric import Metric
from blockprof.profiling.places import complete_places
from blockprof.profiling.statistics import EstimatedStatistics, Statistics, half_width, summarise
from blockprof.spaces import Architectures, Constraint, Space
from blockprof.spaces.sampling import BaseDraws, Sampler, draw_base

CHUNK = 2**15


def draw_base_networks(space: Space, n: int, seed: int) -> BaseDraws:
    """Draw N base networks, chunk by chunk from spawned seeds, so that the result depends on seed and N alone."""
    sizes = [min(CHUNK, n - start) for start in range(0, n, CHUNK)]
    seeds = np.random.SeedSequence(seed).spawn(len(sizes))
    chunks = [
        draw_base(space, size, np.random.default_rng(chunk_seed)) for size, chunk_seed in zip(sizes, seeds, strict=True)
    ]
    return BaseDraws.concatenate(chunks)


def sampled_statistics(
    metric: Metric,
    base: BaseDraws,
    constraints: Sequence[Constraint],
    groups: Sequence[IntArray],
    sampler: Sampler,
    listener: Listener = SILENT,
) -> EstimatedStatistics:
    """Evaluate the base networks, and the same networks with each constraint put in place; differences are paired.

    Args:
        metric: any metric.
        base: N base networks.
        constraints: S sets of placements.
        groups: for each of G groups, the indices of its constraints (a block's placements).
        sampler: how networks of a placement are drawn.
        listener: told after each constraint.
    """
    random = base.networks()
    random_values = metric.evaluate(random)
    rows, halves, effects = [summarise(random_values)], [half_width(random_values)], [0.0]
    lowest, highest = [_net(random, random_values.argmin())], [_net(random, random_values.argmax())]
    group_sums = np.zeros((len(groups), len(random_values)))
    members = [set(group.tolist()) for group in groups]
    parts = _Parts(complete_places(metric.space, constraints), random_values, len(constraints))
    for index, constraint in enumerate(constraints):
        archs = base.networks(constraint, sampler)
        values = metric.evaluate(archs)
        rows.append(summarise(values))
        halves.append(half_width(values))
        effects.append(half_width(values - random_values))
        parts.add(index, values)
        lowest.append(_net(archs, values.argmin()))
        highest.append(_net(archs, values.argmax()))
        for group, member in enumerate(members):
            if index in member:
                group_sums[group] += values
        listener.on_step("profiling", index + 1, len(constraints))
    group_means = [total / len(group) for total, group in zip(group_sums, groups, strict=True)]
    return EstimatedStatistics(
        statistics=Statistics(np.array(rows), np.array(halves), tuple(lowest), tuple(highest)),
        effect_half_widths=np.array(effects),
        depth_half_widths=parts.depth,
        contrast_half_widths=parts.contrast,
        group_half_widths=np.array([half_width(mean) for mean in group_means]),
        group_effect_half_widths=np.array([half_width(mean - random_values) for mean in group_means]),
    )


class _Parts:
    """The intervals of effects' two parts; holds the values of places that are not complete yet."""

    def __init__(self, places: Sequence[IntArray], random_values: FloatArray, num_constraints: int) -> None:
        self._place_of = {index: place for place in places for index in place.tolist()}
        self._random_values = random_values
        self._held: dict[int, FloatArray] = {}
        self.depth, self.contrast = (np.full(1 + num_constraints, np.nan) for _ in range(2))

    def add(self, index: int, values: FloatArray) -> None:
        if (place := self._place_of.get(index)) is None:
            return
        self._held[index] = values
        if not all(each in self._held for each in place.tolist()):
            return
        there = {each: self._held.pop(each) for each in place.tolist()}
        mean = sum(there.values(), np.zeros(len(values))) / len(there)
        self.depth[1 + place] = half_width(mean - self._random_values)
        for each, of_block in there.items():
            self.contrast[1 + each] = half_width(of_block - mean)


def _net(archs: Architectures, index: np.intp) -> str:
    return archs[int(index)].to_strings()[0]
