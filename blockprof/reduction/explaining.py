"""Why something was left out of a space: in words, with its figures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

import numpy as np

from blockprof.foundation.arrays import BoolArray
from blockprof.reduction.effects import Effects
from blockprof.spaces import Space

Why = Literal["not better", "mixed", "expensive", "poor", "layer"]


@dataclass(frozen=True, slots=True)
class _Loss:
    """An option left out at a place: how much more it costs, and how much better it is, than ``other``, which stays."""

    option: str
    why: Why
    unit: int
    layer: int
    other: str
    extra_cost: float
    better: float

    @property
    def place(self) -> str:
        """``u2.l3`` of a block, ``u2`` of a width, nothing of a stem's part."""
        return f"u{self.unit}.l{self.layer}" if self.layer else f"u{self.unit}" if self.unit else ""


def explain(
    space: Space,
    cost: Effects,
    gain: Effects,
    kept: BoolArray,
    depths: Sequence[tuple[int, ...]],
    rates: tuple[float, float],
) -> Iterator[str]:
    """First a line for each unit that lost depths, then one for each option and reason, with its greatest figures.

    Args:
        space: the design space.
        cost: the effects on the cost.
        gain: the effects on the gain.
        kept: (K,), the options that stay.
        depths: those that stay, by unit.
        rates: the least and the greatest exchange rate kept, in units of the gain for one of the cost.
    """
    yield from _explain_depths(space, cost, gain, kept, depths, rates)
    losses = sorted(_losses(space, cost, gain, kept, depths, rates), key=lambda loss: (loss.option, loss.why))
    for (option, why), group in groupby(losses, key=lambda loss: (loss.option, loss.why)):
        several = list(group)
        example = max(several, key=lambda loss: abs(loss.extra_cost))
        where = f"{option} {_join(several)}".strip()
        at = f"at {example.place}, " if len(several) > 1 else ""
        brings = f"{example.better:+.2g} {gain.unit} of {gain.metric}"
        costs = f"{abs(example.extra_cost):.2g} {cost.unit} of {cost.metric}"
        rate = _rate(example.better, example.extra_cost)
        per = f"{gain.unit} per {cost.unit}"
        match why:
            case "not better":
                yield f"{where}: not better than what costs less: {at}{costs} more than {example.other}, {brings}"
            case "mixed":
                yield f"{where}: beaten by mixtures of others: {at}{costs} more than {example.other}, {brings}"
            case "expensive":
                yield (
                    f"{where}: too expensive for what it brings: {at}{costs} more than {example.other}, {brings}: "
                    f"{rate} {per}, at least {rates[0]:.3g} is asked"
                )
            case "poor":
                yield (
                    f"{where}: saves too little for what it loses: {at}{costs} less than {example.other}, {brings}: "
                    f"{rate} {per}, at most {rates[1]:.3g} is allowed"
                )
            case "layer":
                than = "more" if example.extra_cost > 0 else "less"
                yield (
                    f"{where}: worth it only where its layer is not: {at}{costs} {than} than {example.other}, "
                    f"{brings}: {rate} {per}, at which the layer goes"
                )


def _explain_depths(
    space: Space,
    cost: Effects,
    gain: Effects,
    kept: BoolArray,
    depths: Sequence[tuple[int, ...]],
    rates: tuple[float, float],
) -> Iterator[str]:
    for unit, (known, left) in enumerate(zip((unit.depths for unit in space.units), depths, strict=True)):
        for depth, rate, verdict in (
            (max(left) + 1, rates[0], f"less than the {rates[0]:.3g} asked"),
            (min(left), rates[1], f"more than the {rates[1]:.3g} that may be lost"),
        ):
            if depth > max(known) or depth == min(known):
                continue
            start, end = gain.bounds[space.unit_slots[unit].start + depth - 1]
            values, costs = gain.values[start:end], cost.values[start:end]
            block = int(np.argmax(values - rate * costs))
            limit = f"at most {max(left)}" if depth > max(left) else f"at least {depth}"
            yield (
                f"unit {unit + 1} has {limit} layers: layer {depth}, as {gain.names[start + block]}, costs "
                f"{costs[block]:.2g} {cost.unit} of {cost.metric} for {values[block]:+.2g} {gain.unit} of "
                f"{gain.metric}: {_rate(values[block], costs[block])} {gain.unit} per {cost.unit}, {verdict}"
            )


def _losses(
    space: Space,
    cost: Effects,
    gain: Effects,
    kept: BoolArray,
    depths: Sequence[tuple[int, ...]],
    rates: tuple[float, float],
) -> Iterator[_Loss]:
    for choice, (start, end) in enumerate(gain.bounds):
        unit, layer = _place(space, choice)
        if layer and layer > max(depths[unit - 1]):
            continue
        stay = start + np.flatnonzero(kept[start:end])
        for option in start + np.flatnonzero(~kept[start:end]):
            extra_cost, better = cost.values[option] - cost.values[stay], gain.values[option] - gain.values[stay]
            beating = (extra_cost >= 0) & (better <= 0)
            why: Why
            if beating.any():
                why, other = "not better", np.where(beating, better, np.inf).argmin()
            elif (extra_cost < 0).all():
                why, other = "poor", extra_cost.argmax()
            elif (better > 0).all():
                why, other = "expensive", better.argmin()
            else:
                why, other = "mixed", np.where(extra_cost >= 0, extra_cost, np.inf).argmin()
            # At a rate that is kept the best block would stay, if its layer did.
            if why in ("poor", "expensive") and rates[0] <= better[other] / extra_cost[other] <= rates[1]:
                why = "layer"
            yield _Loss(
                option=gain.names[option],
                why=why,
                unit=unit,
                layer=layer,
                other=gain.names[stay[other]],
                extra_cost=float(extra_cost[other]),
                better=float(better[other]),
            )


def _place(space: Space, choice: int) -> tuple[int, int]:
    """Unit and layer of a choice, from 1; no layer of a unit's width, neither of a stem's part."""
    if choice < space.num_slots:
        return int(space.slot_unit[choice]) + 1, int(space.slot_layer[choice]) + 1
    unit = choice - space.num_slots + 1
    return (unit, 0) if space.num_widths > 1 and unit <= len(space.units) else (0, 0)


def _join(losses: Sequence[_Loss]) -> str:
    """``in u1.l1-4, u2.l3``."""
    names = []
    for unit, group in groupby(losses, key=lambda loss: loss.unit):
        layers = [loss.layer for loss in group]
        if not unit or not layers[0]:
            names.append(f"u{unit}" if unit else "")
            continue
        first = layers[0]
        for layer, following in zip(layers, [*layers[1:], None], strict=True):
            if following != layer + 1:
                names.append(f"u{unit}.l{first}" + (f"-{layer}" if layer > first else ""))
                first = following or 0
    return f"in {', '.join(names)}" if any(names) else ""


def _rate(gain: float, cost: float) -> str:
    return f"{abs(gain / cost):.3g}" if cost else "inf"
