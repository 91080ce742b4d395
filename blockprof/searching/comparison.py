"""What a reduction gains: searches of it and of the whole space, pair by pair."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from blockprof.foundation.arrays import FloatArray
from blockprof.foundation.errors import InputError
from blockprof.profiling.statistics import half_width
from blockprof.searching.pareto import hypervolume
from blockprof.searching.result import SearchResult, reference_point


@dataclass(frozen=True, eq=False)
class Comparison:
    """What a reduction gains: ``ratios`` (S,) of hypervolumes, a reduced search's to the whole space's from its seed.

    ``mean`` has a 95 % interval by Student's t; it is not a number where there is one seed.
    """

    ratios: FloatArray
    mean: float
    lower: float
    upper: float


def compare(whole: Sequence[SearchResult], reduced: Sequence[SearchResult]) -> Comparison:
    """Compare searches of the whole space with searches of a reduced one, pair by pair, against one reference point.

    Raises:
        InputError: not as many of both, none, other objectives, or a search of the whole space whose front is no better
            than the reference point.
    """
    if len(whole) != len(reduced) or not whole:
        raise InputError(
            f"{len(whole)} searches of the whole space, but {len(reduced)} of a reduced one",
            remedy="give pairs",
            code="unpaired-searches",
        )
    every = [*whole, *reduced]
    if len({tuple((one.metric.info.name, one.maximize) for one in each.problem.objectives) for each in every}) > 1:
        raise InputError("searches of different objectives cannot be compared")
    reference = reference_point(every)
    volumes = np.array(
        [
            [hypervolume(one.problem.losses(one.values[one.best]), reference) for one in pair]
            for pair in (whole, reduced)
        ]
    )
    if not volumes[0].all():
        raise InputError(
            "a search of the whole space found nothing better than its initial networks", remedy="search longer"
        )
    ratios = volumes[1] / volumes[0]
    mean, half = float(ratios.mean()), half_width(ratios)
    return Comparison(ratios, mean, mean - half, mean + half)
