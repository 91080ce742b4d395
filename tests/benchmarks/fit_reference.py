"""Make the built-in reference tables, and say how far they are from what they stand for.

Run with: python tests/benchmarks/fit_reference.py

Reads what the predictors that BlockProfile's authors released say of random networks, of networks of exact fronts, and
of uniform networks (``reference/judge`` of the shared data); writes ``blockprof/spaces/library/<space>/reference``.
Latencies are sums of a cost for each block instance, fitted by least squares on errors relative to the prediction.
Accuracy is an increasing cubic of a sum of a gain for each placement, fitted by Gauss-Newton. Errors are those of
networks left out, in four folds.

A layer that is always there has no zero of its own. By convention the blocks of a unit's first layer cost so much that
the cheapest costs what the cheapest of the unit's other layers does, and gains of layers that are always there have
mean 0.
"""

import csv
import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from blockprof.foundation.arrays import FloatArray, IntArray
from blockprof.metrics import AdditiveMetric, ExactMetric, Link, MetricInfo, MonotoneMetric
from blockprof.searching.limits import least_value
from blockprof.spaces import Architectures, BlockInstance, CostsBy, Space, load_space

SPACES = ("pn", "mbv3")
METRICS = ("npu", "gpu", "cpu", "accuracy")
RESOLUTIONS = (192, 208, 224)
RANDOM, FRONT, UNIFORM = KINDS = ("random", "front", "uniform")
NUM_FOLDS = 4
RIDGE = 1e-4
"""Of every cost, as a share of the rows: it only settles what no row tells."""
STEPS = 40
REWEIGHTINGS = 4
LIBRARY = Path(__file__).parents[2] / "blockprof" / "spaces" / "library"


@dataclass(frozen=True, eq=False)
class Judged:
    """N different networks, what kind each is (N,), and what the judge says of them: (N,) by metric and resolution."""

    archs: Architectures
    kinds: np.ndarray
    values: dict[tuple[str, int], FloatArray]

    @property
    def space(self) -> Space:
        return self.archs.space

    def select(self, rows: IntArray) -> "Judged":
        return Judged(self.archs[rows], self.kinds[rows], {key: value[rows] for key, value in self.values.items()})

    def folds(self, num_folds: int, seed: int = 0) -> IntArray:
        """(N,): a fold for each network, each kind spread evenly."""
        fold_of = np.empty(len(self.archs), dtype=int)
        rng = np.random.default_rng(seed)
        for kind in KINDS:
            rows = np.flatnonzero(self.kinds == kind)
            fold_of[rng.permutation(rows)] = np.arange(len(rows)) % num_folds
        return fold_of


def read_judged(space: Space) -> Judged:
    """Read ``reference/judge/<space>.csv`` of the shared data; BLOCKPROF_SHARED says where ``data`` beside it is."""
    shared = Path(os.environ.get("BLOCKPROF_SHARED", Path(__file__).parents[2].parent / "shared" / "data"))
    frame = pd.read_csv(shared.parent / "reference" / "judge" / f"{space.name}.csv").drop_duplicates("net_str")
    units = {"accuracy": "percent"}
    values = {
        (metric, resolution): frame[f"{metric}_{resolution}_{units.get(metric, 'ms')}"].to_numpy(float)
        for metric in METRICS
        for resolution in RESOLUTIONS
    }
    return Judged(Architectures.from_strings(space, frame["net_str"]), frame["kind"].to_numpy(str), values)


def fit_metric(judged: Judged, metric: str, resolution: int) -> ExactMetric:
    """Fit one metric at one resolution to all of ``judged``."""
    space, values = judged.space, judged.values[metric, resolution]
    is_accuracy = metric == "accuracy"
    by: CostsBy = "placement" if is_accuracy else "instance"
    info = MetricInfo(metric, "%" if is_accuracy else "ms", is_accuracy, "reference", "fitted")
    design = count_costs(judged.archs, by)
    if not is_accuracy:
        return AdditiveMetric(info, space, *in_convention(space, by, _fit_relative(design, values)), by)
    weights, quadratic, cubic, centre, scale = _fit_cubic(design, values)
    score = AdditiveMetric(info, space, *in_convention(space, by, weights), by)
    low, high = (_end(score, sign) for sign in (1.0, -1.0))
    return MonotoneMetric(info, score, Link(centre, scale, quadratic, cubic, low, high))


