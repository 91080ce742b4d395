"""Profiles: what each block costs and gains at each place of the network."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from blockprof.foundation.arrays import FloatArray, IntArray
from blockprof.foundation.display import Picture, as_html, plot
from blockprof.foundation.errors import Argument, InputError
from blockprof.foundation.lazy import lazy_import
from blockprof.foundation.listener import SILENT, Listener, Part
from blockprof.metrics.checking import check_metrics
from blockprof.metrics.metric import AdditiveMetric, Metric, MetricInfo, as_exact
from blockprof.metrics.peak import PeakMetric
from blockprof.profiling.additive import additive_statistics, widened_by_costs
from blockprof.profiling.peak import peak_statistics
from blockprof.profiling.places import complete_places, place_means
from blockprof.profiling.pooled import HeldOut, Surrogate, independent_evaluations
from blockprof.profiling.sampled import draw_base_networks, sampled_statistics
from blockprof.profiling.slowdowns import Slowdown, find_slowdowns
from blockprof.profiling.statistics import STATISTICS, EstimatedStatistics, Statistics
from blockprof.spaces import Block, Constraint, Space, all_constraints
from blockprof.spaces.sampling import BaseDraws, Sampler

if TYPE_CHECKING:
    import pandas as pd
else:
    pd = lazy_import("pandas")

Method = Literal["exact", "sampled", "pooled"]

DEFAULT_NUM_ARCHS = 1000
_ROUNDING = 1e-12
"""A layer that every network has adds nothing: its depth effect is what rounding leaves, in shares of the mean."""


@dataclass(frozen=True, eq=False)
class MetricProfile:
    """One metric's profile.

    Row 0 of ``statistics`` is the random networks, row 1 + i is ``constraints[i]``. ``effect_half_widths``,
    ``depth_half_widths`` and ``contrast_half_widths`` are (1 + S,), the latter two not a number where not all blocks of
    a place were profiled; ``response_half_widths`` and ``response_effect_half_widths`` are (number of blocks,): half
    the 95 % intervals, 0 where all costs are known. Where ``exact`` and not 0 they say what a predictor's training
    leaves open. ``num_archs`` is the number of networks a placement where sampled, of networks in all where pooled, and
    None where exact. ``check`` tells how additive a pooled metric is; None where it is not pooled. ``slowdowns`` are
    the blocks of a latency, where it is a sum of costs, that stand out among their siblings.
    """

    info: MetricInfo
    method: Method
    num_archs: int | None
    statistics: Statistics
    effect_half_widths: FloatArray
    depth_half_widths: FloatArray
    contrast_half_widths: FloatArray
    response_half_widths: FloatArray
    response_effect_half_widths: FloatArray
    check: HeldOut | None = None
    slowdowns: tuple[Slowdown, ...] = ()

    def __repr__(self) -> str:
        return f"<MetricProfile of {self.info.label}, {self.info.origin}: {self.method}>"

    @property
    def has_intervals(self) -> bool:
        """Whether anything is left open: all but exact profiles of known costs."""
        return self.method != "exact" or bool(self.statistics.half_widths.any())

    @property
    def known_to(self) -> float:
        """How well effects are known, in the metric's unit: the narrowest half interval, or the metric's own error.

        0 where nothing is said of either.
        """
        halves = np.concatenate([self.effect_half_widths[1:], self.statistics.half_widths[:1]])
        narrowest = float(halves[halves > 0].min()) if (halves > 0).any() else 0.0
        return max(narrowest, self.info.error_of_placement(float(self.statistics.column("mean")[0])))

    @property
    def num_independent(self) -> int | None:
        """How many networks BlockProfile's design evaluates for effects as sure as a pool's; None where not pooled."""
        if self.check is None or len(self.effect_half_widths) < 2:
            return None
        return independent_evaluations(self.statistics, self.effect_half_widths, self.check.unexplained)


@dataclass(frozen=True, eq=False)
class Profile:
    """The profile of a space: for each metric the random networks, every placement, and each block's response.

    ``blocks`` are the blocks that have a response: those of the single placements asked.
    """

    space: Space
    sampler: Sampler
    resolution: int
    seed: int
    constraints: tuple[Constraint, ...]
    blocks: tuple[Block, ...]
    metrics: tuple[MetricProfile, ...]
    seconds: float = field(compare=False)

    def __repr__(self) -> str:
        metrics = ", ".join(f"{one.info.label} {one.info.origin}, {one.method}" for one in self.metrics)
        return f"<Profile of {self.space.name} at {self.resolution}: {len(self.constraints)} placements; {metrics}>"

    def _repr_html_(self) -> str:
        return as_html(repr(self), self.response_frame() if self.blocks else self.placement_frame())

    def plot(self, what: str | None = None, metric: str | None = None) -> Picture:
        """The heat map of a metric's ``responses``, or its ``effects`` by place; of the first metric where None.

        Raises:
            InputError: there is no such picture or metric.
        """
        return plot(self, what, metric)

    def to_pandas(self) -> "pd.DataFrame":
        """One row a metric and placement, as :meth:`placement_frame`."""
        return self.placement_frame()

    def random_frame(self) -> "pd.DataFrame":
        """One row a metric: the random networks' statistics, in the metric's unit."""
        return pd.concat([_statistics_frame(metric, slice(0, 1)) for metric in self.metrics], ignore_index=True)

    def placement_frame(self) -> "pd.DataFrame":
        """One row a metric and placement: statistics, and effects against the random networks (eqs. 2 and 3).

        An ``effect`` is the sum of ``depth_effect``, that the layer is there, whatever its block, and ``contrast``, the
        block against the mean of all blocks at that place; both are empty where not all of these were profiled.
        """
        return self._placements.copy()

    @cached_property
    def _placements(self) -> "pd.DataFrame":
        """Built once: what logs, prints, draws and reduces a profile each asks for it."""
        places = pd.DataFrame(
            {
                "placement": [constraint.name for constraint in self.constraints],
                "unit": [_single(constraint, "unit") for constraint in self.constraints],
                "layer": [_single(constraint, "layer") for constraint in self.constraints],
                "block": [_block_name(constraint) for constraint in self.constraints],
            }
        ).astype({"unit": "Int64", "layer": "Int64"})
        frames = []
        complete = complete_places(self.space, self.constraints)
        for metric in self.metrics:
            frame = _statistics_frame(metric, slice(1, None))
            frame.insert(1, "placement", places["placement"])
            for offset, column in enumerate(("unit", "layer", "block")):
                frame.insert(2 + offset, column, places[column])
            values = metric.statistics
            effect = values.column("mean")[1:] - values.column("mean")[0]
            half = metric.effect_half_widths[1:]
            frame["effect"] = effect
            frame["effect_lower"], frame["effect_upper"] = effect - half, effect + half
            depth_effect = place_means(effect, complete)
            depth_effect[np.abs(depth_effect) < _ROUNDING * np.abs(values.column("mean")[0])] = 0.0
            halves = {"depth_effect": metric.depth_half_widths, "contrast": metric.contrast_half_widths}
            for name, part in {"depth_effect": depth_effect, "contrast": effect - depth_effect}.items():
                frame[name] = part
                frame[f"{name}_lower"], frame[f"{name}_upper"] = part - halves[name][1:], part + halves[name][1:]
            for quantile in ("q05", "q95"):
                frame[f"effect_{quantile}"] = values.column(quantile)[1:] - values.column(quantile)[0]
            frames.append(frame)
        return pd.concat(frames, ignore_index=True)

    def response_frame(self) -> "pd.DataFrame":
        """One row a metric and block: the block's response M_b (eq. 1), and how far it is from the random mean."""
        groups = _group_by_block(self.constraints, self.blocks)
        frames = []
        for metric in self.metrics:
            means = metric.statistics.column("mean")
            response = np.array([means[1:][group].mean() for group in groups])
            effect = response - means[0]
            frames.append(
                pd.DataFrame(
                    {
                        "metric": metric.info.name,
                        "unit_of_metric": metric.info.unit,
                        "origin": metric.info.origin,
                        "block": [block.name for block in self.blocks],
                        **_describe(self.blocks),
                        "num_placements": [len(group) for group in groups],
                        "response": response,
                        "response_lower": response - metric.response_half_widths,
                        "response_upper": response + metric.response_half_widths,
                        "effect": effect,
                        "effect_lower": effect - metric.response_effect_half_widths,
                        "effect_upper": effect + metric.response_effect_half_widths,
                    }
                )
            )
        return pd.concat(frames, ignore_index=True)

    def pooled_frame(self) -> "pd.DataFrame":
        """One row a pooled metric: how well its surrogate predicts the networks of the pool left out of it.

        ``num_independent`` is how many networks BlockProfile's design evaluates for effects as sure.
        """
        return pd.DataFrame(
            [
                {
                    "metric": metric.info.name,
                    "num_networks": metric.num_archs,
                    "num_independent": metric.num_independent,
                    **metric.check.scores(),
                }
                for metric in self.metrics
                if metric.check
            ]
        )

    def slowdown_frame(self) -> "pd.DataFrame":
        """One row for each group of blocks that slows a metric's target down (``blockprof.profiling.slowdowns``)."""
        rows = [
            {"metric": metric.info.name, **asdict(one), "lower": one.interval[0], "upper": one.interval[1]}
            for metric in self.metrics
            for one in metric.slowdowns
        ]
        return pd.DataFrame(rows).drop(columns="interval", errors="ignore")


