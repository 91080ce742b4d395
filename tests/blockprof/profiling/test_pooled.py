"""Pooled profiles: intervals that hold, a metric that is not additive, real data, and the frames."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from blockprof.evaluators.pooling import fit_surrogate
from blockprof.foundation.arrays import FloatArray
from blockprof.latency_data import LatencyData, read_latency_csv
from blockprof.metrics import AdditiveMetric, MetricInfo, load_reference
from blockprof.metrics.predicted import PredictorFolder, load_predicted
from blockprof.output.captions import profile_caption
from blockprof.output.report import profile_report
from blockprof.predictors import fit_blockwise
from blockprof.predictors.features import instance_counts
from blockprof.profiling import HeldOut, Surrogate, profile
from blockprof.profiling.additive import additive_statistics
from blockprof.profiling.pooled import independent_evaluations
from blockprof.profiling.statistics import STATISTICS, Statistics
from blockprof.spaces import Architectures, all_constraints, load_space, parse_blocks
from blockprof.spaces.expectation import expected_counts
from blockprof.spaces.sampling import sample_architectures, sample_distinct

PN = load_space("pn")
INFO = MetricInfo("phone", "ms", False, "measured", "made up")
FLAWLESS = HeldOut(("net",) * 2, *np.full((4, 2), [1.0, 2.0]), np.zeros(2), 0.0)


def known_posterior(
    archs: Architectures, values: FloatArray, noise: float, prior: AdditiveMetric, sd: float
) -> AdditiveMetric:
    """The posterior of costs that are normal around ``prior``'s, all formulas those of linear regression."""
    counts = instance_counts(archs)
    centre = np.append(prior.costs, prior.base)
    precision = counts.T @ counts / noise**2 + np.eye(len(centre)) / sd**2
    covariance = np.linalg.inv(precision)
    mean = centre + covariance @ counts.T @ (values - counts @ centre) / noise**2
    return AdditiveMetric(INFO, PN, float(mean[-1]), mean[:-1], covariance=covariance)


def test_intervals_of_a_known_posterior_hold_and_are_unbiased() -> None:
    """150 pools of 60 networks, the costs drawn from the prior each time: what Bayes promises, to sampling error."""
    rng = np.random.default_rng(7)
    prior = load_reference(PN, "gpu")
    constraints = [*all_constraints(PN)[::13], *parse_blocks(PN, ["u2.l1.e6k7+u3.l2.e3k3"], 224)]
    groups = [np.arange(4), np.array([5, 9])]
    counts = expected_counts(PN, [None, *constraints], "paper")
    sd, noise = 0.05, 0.1
    inside, bias = [], []
    for _ in range(150):
        drawn = prior.costs + rng.normal(0, sd, len(prior.costs))
        truth = AdditiveMetric(INFO, PN, prior.base + rng.normal(0, sd), drawn)
        archs = sample_architectures(PN, 60, rng)
        values = truth.evaluate(archs) + rng.normal(0, noise, len(archs))
        estimated = additive_statistics(known_posterior(archs, values, noise, prior, sd), constraints, groups, "paper")
        real = counts @ np.append(truth.costs, truth.base)
        found = estimated.statistics.column("mean")
        group_real, group_found = (np.array([one[1:][group].mean() for group in groups]) for one in (real, found))
        errors = [found - real, found - found[0] - (real - real[0])]
        errors += [group_found - group_real, group_found - found[0] - (group_real - real[0])]
        halves = [
            estimated.statistics.half_widths,
            estimated.effect_half_widths,
            estimated.group_half_widths,
            estimated.group_effect_half_widths,
        ]
        inside.append([np.mean(np.abs(error[-15:]) <= half[-15:]) for error, half in zip(errors, halves, strict=True)])
        bias.append(
            np.concatenate([error / np.maximum(half, 1e-9) for error, half in zip(errors, halves, strict=True)])
        )
    assert (np.mean(inside, axis=0) > 0.92).all()
    assert (np.mean(inside, axis=0) < 0.98).all()
    assert np.abs(np.mean(bias, axis=0)).max() < 0.18  # in half widths: 4.3 standard errors


def test_the_random_networks_have_no_effect() -> None:
    archs = sample_architectures(PN, 40, np.random.default_rng(0))
    metric = load_reference(PN, "gpu")
    estimated = additive_statistics(known_posterior(archs, metric.evaluate(archs), 0.1, metric, 0.1), [], [], "paper")
    assert estimated.effect_half_widths.tolist() == [0]
    assert estimated.statistics.half_widths[0] > 0


def simulated(evaluate, n: int, seed: int, noise: float = 0.005) -> LatencyData:
    archs = sample_distinct(PN, n, np.random.default_rng(seed))
    factors = np.exp(np.random.default_rng(seed + 1000).normal(0, noise, n))
    return LatencyData(archs, np.full(n, 224), evaluate(archs) * factors, "made up")