def count_costs(archs: Architectures, by: CostsBy) -> FloatArray:
    """(N, K + 1): how often each cost is in each network, and 1 for the base."""
    ids, absent = archs.space.encode(archs, by), archs.space.catalogue(by).absent
    counts = np.zeros((len(archs), absent + 1))
    for column in ids.T:
        counts[np.arange(len(archs)), column] += 1
    counts[:, absent] = 1.0
    return counts


def _fit_relative(design: FloatArray, values: FloatArray) -> FloatArray:
    """Weights of least squares on errors relative to the prediction: relative to the values, means would be too low."""
    levels = values
    for _ in range(REWEIGHTINGS):
        weights = _ridge(design, values, 1 / levels**2)
        levels = design @ weights
    return weights


def _ridge(design: FloatArray, values: FloatArray, row_weights: FloatArray) -> FloatArray:
    weighted = design * row_weights[:, None]
    return np.asarray(np.linalg.solve(weighted.T @ design + _shrinkage(design, row_weights), weighted.T @ values))


def _shrinkage(design: FloatArray, row_weights: FloatArray) -> FloatArray:
    shrinkage = np.full(design.shape[1], RIDGE * row_weights.mean())
    shrinkage[-1] = 0.0
    return np.diag(shrinkage)


def _fit_cubic(design: FloatArray, values: FloatArray) -> tuple[FloatArray, float, float, float, float]:
    """Weights of the score, the link's two coefficients, its centre and its scale."""
    centre, scale = round(float(values.mean()), 3), round(float(values.std()), 3)
    num, ones = design.shape[1], np.ones(len(values))
    found = np.append(_ridge(design, values, ones), [0.0, 0.0])
    shrinkage = np.zeros((num + 2, num + 2))
    shrinkage[:num, :num] = _shrinkage(design, ones)
    for step in range(STEPS):
        score = design @ found[:num]
        offset = (score - centre) / scale
        powers = scale * np.column_stack([offset**2, offset**3])
        slope = 1 + 2 * found[num] * offset + 3 * found[num + 1] * offset**2
        jacobian = np.column_stack([design * slope[:, None], powers])
        left = values - score - powers @ found[num:]
        change = np.linalg.solve(jacobian.T @ jacobian + shrinkage, jacobian.T @ left - shrinkage @ found)
        found += change * (0.7 if step < 5 else 1.0)
    return found[:num], float(found[num]), float(found[num + 1]), centre, scale


def in_convention(space: Space, by: CostsBy, weights: FloatArray) -> tuple[float, FloatArray]:
    """The base and the (K,) costs that mean the same, with what no network tells settled as the module says."""
    costs, base = weights[:-1].copy(), float(weights[-1])
    if by == "placement":
        always = [
            layer < min(unit.depths)
            for unit, slots in zip(space.units, space.unit_slots, strict=True)
            for layer in range(slots.stop - slots.start)
        ]
        groups = [space.catalogue(by).layers[slot, 0] for slot in np.flatnonzero(always)]
        shifts = [costs[group].mean() for group in groups]
    else:
        positions = [(one.unit, one.position) for one in space.instances if isinstance(one, BlockInstance)]
        groups, shifts = [], []
        for unit in range(len(space.units)):
            first, rest = (
                np.array([key for key, at in enumerate(positions) if at == (unit, position)], dtype=int)
                for position in ("first", "rest")
            )
            groups.append(first)
            shifts.append(costs[first].min() - (costs[rest].min() if len(rest) else 0.0))
    for group, shift in zip(groups, shifts, strict=True):
        costs[group] -= shift
        base += float(shift)
    return base, costs