def profile(
    space: Space,
    metrics: Sequence[Metric | Surrogate],
    *,
    constraints: Sequence[Constraint] | None = None,
    sampler: Sampler = "paper",
    resolution: int = 224,
    num_archs: int | None = None,
    seed: int = 0,
    listener: Listener = SILENT,
) -> Profile:
    """Profile ``space``: what each placement costs and gains in each metric.

    Args:
        space: the design space.
        metrics: metrics of that space; of expensive ones, surrogates fitted to a pool of networks.
        constraints: the placements to profile; all of the space where None.
        sampler: how networks of a placement are drawn (``blockprof.spaces.sampling``).
        resolution: of the input, in pixels; that of the metrics.
        num_archs: networks a placement. Where None, additive metrics, increasing functions of these and peaks are
            exact, and others take 1,000. Surrogates are profiled from their pool, whatever it is.
        seed: the result depends on it alone, and only where networks are sampled.
        listener: told how many placements of how many are done, over all metrics.

    Raises:
        InputError: no metric, two of one name, one of another space or resolution, or fewer than two networks a
            placement.
    """
    check_names([metric.info.name for metric in metrics])
    check_metrics(metrics, space, resolution)
    if num_archs is not None and num_archs < 2:
        raise InputError("at least 2 networks a placement are needed", where=Argument("num_archs", num_archs))
    chosen = tuple(constraints) if constraints is not None else all_constraints(space)
    blocks = tuple(block for block in space.blocks if any(_block_name(f) == block.name for f in chosen))
    groups = _group_by_block(chosen, blocks)
    start = time.perf_counter()
    base: BaseDraws | None = None
    profiles = []
    for index, metric in enumerate(metrics):
        if isinstance(metric, Surrogate):
            found = additive_statistics(metric.metric, chosen, groups, sampler)
            profiles.append(_metric_profile(metric.info, "pooled", metric.num_networks, found, metric.check))
        elif num_archs is None and (exact := as_exact(metric)):
            found = additive_statistics(exact, chosen, groups, sampler)
            profiles.append(_metric_profile(metric.info, "exact", None, found))
        elif num_archs is None and isinstance(metric, PeakMetric):
            found = peak_statistics(metric, chosen, groups, sampler)
            profiles.append(_metric_profile(metric.info, "exact", None, found))
        else:
            sample_size = num_archs or DEFAULT_NUM_ARCHS
            base = base or draw_base_networks(space, sample_size, seed)
            found = sampled_statistics(metric, base, chosen, groups, sampler, Part(listener, index, len(metrics)))
            if exact := as_exact(metric):
                found = widened_by_costs(found, exact.score, chosen, groups, sampler)
            profiles.append(_metric_profile(metric.info, "sampled", sample_size, found))
    return Profile(
        space=space,
        sampler=sampler,
        resolution=resolution,
        seed=seed,
        constraints=chosen,
        blocks=blocks,
        metrics=tuple(
            replace(found, slowdowns=_slowdowns(metric)) for found, metric in zip(profiles, metrics, strict=True)
        ),
        seconds=time.perf_counter() - start,
    )