def test_fitted_intervals_hold_on_additive_devices() -> None:
    """Costs of the reference tables, which the predictor's prior knows nothing of; six pools of 100 networks each."""
    inside: dict[str, list[float]] = {"cpu": [], "gpu": []}
    for name, shares in inside.items():
        metric = load_reference(PN, name)
        truth = profile(PN, [metric]).placement_frame()["effect"]
        errors = []
        for seed in range(6):
            frame = profile(PN, [fit_fast(simulated(metric.evaluate, 100, seed))]).placement_frame()
            errors.append(frame["effect"] - truth)
            shares.append((errors[-1].abs() <= frame["effect_upper"] - frame["effect"]).mean())
        assert np.mean(shares) >= 0.88
        assert abs(np.mean(errors)) < 0.01 * truth.std()
    assert 0.9 <= np.mean([*inside.values()]) <= 0.99


def fit_fast(data: LatencyData) -> Surrogate:
    """The surrogate without its ten folds."""
    model = fit_blockwise(data, INFO.name)
    base, costs = model.cost_table(224)
    metric = AdditiveMetric(INFO, PN, base, costs, covariance=model.cost_covariance(224))
    return Surrogate(metric, len(data), FLAWLESS)


def test_a_trained_predictor_says_what_its_training_leaves_open(tmp_path: Path) -> None:
    """The same networks as a pool and as a predictor's data: the same profile, but for the name of the method."""
    data = simulated(load_reference(PN, "cpu").evaluate, 60, 0)
    fit_blockwise(data, INFO.name).save(tmp_path)
    predicted = load_predicted(PredictorFolder("mine", tmp_path), PN, INFO.name, 224)
    found, pooled = profile(PN, [predicted]), profile(PN, [fit_fast(data)])
    assert (found.metrics[0].method, found.metrics[0].num_archs) == ("exact", None)
    columns = ["effect", "effect_lower", "effect_upper", "mean_lower", "q95"]
    pd.testing.assert_frame_equal(found.placement_frame()[columns], pooled.placement_frame()[columns])
    assert found.placement_frame().eval("effect_upper - effect").min() > 0
    assert "intervals reflect uncertainty in the fitted costs" in profile_caption(found, found.metrics[0])
    page = profile_report(found)
    assert "exact for the predictor, ± is the uncertainty in the fitted costs" in page
    assert "there are no error bars" not in page


def test_sampling_a_trained_predictor_keeps_what_its_training_leaves_open(tmp_path: Path) -> None:
    """Both uncertainties together: never less than either."""
    fit_blockwise(simulated(load_reference(PN, "cpu").evaluate, 60, 0), INFO.name).save(tmp_path)
    predicted = load_predicted(PredictorFolder("mine", tmp_path), PN, INFO.name, 224)
    constraints = parse_blocks(PN, ["u2.l1.e6k7", "u4.l4.e6k5"], 224)
    exact, sampled, known = (
        profile(PN, [metric], constraints=constraints, num_archs=count).metrics[0].effect_half_widths[1:]
        for metric, count in ((predicted, None), (predicted, 200), (replace(predicted, covariance=None), 200))
    )
    assert (exact > 0).all()
    np.testing.assert_allclose(sampled, np.hypot(exact, known))


def test_an_additive_metric_is_told_from_one_that_is_not() -> None:
    """The second has a term for each pair of neighbouring layers, which no sum of costs can say."""
    metric = load_reference(PN, "gpu")
    pairs = np.random.default_rng(5).normal(0, 0.06, (PN.num_slots, 10, 10))

    def with_pairs(archs: Architectures) -> FloatArray:
        first, second = archs.blocks[:, :-1], archs.blocks[:, 1:]
        return metric.evaluate(archs) * (1 + pairs[np.arange(PN.num_slots - 1), first, second].sum(axis=1))

    additive = fit_surrogate(simulated(metric.evaluate, 100, 1), INFO, repeatability_percent=0.5).check
    other = fit_surrogate(simulated(with_pairs, 100, 1), INFO, repeatability_percent=0.5).check
    assert additive.is_additive
    assert additive.remainder_percent < 0.5
    assert additive.additive_percent > 99
    assert not other.is_additive
    assert other.remainder_percent > 5
    assert 80 <= other.coverage_percent <= 98  # the intervals still hold: the remainder counts as noise


def test_repeatability_is_taken_off_the_remainder(surrogate: Surrogate) -> None:
    known = surrogate.check
    unknown = replace(known, repeatability_percent=float("nan"))
    assert unknown.remainder_percent**2 == pytest.approx(known.remainder_percent**2 + 0.5**2)
    assert replace(known, repeatability_percent=50.0).remainder_percent == 0