def _end(score: AdditiveMetric, sign: float) -> float:
    """The least or, where ``sign`` is -1, the greatest score of the space, and a little beyond."""
    from blockprof.reduction import Reduction

    least = sign * least_value(score, Reduction.whole(score.space), sign)
    return round(least - 0.01 * sign, 2)


def left_out_values(judged: Judged, metric: str, resolution: int) -> FloatArray:
    """(N,): each network by a table that was fitted without its fold."""
    fold_of = judged.folds(NUM_FOLDS)
    values = np.empty(len(fold_of))
    for fold in range(NUM_FOLDS):
        held = np.flatnonzero(fold_of == fold)
        fitted = fit_metric(judged.select(np.flatnonzero(fold_of != fold)), metric, resolution)
        values[held] = fitted.evaluate(judged.archs[held])
    return values


def describe_errors(judged: Judged, metric: str, resolution: int) -> dict[str, object]:
    """What ``errors.json`` says of a table."""
    truth, found = judged.values[metric, resolution], left_out_values(judged, metric, resolution)
    relative = metric != "accuracy"
    errors = 100 * (found / truth - 1) if relative else found - truth
    is_random = judged.kinds == RANDOM
    extreme = errors[~is_random]
    counts = count_costs(judged.archs, "placement")[is_random, :-1]
    of_placements = (counts.T @ errors[is_random]) / counts.sum(axis=0)
    return {
        "network": _digits(np.abs(errors[is_random]).mean()),
        "bias": _digits(errors[is_random].mean()),
        "deviation": _digits(errors[is_random].std()),
        "placement": _digits(np.abs(of_placements).mean()),
        "extreme": _digits(np.abs(extreme).mean()),
        "extreme_range": [_digits(extreme.min()), _digits(extreme.max())],
        "fitted": [float(truth.min()), float(truth.max())],
    }


def _digits(value: float) -> float:
    return float(f"{value:.4g}")


def write_tables(judged: Judged) -> None:
    """Write a space's tables, one file a metric, and ``errors.json``."""
    space, said = judged.space, {}
    folder = LIBRARY / space.name / "reference"
    for metric in METRICS:
        fitted = [fit_metric(judged, metric, resolution) for resolution in RESOLUTIONS]
        scores = [one.score for one in fitted]
        place, unit = ("layer", "percent") if metric == "accuracy" else ("position", "ms")
        with (folder / f"{metric}.csv").open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["unit", place, "expand", "kernel", *(f"r{size}_{unit}" for size in RESOLUTIONS)])
            writer.writerow(["base", "", "", "", *(round(score.base, 5) for score in scores)])
            for key, row in enumerate(np.column_stack([score.costs for score in scores]).round(5).tolist()):
                writer.writerow([*_labels(space, metric, key), *row])
        said[metric] = {
            str(resolution): describe_errors(judged, metric, resolution) | _link_of(one)
            for resolution, one in zip(RESOLUTIONS, fitted, strict=True)
        }
        for resolution, errors in said[metric].items():
            print(f"{space.name} {metric:9s}{resolution}  {errors}", flush=True)
    (folder / "errors.json").write_text(json.dumps(said, indent=1) + "\n")


def _labels(space: Space, metric: str, key: int) -> tuple[int, object, int, int]:
    if metric == "accuracy":
        slot, block = divmod(key, len(space.blocks))
        chosen = space.blocks[block]
        return int(space.slot_unit[slot]) + 1, int(space.slot_layer[slot]) + 1, chosen.expand, chosen.kernel
    instance = [one for one in space.instances if isinstance(one, BlockInstance)][key]
    return instance.unit + 1, instance.position, instance.block.expand, instance.block.kernel


def _link_of(metric: ExactMetric) -> dict[str, object]:
    if not isinstance(metric, MonotoneMetric):
        return {}
    link = metric.link
    names = ("centre", "scale", "quadratic", "cubic", "low", "high")
    return {"link": {name: round(getattr(link, name), 5) for name in names}}


if __name__ == "__main__":
    for name in SPACES:
        write_tables(read_judged(load_space(name)))
