"""Sampled statistics of any metric: N networks a placement, all from the same base networks."""

from collections.abc import Sequence

import numpy as np

from blockprof.foundation.arrays import IntArray
from blockprof.foundation.listener import SILENT, Listener
from blockprof.metrics.metric import Metric
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
    for index, constraint in enumerate(constraints):
        archs = base.networks(constraint, sampler)
        values = metric.evaluate(archs)
        rows.append(summarise(values))
        halves.append(half_width(values))
        effects.append(half_width(values - random_values))
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
        group_half_widths=np.array([half_width(mean) for mean in group_means]),
        group_effect_half_widths=np.array([half_width(mean - random_values) for mean in group_means]),
    )


def _net(archs: Architectures, index: np.intp) -> str:
    return archs[int(index)].to_strings()[0]