@cache
def measured(path: Path) -> LatencyData:
    return read_latency_csv(path, PN)


def test_a_pool_of_150_agrees_with_4_500_networks(shared_data: Path) -> None:
    """The Kirin 9000's NPU: nine tenths of the intervals hold what thirty times as many networks say."""
    data = measured(shared_data / "kirin" / "ofa_pn_npu_lat_data.csv")
    model = fit_blockwise(data.select(np.arange(4500)), "npu")
    base, costs = model.cost_table(224)
    truth = profile(PN, [AdditiveMetric(INFO, PN, base, costs)])
    inside = {"effect": [], "response": []}
    for seed in range(4):
        rows = np.random.default_rng(seed).choice(4500, 150, replace=False)
        pooled = profile(PN, [fit_fast(data.select(rows))])
        for column, frame, real in (
            ("effect", pooled.placement_frame(), truth.placement_frame()),
            ("response", pooled.response_frame(), truth.response_frame()),
        ):
            held = (frame[f"{column}_lower"] <= real[column]) & (real[column] <= frame[f"{column}_upper"])
            inside[column].append(held.mean())
        effects, real = pooled.placement_frame(), truth.placement_frame()["effect"]
        width = (effects["effect_upper"] - effects["effect_lower"]) / 2
        assert width.median() < 0.05 * real.std()
    assert np.mean(inside["effect"]) >= 0.9
    assert np.mean(inside["response"]) >= 0.9


@pytest.fixture(scope="module")
def surrogate() -> Surrogate:
    return fit_surrogate(
        simulated(load_reference(PN, "gpu").evaluate, 40, 0, noise=0.03), INFO, repeatability_percent=0.5
    )


def test_a_pooled_metric_beside_exact_and_sampled_ones(surrogate: Surrogate) -> None:
    class Own:
        info = MetricInfo("own", "", True, "measured", "made up")
        space, resolution = PN, None

        def evaluate(self, archs: Architectures) -> FloatArray:
            return (archs.blocks >= 0).sum(axis=1).astype(float)

    result = profile(PN, [load_reference(PN, "npu"), surrogate, Own()], constraints=all_constraints(PN)[:3])
    assert [metric.method for metric in result.metrics] == ["exact", "pooled", "sampled"]
    frame = result.placement_frame().set_index("metric")
    assert frame.loc["phone", "n"].tolist() == [40] * 3
    assert frame.loc["phone", "method"].tolist() == ["pooled"] * 3
    assert (frame.loc["phone", "effect_lower"] < frame.loc["phone", "effect_upper"]).all()
    assert (frame.loc["npu", "effect_lower"] == frame.loc["npu", "effect_upper"]).all()
    pooled = result.pooled_frame()
    assert pooled["metric"].tolist() == ["phone"]
    assert pooled["num_networks"].tolist() == [40]
    assert pooled["mape_percent"].tolist() == [surrogate.check.mape_percent]


def test_each_network_of_the_pool_is_held_out_once(surrogate: Surrogate) -> None:
    frame = surrogate.check.to_frame()
    assert len(frame) == frame["net"].nunique() == surrogate.num_networks == 40
    assert (frame["lower"] < frame["predicted"]).all()
    assert (frame["predicted"] < frame["upper"]).all()
    inside = (frame["lower"] <= frame["value"]) & (frame["value"] <= frame["upper"])
    assert surrogate.check.coverage_percent == pytest.approx(100 * inside.mean())


@pytest.mark.parametrize(("percent", "is_additive"), [(78.0, False), (82.0, True)])
def test_a_metric_is_additive_where_four_fifths_of_its_variance_are(percent: float, is_additive: bool) -> None:
    values = np.tile([99.0, 101.0], 50)
    errors = np.sqrt(1 - percent / 100) * np.repeat([1.0, -1.0], 50)
    check = HeldOut(("net",) * 100, values, values + errors, values, values, np.zeros(100), 0.0, relative=False)
    assert check.additive_percent == pytest.approx(percent)
    assert check.is_additive == is_additive


def test_how_many_independent_networks_tell_effects_as_well_by_hand() -> None:
    """Standard deviations of 2.0 and, untold, 1.5 are variances of 6.25; two of them, for half intervals of 0.1."""
    values = np.zeros((4, len(STATISTICS)))
    values[:, STATISTICS.index("std")] = 2.0
    halves = np.array([0.0, 0.1, 0.1, 0.2])
    found = independent_evaluations(Statistics(values, halves, ("",) * 4, ("",) * 4), halves, 1.5)
    assert found == 4 * np.ceil(2 * 6.25 * (1.959964 / 0.1) ** 2)