def _slowdowns(metric: Metric | Surrogate) -> tuple[Slowdown, ...]:
    """What stands out, of a latency that is a sum of costs; empty of anything else."""
    costs = metric.metric if isinstance(metric, Surrogate) else metric
    return find_slowdowns(costs) if isinstance(costs, AdditiveMetric) and costs.info.unit == "ms" else ()


def check_names(names: Sequence[str]) -> None:
    """Refuse metrics that make no profile.

    Raises:
        InputError: there is none, or two of one name.
    """
    if not names or len(set(names)) < len(names):
        raise InputError("give at least one metric, and each once")


def _metric_profile(
    info: MetricInfo, method: Method, num_archs: int | None, found: EstimatedStatistics, check: HeldOut | None = None
) -> MetricProfile:
    return MetricProfile(
        info=info,
        method=method,
        num_archs=num_archs,
        statistics=found.statistics,
        effect_half_widths=found.effect_half_widths,
        depth_half_widths=found.depth_half_widths,
        contrast_half_widths=found.contrast_half_widths,
        response_half_widths=found.group_half_widths,
        response_effect_half_widths=found.group_effect_half_widths,
        check=check,
    )


def _statistics_frame(metric: MetricProfile, rows: slice) -> "pd.DataFrame":
    values, half = metric.statistics.values[rows], metric.statistics.half_widths[rows]
    frame = pd.DataFrame(values, columns=list(STATISTICS))
    frame.insert(0, "metric", metric.info.name)
    frame.insert(1, "unit_of_metric", metric.info.unit)
    frame.insert(2, "higher_is_better", metric.info.higher_is_better)
    frame.insert(3, "origin", metric.info.origin)
    frame.insert(4, "method", metric.method)
    frame.insert(5, "n", pd.Series([metric.num_archs] * len(frame), dtype="Int64"))
    frame.insert(7, "mean_lower", frame["mean"] - half)
    frame.insert(8, "mean_upper", frame["mean"] + half)
    frame["lowest_net"] = metric.statistics.lowest[rows]
    frame["highest_net"] = metric.statistics.highest[rows]
    return frame


def _describe(blocks: Sequence[Block]) -> dict[str, list[int]]:
    """What tells blocks apart, as columns: ``expand`` and ``kernel``, or ``width`` and ``expand`` in percent."""
    return (
        {field.name: [getattr(block, field.name) for block in blocks] for field in fields(blocks[0])} if blocks else {}
    )


def _single(constraint: Constraint, attribute: Literal["unit", "layer"]) -> int | None:
    return getattr(constraint.single, attribute) if constraint.single else None


def _block_name(constraint: Constraint) -> str | None:
    return constraint.single.block.name if constraint.single else None


def _group_by_block(constraints: Sequence[Constraint], blocks: Sequence[Block]) -> list[IntArray]:
    names = np.array([_block_name(constraint) or "" for constraint in constraints])
    return [np.flatnonzero(names == block.name) for block in blocks]
