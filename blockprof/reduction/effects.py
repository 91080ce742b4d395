"""What each option of a space costs or gains, read from a profile's placements."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from blockprof.foundation.arrays import BoolArray, FloatArray, IntArray
from blockprof.foundation.errors import Argument, Command, InputError, Said
from blockprof.metrics import ACCURACY, default_metric, has_reference
from blockprof.spaces import Space, StemPlacement, all_placements

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Effects:
    """One metric's effects, by option.

    The K options are, in order: of each of L slots the E blocks that a width has, of each unit its W widths (none where
    there is one), the stem's parts (none where there is one stem). ``values`` (K,) are against the mean of the options
    beside them, or, of a layer that may be missing, against its absence. ``halves`` (K,) are half the 95 % intervals
    of effects; ``level_halves`` (L,) those of what a layer adds, on average over its blocks.
    """

    space: Space
    metric: str
    unit: str
    values: FloatArray
    halves: FloatArray
    level_halves: FloatArray

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """How many options each choice has."""
        space = self.space
        widths = (space.num_widths,) * len(space.units) if space.num_widths > 1 else ()
        parts = [placement.part for placement in _stems(space)]
        return (
            *(space.blocks_per_width,) * space.num_slots,
            *widths,
            *(parts.count(part) for part in dict.fromkeys(parts)),
        )

    @cached_property
    def starts(self) -> IntArray:
        """(choices,): the first option of each choice."""
        return np.concatenate([[0], np.cumsum(self.sizes)[:-1]])

    @property
    def bounds(self) -> list[tuple[int, int]]:
        """The first option of each choice, and the one after its last."""
        return [(start, start + size) for start, size in zip(self.starts.tolist(), self.sizes, strict=True)]

    @cached_property
    def group(self) -> IntArray:
        """(K,): the choice of each option."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    @property
    def of_slots(self) -> slice:
        """The options that are blocks."""
        return slice(0, self.space.num_slots * self.space.blocks_per_width)

    @cached_property
    def of_widths(self) -> slice:
        """The options that are widths of units."""
        width_options = len(self.space.units) * self.space.num_widths if self.space.num_widths > 1 else 0
        return slice(self.of_slots.stop, self.of_slots.stop + width_options)

    def blocks_of(self, options: BoolArray, depths: Sequence[tuple[int, ...]]) -> BoolArray:
        """(L, B): the blocks that are left of the options (K,); layers that no depth reaches are as the last one."""
        space = self.space
        kinds = options[self.of_slots].reshape(space.num_slots, -1).copy()
        widths = np.ones((len(space.units), space.num_widths), dtype=bool)
        if space.num_widths > 1:
            widths = options[self.of_widths].reshape(widths.shape)
        for slots, kept in zip(space.unit_slots, depths, strict=True):
            kinds[slots.start + max(kept) : slots.stop] = kinds[slots.start + max(kept) - 1]
        blocks = widths[space.slot_unit][:, :, None] & kinds[:, None, :]
        return np.asarray(blocks.reshape(space.num_slots, -1))

    def stems_of(self, options: BoolArray) -> BoolArray:
        """(S,): the stems all of whose parts are left of the options (K,)."""
        lost = [part for part, kept in zip(_stems(self.space), options[self.of_widths.stop :], strict=True) if not kept]
        return np.array([not any(part.allows(stem) for part in lost) for stem in self.space.stems])

    @cached_property
    def names(self) -> tuple[str, ...]:
        """(K,): the options' names: ``e6k7``, ``e35``, ``w100``, ``stem.skip``."""
        space = self.space
        kinds = [block.name.split(".")[-1] for block in space.blocks[: space.blocks_per_width]]
        widths = list(space.width_names) if space.num_widths > 1 else []
        return (*kinds * space.num_slots, *widths * len(space.units), *(part.name for part in _stems(space)))


