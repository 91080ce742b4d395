"""Reduced spaces derived from a profile.

A network is a row of choices: a block for each layer; a number of layers and, where they vary, a width for each unit;
the parts of the stem. The rule, in four lines:

1. Each choice's options have a cost and a gain: their effects. At an exchange rate (the gain that a unit of cost must
   bring) the best option is that of the greatest gain less rate times cost.
2. From a rate of zero to an infinite one the best options lead from the network of the greatest gain to the cheapest.
   Those rates are kept between which at most ``trim`` percent of the gain, and then of the cost saved, are given up.
3. An option stays where it is best at one of these rates, or might be within the effects' 95 % intervals.
4. Of several costs, an option stays where one of them keeps it.

So what goes is what another option beats (it costs more and is not better), what a mixture of two others beats, what is
too expensive for what it brings, and what saves too little for what it loses. Where units have one width,
metrics are additive and their profile exact, a ``trim`` of 0 keeps every network that is best at some rate: all corners
of the front's hull.

Depths follow from the effects of placements: a placement at layer l is drawn with l or more layers, each depth equally
likely (the sampler ``paper``). With A_l the mean effect of the blocks at layer l, and n_l the number of depths of at
least l, networks of d layers in the unit are n_d A_d - n_(d+1) A_(d+1) above random ones; the difference between two
depths is the layer's own cost or gain. Blocks' effects are taken against the mean of their layer, and where units have
several widths, averaged over these.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from blockprof.foundation.arrays import BoolArray, FloatArray
from blockprof.foundation.errors import Argument, InputError, Said
from blockprof.profiling import Profile
from blockprof.reduction.effects import Effects, choose_metrics, read_effects
from blockprof.reduction.explaining import explain
from blockprof.reduction.reduction import Reduction
from blockprof.spaces import Space

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_TRIM = 1.0
"""Percent."""


@dataclass(frozen=True, eq=False)
class _Kept:
    """What one cost keeps of a space.

    ``options`` (K,) are those of ``Effects``, in order; ``depths`` by unit. ``rates`` are the least and the greatest
    exchange rate kept, in units of the gain for one of the cost.
    """

    options: BoolArray
    depths: tuple[tuple[int, ...], ...]
    rates: tuple[float, float]


def derive_reduction(
    space: Space,
    profile: "Profile | pd.DataFrame",
    *,
    gain: str | None = None,
    costs: Sequence[str] = (),
    trim: float = DEFAULT_TRIM,
    name: str | None = None,
) -> Reduction:
    """Leave out of a space what is not worth its cost, by the rule above; ``reasons`` say why, with figures.

    Args:
        space: the design space.
        profile: of all its placements, with the sampler ``paper``: a ``Profile`` or its ``placement_frame``.
        gain: the metric to be high; where None, the one of the profile of which higher is better.
        costs: the metrics to be low; where empty, the one of the profile of which lower is better.
        trim: how much of the gain, and of the cost, may be given up at most at either end of the front, in percent.
        name: of the reduction; ``derived-npu``, after the costs, where None.

    Raises:
        InputError: the profile has not these metrics, or not all placements; was sampled as upstream does; or ``trim``
            is not from 0 to below 50.
    """
    if not 0 <= trim < 50:
        raise InputError("give a percentage from 0 to below 50", where=Argument("trim", trim), code="bad-percentage")
    if isinstance(profile, Profile):
        if profile.space != space:
            raise InputError(f"the profile is of {profile.space.name}, not of {space.name}", code="not-of-space")
        check_sampler_is_papers(profile.sampler)
    placements = profile.placement_frame() if isinstance(profile, Profile) else profile
    chosen_gain, chosen_costs = choose_metrics(space, placements, gain, costs)
    gains = read_effects(space, placements, chosen_gain)
    effects = [read_effects(space, placements, cost) for cost in chosen_costs]
    kept = [_keep(space, each, gains, trim / 100) for each in effects]
    options = np.any([each.options for each in kept], axis=0)
    depths = tuple(
        _without_gaps(unit.depths, set().union(*(each.depths[index] for each in kept)))
        for index, unit in enumerate(space.units)
    )
    reasons = [
        line
        for cost, each in zip(effects, kept, strict=True)
        for line in explain(space, cost, gains, options, depths, each.rates)
    ]
    whole = Reduction.whole(space)
    return replace(
        whole,
        name=name or f"derived-{'-'.join(chosen_costs)}",
        blocks=gains.blocks_of(options, depths),
        depths=depths,
        stems=gains.stems_of(options),
        reasons=tuple(reasons),
    )


def check_sampler_is_papers(sampler: str) -> None:
    """Refuse profiles from which the depths' effects do not follow.

    Raises:
        InputError: the sampler is not ``paper``.
    """
    if sampler != "paper":
        raise InputError(
            Said(
                "the profile was made with {}: not every network holds its placement, so that what a layer costs "
                "cannot be told",
                Argument("sampler", sampler),
            ),
            remedy=Said("profile with {}", Argument("sampler", "paper")),
            code="sampler-not-papers",
        )


def _keep(space: Space, cost: Effects, gain: Effects, trim: float) -> _Kept:
    """The rule for one cost; ``trim`` is a share. Arrays are by rate (R,), then by option (K,), slot (L,) or depth."""
    rates = _rates(cost, gain)
    scores = gain.values - rates[:, None] * cost.values
    slack = gain.halves + rates[:, None] * cost.halves
    starts, group = gain.starts, gain.group
    floors = np.maximum.reduceat(scores - slack, starts, axis=1)
    may = scores + slack >= floors[:, group]
    best = np.maximum.reduceat(scores, starts, axis=1)
    level_slack = gain.level_halves + rates[:, None] * cost.level_halves
    there = np.ones((len(rates), space.num_slots), dtype=bool)
    may_be_there, may_depths = there.copy(), []
    for unit, slots in zip(space.units, space.unit_slots, strict=True):
        optional = slice(slots.start + min(unit.depths), slots.stop)
        layers = space.slot_layer[optional]
        value = _sums_from_zero(best[:, optional])
        slack_of_depth = _sums_from_zero(level_slack[:, optional])
        deepest = min(unit.depths) + value.argmax(axis=1)
        there[:, optional] = layers < deepest[:, None]
        may_depth = value + slack_of_depth >= (value - slack_of_depth).max(axis=1, keepdims=True)
        may_depths.append(may_depth)
        may_be_there[:, optional] = np.logical_or.accumulate(may_depth[:, ::-1], axis=1)[:, ::-1][:, 1:]
    used = _trimmed(_totals(cost, scores, there), _totals(gain, scores, there), trim)
    may[:, gain.of_slots] &= may_be_there[:, group[gain.of_slots]]
    depths = tuple(
        tuple(min(unit.depths) + step for step in np.flatnonzero(may_depth[used].any(axis=0)).tolist())
        for unit, may_depth in zip(space.units, may_depths, strict=True)
    )
    return _Kept(np.asarray(may[used].any(axis=0)), depths, (float(rates[used].min()), float(rates[used].max())))


def _rates(cost: Effects, gain: Effects) -> FloatArray:
    """(R,): an exchange rate between each two neighbours of those at which the best of two options changes; ascending.

    So every option that is best at any rate is best at one of these.
    """
    changes = []
    for start, end in gain.bounds:
        c, g = (np.append(each.values[start:end], 0.0) for each in (cost, gain))
        # The last one, a layer's absence, is no option of widths and stems, but one rate more does no harm.
        with np.errstate(divide="ignore", invalid="ignore"):
            slopes = (g[:, None] - g) / (c[:, None] - c)
        changes.append(slopes[np.isfinite(slopes) & (slopes > 0)])
    found = np.unique(np.concatenate(changes))
    if not len(found):
        return np.ones(1)
    return np.concatenate([found[:1] / 2, np.sqrt(found[1:] * found[:-1]), found[-1:] * 2])


def _totals(effects: Effects, scores: FloatArray, there: BoolArray) -> FloatArray:
    """(R,): what the network of the best options has, at each rate."""
    total = np.zeros(len(scores))
    for index, (start, end) in enumerate(effects.bounds):
        chosen = effects.values[start:end][scores[:, start:end].argmax(axis=1)]
        total += np.where(there[:, index], chosen, 0.0) if index < there.shape[1] else chosen
    return total


def _trimmed(cost: FloatArray, gain: FloatArray, trim: float) -> slice:
    """The rates kept, given what the best network at each has; of the greatest gain first, the cheapest last."""
    enough = gain >= gain[0] - trim * (gain[0] - gain[-1])
    first = int(np.flatnonzero(enough)[-1])
    cheap = cost <= cost[-1] + trim * (cost[first] - cost[-1])
    last = int(np.flatnonzero(cheap)[0])
    return slice(first, max(first, last) + 1)


def _sums_from_zero(values: FloatArray) -> FloatArray:
    """(R, 1 + layers): the sums of the first none, one, two, ... columns."""
    return np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)


def _without_gaps(known: tuple[int, ...], kept: set[int]) -> tuple[int, ...]:
    # A search adds and removes single layers: it must be able to go from each depth to the next.
    return tuple(depth for depth in known if min(kept) <= depth <= max(kept))
