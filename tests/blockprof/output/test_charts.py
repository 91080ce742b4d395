"""What charts of profiles, trainings, comparisons and measurements show: values, intervals, names and order."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from blockprof import predictors
from blockprof.comparing import MetricPair, PredictedRows, ProfileTables, compare_predictors, compare_profiles
from blockprof.fetching.reference import reference_data
from blockprof.metrics import load_reference
from blockprof.output.charts import Band, Bars, Layer, Line, Panel, Points, Ranges, Regions, Rule
from blockprof.output.charts.comparisons import effects_chart, errors_chart
from blockprof.output.charts.profiles import effect_chart, pool_chart, response_heatmap
from blockprof.output.charts.trainings import coverage_panel, error_panel, learning_chart, predictions_chart
from blockprof.profiling import HeldOut, Profile, profile
from blockprof.spaces import load_space, parse_blocks

PN = load_space("pn")


def layers_of(panel: Panel, kind: type[Layer]) -> list[Layer]:
    return [layer for layer in panel.layers if isinstance(layer, kind)]


@cache
def exact() -> Profile:
    return profile(PN, [load_reference(PN, name) for name in ("npu", "accuracy")])


@cache
def sampled() -> Profile:
    return profile(PN, [load_reference(PN, "npu")], num_archs=20)


@pytest.mark.parametrize("index", [0, 1], ids=["npu", "accuracy"])
def test_a_heat_map_has_the_responses_with_the_greatest_expansion_on_top(index: int) -> None:
    metric = exact().metrics[index]
    chart = response_heatmap(exact(), metric)
    frame = exact().response_frame()
    rows = frame[frame["metric"] == metric.info.name].set_index("block")["response"]
    assert (chart.rows, chart.columns) == (("6", "4", "3"), ("3 x 3", "5 x 5", "7 x 7"))
    expected = [[rows[f"e{expand}k{kernel}"] for kernel in (3, 5, 7)] for expand in (6, 4, 3)]
    np.testing.assert_array_equal(chart.values, expected)
    most_expensive = np.unravel_index(np.argmax(chart.values), chart.values.shape)
    assert chart.badness[most_expensive] == (0 if metric.info.higher_is_better else 1)
    assert chart.notes[0][2].startswith(f"e6k7: {chart.text(0, 2)} {metric.info.unit}, +")


def test_a_heat_map_of_some_blocks_says_what_was_not_profiled() -> None:
    metric = load_reference(PN, "npu")
    some = profile(PN, [metric], constraints=parse_blocks(PN, ["u1.l1.e3k3", "u2.l1.e6k7"], 224))
    chart = response_heatmap(some, some.metrics[0])
    assert np.isnan(chart.values).sum() == 7
    assert (chart.text(0, 0), chart.notes[0][0]) == ("", "e6k3: not profiled")
    assert (chart.badness[2, 0], chart.badness[0, 2]) == (0, 1)
    assert [panel.title for panel in effect_chart(some, some.metrics[0]).panels] == [
        "kernel size 3 x 3", "kernel size 7 x 7"
    ]  # fmt: skip


def test_a_sampled_heat_map_has_half_intervals() -> None:
    chart = response_heatmap(sampled(), sampled().metrics[0])
    rows = sampled().response_frame().set_index("block")
    assert chart.halves[0, 2] == pytest.approx(rows["response_upper"]["e6k7"] - rows["response"]["e6k7"])
    assert (chart.halves > 0).all()


@pytest.mark.parametrize("make", [exact, sampled])
@pytest.mark.parametrize("spread", [False, True])
def test_effects_stand_at_their_places(make: Callable[[], Profile], spread: bool) -> None:
    result = make()
    chart = effect_chart(result, result.metrics[0], spread=spread)
    frame = result.placement_frame()
    rows = frame[frame["metric"] == "npu"].set_index("placement")
    assert [panel.title for panel in chart.panels] == [f"kernel size {size} x {size}" for size in (3, 5, 7)]
    panel = chart.panels[2]
    (units,) = layers_of(panel, Regions)
    assert units.names == ("u1", "u2", "u3", "u4", "u5", "u6")
    assert layers_of(panel, Rule) == [Rule(0.0)]
    lines = [line for line in layers_of(panel, Line) if line.tone == "row3"]
    assert [line.name for line in lines] == ["6", "", "", "", "", ""]
    second = lines[1]
    names = [f"u2.l{layer}.e6k7" for layer in (1, 2, 3, 4)]
    assert second.x.tolist() == [4, 5, 6, 7]
    np.testing.assert_allclose(second.y, rows["effect"][names])
    assert [note.split(":")[0] for note in second.notes] == names
    bands = [band for band in layers_of(panel, Band) if band.tone == "row3"]
    ends = ("effect_q05", "effect_q95") if spread else ("effect_lower", "effect_upper")
    if spread or make is sampled:
        np.testing.assert_allclose(bands[1].lower, rows[ends[0]][names])
        np.testing.assert_allclose(bands[1].upper, rows[ends[1]][names])
    else:
        assert not bands
    ranges = layers_of(panel, Ranges)
    assert bool(ranges) == (spread and make is sampled)
    if ranges:
        np.testing.assert_allclose(ranges[0].upper, rows["effect_upper"][[f"u1.l{i}.e3k7" for i in (1, 2, 3, 4)]])


def test_a_pool_shows_each_network_with_its_interval_and_its_signed_error() -> None:
    values = np.array([10.0, 12.0, 11.0])
    check = HeldOut(("a", "b", "c"), values, values * [1.1, 0.9, 1], values - 1, values + 2, np.full(3, 0.2), 0.5)
    left, right = pool_chart(exact(), exact().metrics[0], check).panels
    (ranges,), (points,) = layers_of(left, Ranges), layers_of(left, Points)
    assert (ranges.lower.tolist(), ranges.upper.tolist()) == ([9, 11, 10], [12, 14, 13])
    np.testing.assert_allclose(points.y, [11, 10.8, 11])
    assert (left.x.label, left.y.label) == ("npu (ms), reference", "predicted without it (ms)")
    np.testing.assert_allclose(layers_of(right, Points)[0].y, [10, -10, 0])
    assert right.y.label == "error (%)"
    points_of_percent = pool_chart(exact(), exact().metrics[0], replace(check, relative=False)).panels[1]
    assert points_of_percent.y.label == "error (percentage points)"


@cache
def trained() -> tuple:
    data = reference_data(PN, "npu", 120, seed=0)
    return data, predictors.train_predictor(data, "npu")


def test_a_training_shows_its_test_networks() -> None:
    data, model = trained()
    test = data.select(model.split.test)
    left, right = predictions_chart(model, test).panels
    said = model.model.predict(test.archs, test.resolutions)
    (ranges,), (points,) = layers_of(left, Ranges), layers_of(left, Points)
    np.testing.assert_array_equal(points.x, test.latencies_ms)
    np.testing.assert_array_equal(points.y, said.latency_ms)
    np.testing.assert_array_equal(ranges.lower, said.lower_ms)
    np.testing.assert_array_equal(ranges.upper, said.upper_ms)
    np.testing.assert_allclose(
        layers_of(right, Points)[0].y, 100 * (said.latency_ms - test.latencies_ms) / test.latencies_ms
    )


def test_errors_and_coverage_are_by_latency() -> None:
    values = np.arange(40.0, 0.0, -1)
    errors = np.where(values > 20, 3.0, -1.0)
    panel = error_panel(values, errors, "phone")
    (median,), (band,) = layers_of(panel, Line), layers_of(panel, Band)
    assert median.x.tolist() == [5.5, 15.5, 25.5, 35.5]
    assert median.y.tolist() == band.lower.tolist() == band.upper.tolist() == [-1, -1, 3, 3]
    inside = coverage_panel(values, (values > 4).astype(float), "phone")
    (bars,), (rule,) = layers_of(inside, Bars), layers_of(inside, Rule)
    assert (bars.left.tolist(), bars.right.tolist()) == ([1, 11, 21, 31], [10, 20, 30, 40])
    assert bars.height.tolist() == [60, 100, 100, 100]
    assert (rule.at, rule.axis, rule.is_limit) == (90, "y", True)
    assert inside.y.limits == (0, 100)


def test_a_learning_curve_has_the_median_and_the_range_of_the_draws_beside_flops() -> None:
    data, model = trained()
    curve = predictors.learning_curve(data, num_draws=3)
    (panel,) = learning_chart(curve, model).panels
    (line,), (band,), (rule,) = (layers_of(panel, kind) for kind in (Line, Band, Rule))
    np.testing.assert_array_equal(line.x, curve.sizes)
    np.testing.assert_allclose(line.y, np.median(curve.mape_percent, axis=1))
    np.testing.assert_array_equal(band.lower, curve.mape_percent.min(axis=1))
    np.testing.assert_array_equal(band.upper, curve.mape_percent.max(axis=1))
    assert rule.at == model.test.baselines["flops_only"].mape_percent
    assert [value for value, _ in panel.x.ticks] == curve.sizes.tolist()
    assert panel.x.is_log
    assert panel.y.is_log


def predicted(label: str, factors: list[float]) -> PredictedRows:
    latency = np.linspace(5, 10, len(factors))
    nets = [f"net{number}" for number in range(len(factors))]
    frame = pd.DataFrame({"net": nets, "resolution": 224, "latency_ms": latency, "predicted_ms": latency * factors})
    return PredictedRows(label, frame)


def test_predictors_are_compared_by_their_errors_and_the_later_minus_the_earlier() -> None:
    factors = np.linspace(1.01, 1.05, 20)
    comparison = compare_predictors([predicted("a", factors.tolist()), predicted("b", (2 * factors - 1).tolist())])
    shares, differences = errors_chart(comparison).panels
    one, other = layers_of(shares, Line)
    assert one.name.startswith("a: MAPE 3.00 %")
    np.testing.assert_allclose(one.x, 100 * (factors - 1))
    np.testing.assert_allclose(other.x, 200 * (factors - 1))
    assert one.y.tolist() == list(range(5, 101, 5))
    (ranges,), (points,), (zero,) = (layers_of(differences, kind) for kind in (Ranges, Points, Rule))
    assert (ranges.across, zero) == (True, Rule(0.0, "x"))
    assert points.x.tolist() == pytest.approx([3.0])
    row = comparison.differences.query("score == 'mape_percent'").iloc[0]
    assert (ranges.lower[0], ranges.upper[0]) == (row["lower"], row["upper"])
    assert differences.y.ticks == ((0.0, "b\nminus a"),)


def test_effects_of_two_profiles_are_grouped_and_those_that_change_rank_are_large() -> None:
    gpu = profile(PN, [load_reference(PN, "gpu")])
    tables = [
        ProfileTables(name, each.random_frame(), each.placement_frame(), each.response_frame())
        for name, each in (("one", exact()), ("other", gpu))
    ]
    pair: MetricPair = compare_profiles(tables).pairs[0]
    by_block, by_unit = effects_chart(pair).panels
    assert [layer.name for layer in layers_of(by_unit, Points) if layer.name] == ["1", "2", "3", "4", "5", "6"]
    assert [layer.name for layer in layers_of(by_block, Points) if layer.name][:2] == ["e3k3", "e3k5"]
    rows = pair.placements
    large = [layer for layer in layers_of(by_unit, Points) if layer.size == "large"]
    third = rows[(rows["unit"] == 3) & (rows["beyond"] != 0)]
    np.testing.assert_array_equal(large[2].x, third["first"])
    np.testing.assert_array_equal(large[2].y, third["second"])
    assert sum(len(layer.x) for layer in large) == (rows["beyond"] != 0).sum()
    assert sum(len(layer.x) for layer in layers_of(by_unit, Points)) == len(rows)