def choose_metrics(
    space: Space, placements: "pd.DataFrame", gain: str | None, costs: Sequence[str]
) -> tuple[str, tuple[str, ...]]:
    """The gain and the costs among a profile's metrics: those named, else the one there is.

    Raises:
        InputError: it has none such, several to choose from, or one named of the wrong direction; or the profile was
            logged by a blockprof that did not say which direction is better.
    """
    if "higher_is_better" not in placements:
        raise InputError(
            "the profile does not say which metrics are better high",
            remedy="make it again with this blockprof",
            code="no-direction",
        )
    rising = dict(zip(placements["metric"], placements["higher_is_better"], strict=True))
    ups, downs = ([name for name, up in rising.items() if up == wanted] for wanted in (True, False))
    for name in (*costs, *([gain] if gain else [])):
        if name not in rising:
            raise InputError(f"the profile has no metric '{name}': it has {', '.join(rising)}", code="no-such-metric")
    for name in costs:
        if rising[name]:
            raise InputError(
                f"of {name} higher is better",
                where=Argument("cost", name),
                remedy=Said("name it as {}", Argument("gain")),
                code="cost-is-a-gain",
            )
    if gain and not rising[gain]:
        raise InputError(
            f"of {gain} lower is better",
            where=Argument("gain", gain),
            remedy=Said("name it as {}", Argument("cost")),
            code="gain-is-a-cost",
        )
    examples = ("gain", gain, ups, ACCURACY), ("cost", costs, downs, default_metric(space))
    for argument, given, there, example in examples:
        better = "higher" if argument == "gain" else "lower"
        if given:
            continue
        if not there:
            raise InputError(
                f"the profile has no metric of which {better} is better, only {', '.join(rising)}",
                remedy=f"make one with {profile_command(space, (*rising, example))}",
                code="no-metric-of-direction",
            )
        if len(there) > 1:
            raise InputError(
                f"the profile has several metrics of which {better} is better",
                remedy=Said("choose with {} from {}", Argument(argument), ", ".join(there)),
                code="several-metrics-of-direction",
            )
    return gain or ups[0], tuple(dict.fromkeys(costs or downs))


def profile_command(space: Space, metrics: Sequence[str]) -> str:
    """The command that makes a profile of ``metrics``, in backquotes, as messages tell it."""
    images = {"data": "FOLDER"} if ACCURACY in metrics and not has_reference(space, ACCURACY) else {}
    return str(Command("blockprof profile", space=space.name, metrics=",".join(metrics), **images))


def read_effects(space: Space, placements: "pd.DataFrame", metric: str) -> Effects:
    """One metric's effects from a profile's placements (``Profile.placement_frame``, or a run's ``placements.csv``).

    Raises:
        InputError: placements are missing.
    """
    rows = placements[placements["metric"] == metric].set_index("placement")
    wanted = [placement.name for placement in all_placements(space)]
    missing = [name for name in wanted if name not in rows.index]
    if missing:
        raise InputError(
            f"the profile of {metric} has only {len(wanted) - len(missing)} of the {len(wanted)} placements of "
            f"{space.name}",
            remedy=Said("profile all, without {}", Argument("blocks")),
            code="placements-missing",
        )
    effects = rows.loc[wanted, "effect"].to_numpy(float)
    halves = (rows.loc[wanted, "effect_upper"] - rows.loc[wanted, "effect_lower"]).to_numpy(float) / 2
    num_stems = len(_stems(space))
    shape = (space.num_slots, space.num_widths, space.blocks_per_width)
    layers, layer_halves = effects[num_stems:].reshape(shape), halves[num_stems:].reshape(shape)
    kinds = layers.mean(axis=1) - layers.mean(axis=(1, 2))[:, None]
    levels, level_halves = _levels(space, layers.mean(axis=(1, 2)), layer_halves.mean(axis=(1, 2)))
    firsts = [slots.start for slots in space.unit_slots]
    several = slice(None) if space.num_widths > 1 else slice(0)
    return Effects(
        space=space,
        metric=metric,
        unit=str(rows["unit_of_metric"].iloc[0]),
        values=np.concatenate(
            [(kinds + levels[:, None]).ravel(), layers[firsts].mean(axis=2).ravel()[several], effects[:num_stems]]
        ),
        halves=np.concatenate(
            [layer_halves.mean(axis=1).ravel(), layer_halves[firsts].mean(axis=2).ravel()[several], halves[:num_stems]]
        ),
        level_halves=level_halves,
    )


def _levels(space: Space, means: FloatArray, halves: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(L,), (L,): what each layer that may be missing adds, 0 for others, and half its interval at most.

    ``means`` and ``halves`` (L,) are those of the effects at each layer: of networks with at least so many layers.
    """
    levels, level_halves = np.zeros(space.num_slots), np.zeros(space.num_slots)
    for unit, slots in zip(space.units, space.unit_slots, strict=True):
        least = min(unit.depths)
        # (depths, depths): from the means of at least so many layers to those of exactly so many, to differences.
        count = np.arange(len(unit.depths), 0, -1.0)
        exactly = np.diag(count) - np.diag(count[1:], 1)
        added = np.diff(exactly, axis=0)
        at_least, its_halves = means[slots][least - 1 :].copy(), halves[slots][least - 1 :].copy()
        # All networks have the least number of layers, so that there the effect is nought.
        at_least[0] = its_halves[0] = 0.0
        optional = slice(slots.start + least, slots.stop)
        levels[optional], level_halves[optional] = added @ at_least, np.abs(added) @ its_halves
    return levels, level_halves


def _stems(space: Space) -> tuple[StemPlacement, ...]:
    return tuple(one for one in all_placements(space) if isinstance(one, StemPlacement))
