"""The reference tables that a space brings along: what each block costs or gains, at resolutions 192 to 224.

The built-in ones are fits to what the predictors that BlockProfile's authors released (Ascend-Research/AutoBuild, MIT)
say of random networks and of networks at the ends of the spaces: the Kirin 9000 NPU, the RTX 2080 Ti and the
Threadripper 2990WX at batch 1, and ImageNet top-1. Reference figures, not measurements. Latencies are additive;
accuracy, which saturates, is an increasing function of an additive score. ``tests/benchmarks/fit_reference.py`` makes
the tables, at resolutions 192, 208 and 224; between these, costs are interpolated.
"""

import csv
import json
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from blockprof.foundation.arrays import FloatArray
from blockprof.foundation.errors import Argument, MetricError, Said
from blockprof.metrics.link import Link
from blockprof.metrics.metric import AdditiveMetric, ExactMetric, KnownErrors, MetricInfo, MonotoneMetric
from blockprof.spaces import BlockInstance, CostsBy, MBConv, ReferenceTables, Space

REFERENCE_RESOLUTION = 224
"""The resolution of the networks that ``fetch-data --source reference`` makes."""
FITTED_RESOLUTIONS = (192, 208, 224)
ACCURACY = "accuracy"


def load_reference(space: Space, name: str, resolution: int = REFERENCE_RESOLUTION) -> ExactMetric:
    """Load a table of ``space``: ``npu``, ``gpu``, ``cpu`` (ms) or ``accuracy`` (top-1, percent).

    Between the resolutions that were fitted, costs, base and link are interpolated linearly; the errors are then the
    larger ones of the two neighbours, and the source says so.

    Raises:
        MetricError: there is no such table, or none at ``resolution``.
    """
    tables = space.assets.reference
    if tables is None or name not in tables.sources:
        remedy = (
            Said("; accuracy is evaluated in the supernet with {}, ImageNet's folder", Argument("data"))
            if name == ACCURACY
            else f"; a predictor that you train may be called {name}"
        )
        raise MetricError(
            f"there is no reference table '{name}' for {space.name}",
            remedy=Said("there are macs, flops, params and ort-cpu{}", remedy),
            code="no-reference-table",
        )
    shares = _shares(name, resolution)
    between = f", interpolated between resolutions {' and '.join(map(str, shares))}" if len(shares) > 1 else ""
    facts = _facts(tables)[name]
    accuracy = name == ACCURACY
    info = MetricInfo(
        name=name,
        unit="%" if accuracy else "ms",
        higher_is_better=accuracy,
        origin="reference",
        source=f"reference table, {tables.sources[name]}{between}",
        errors=_worst_errors([facts[str(fitted)] for fitted in shares], relative=not accuracy),
    )
    weights = np.array([shares.get(fitted, 0.0) for fitted in FITTED_RESOLUTIONS])
    base, *costs = _read_table(space, tables, name) @ weights
    by: CostsBy = "placement" if accuracy else "instance"
    table = AdditiveMetric(info, space, float(base), np.array(costs), by, resolution=resolution)
    if not accuracy:
        return table
    links = [facts[str(fitted)]["link"] for fitted in shares]
    link = {key: float(np.dot([one[key] for one in links], list(shares.values()))) for key in links[0]}
    return MonotoneMetric(info, table, Link(**link))


def has_reference(space: Space, name: str) -> bool:
    """Whether there is a table of that name for ``space``."""
    return name in reference_names(space)


def reference_names(space: Space) -> tuple[str, ...]:
    """The names of the tables of ``space``."""
    tables = space.assets.reference
    return tuple(tables.sources) if tables else ()


def reference_latencies(space: Space) -> tuple[str, ...]:
    """The names of the tables of latencies of ``space``."""
    return tuple(name for name in reference_names(space) if name != ACCURACY)


def reference_deviation(space: Space, name: str) -> float:
    """The standard deviation of the relative errors of a table of latencies on random networks, at resolution 224.

    Raises:
        MetricError: the space has no tables.
    """
    tables = space.assets.reference
    if tables is None:
        raise MetricError(f"there are no reference tables for {space.name}")
    return float(_facts(tables)[name][str(REFERENCE_RESOLUTION)]["deviation"]) / 100


def _shares(name: str, resolution: int) -> dict[int, float]:
    """The fitted resolutions that a table at ``resolution`` is made of, and the share of each."""
    if resolution in FITTED_RESOLUTIONS:
        return {resolution: 1.0}
    for low, high in pairwise(FITTED_RESOLUTIONS):
        if low < resolution < high:
            share = (resolution - low) / (high - low)
            return {low: 1 - share, high: share}
    by_itself = (
        Said("evaluate networks in the supernet with {}", Argument("data"))
        if name == ACCURACY
        else "train a predictor on networks"
    )
    raise MetricError(
        f"the reference table '{name}' is for resolutions {FITTED_RESOLUTIONS[0]} to {FITTED_RESOLUTIONS[-1]}, not "
        f"{resolution}",
        remedy=Said("{} at {}, or choose another {}", by_itself, resolution, Argument("resolution")),
        code="no-such-resolution",
    )


def _worst_errors(tables: list[Mapping[str, Any]], *, relative: bool) -> KnownErrors:
    lows, highs = zip(*(table["extreme_range"] for table in tables), strict=True)
    least, greatest = zip(*(table["fitted"] for table in tables), strict=True)
    return KnownErrors(
        relative=relative,
        network=max(table["network"] for table in tables),
        placement=max(table["placement"] for table in tables),
        extreme=max(table["extreme"] for table in tables),
        extreme_range=(min(lows), max(highs)),
        fitted=(min(least), max(greatest)),
    )


def _facts(tables: ReferenceTables) -> dict[str, dict[str, Any]]:
    """By metric and resolution: how far the table is from what it was fitted to, and accuracy's link."""
    facts: dict[str, dict[str, Any]] = json.loads((tables.folder / "errors.json").read_text(encoding="utf-8"))
    return facts


def _read_table(space: Space, tables: ReferenceTables, name: str) -> FloatArray:
    """(1 + K, resolutions): the base, then the costs, at each of ``FITTED_RESOLUTIONS``."""
    _, base_row, *rows = csv.reader((tables.folder / f"{name}.csv").read_text(encoding="utf-8").splitlines())
    values_of = {
        (int(unit), place, MBConv(int(expand), int(kernel)).name): values
        for unit, place, expand, kernel, *values in rows
    }
    if name == ACCURACY:
        keys = [
            (int(unit) + 1, str(layer + 1), block.name)
            for unit, layer in zip(space.slot_unit, space.slot_layer, strict=True)
            for block in space.blocks
        ]
    else:
        instances = [instance for instance in space.instances if isinstance(instance, BlockInstance)]
        keys = [(instance.unit + 1, instance.position, instance.block.name) for instance in instances]
    return np.array([base_row[-len(FITTED_RESOLUTIONS) :], *(values_of[key] for key in keys)], dtype=float)
