"""The additive surrogate of accuracy, on known truth: intervals that hold, additive metrics told from others."""

from pathlib import Path

import numpy as np
import pytest
from codes import coded
from known_spaces import SPACES

from blockprof.evaluators.supernet import fit_accuracy_surrogate
from blockprof.evaluators.supernet.features import placement_features
from blockprof.foundation.arrays import FloatArray
from blockprof.foundation.errors import InputError
from blockprof.metrics import AdditiveMetric, Metric, MetricInfo, load_ofa_predictor, load_reference
from blockprof.profiling import Profile, Surrogate, profile
from blockprof.spaces import Space, all_constraints, load_space
from blockprof.spaces.expectation import network_counts
from blockprof.spaces.sampling import sample_distinct

PN = load_space("pn")
INFO = MetricInfo("accuracy", "%", True, "measured", "made up")


def pooled(space: Space, metric: Metric, n: int, noise: float, seed: int) -> Surrogate:
    archs = sample_distinct(space, n, np.random.default_rng(seed))
    values = metric.evaluate(archs) + np.random.default_rng(seed + 100).normal(0, noise, n)
    return fit_accuracy_surrogate(archs, values, INFO, seed=seed)


def inside(found: Profile, truth: Profile) -> FloatArray:
    """The share of the intervals of effects and of responses that hold the truth."""
    shares = []
    for column, frame, real in (
        ("effect", found.placement_frame(), truth.placement_frame()),
        ("response", found.response_frame(), truth.response_frame()),
    ):
        held = (frame[f"{column}_lower"] <= real[column]) & (real[column] <= frame[f"{column}_upper"])
        shares.append(held.mean())
    return np.array(shares)


@pytest.mark.parametrize("space", SPACES.values(), ids=str)
def test_features_tell_placements_apart(space: Space) -> None:
    archs = sample_distinct(space, 5, np.random.default_rng(0))
    metric = AdditiveMetric(
        INFO, space, 70.0, np.random.default_rng(1).normal(0, 1, space.catalogue("placement").absent), by="placement"
    )
    counts = network_counts(archs, "placement")
    assert counts @ np.append(metric.costs, metric.base) == pytest.approx(metric.evaluate(archs))
    features = placement_features(space)
    assert np.linalg.matrix_rank(features.phi) == len(features.phi)
    assert features.phi.shape == (counts.shape[1], len(features.group_of))
    assert np.bincount(features.group_of).all()


@pytest.mark.parametrize(("name", "noise"), [("mbv3", 0.1), ("pn", 0.3)])
def test_intervals_hold_on_the_reference_tables(name: str, noise: float) -> None:
    """Accuracies of the tables, and 0.1 or 0.3 points of noise: two pools of 300 networks each."""
    space = load_space(name)
    # Accuracy saturates, which a sum does not say: what the intervals are of is its score.
    metric = load_reference(space, "accuracy").score
    truth = profile(space, [metric])
    shares = []
    for seed in range(2):
        surrogate = pooled(space, metric, 300, noise, seed)
        shares.append(inside(profile(space, [surrogate]), truth))
        assert surrogate.check.remainder_percent == pytest.approx(noise, rel=0.25)
        assert 80 <= surrogate.check.coverage_percent <= 97
    effects, responses = np.mean(shares, axis=0)
    assert 0.9 <= effects <= 0.98
    assert responses >= 0.7  # nine of them, which err together


def test_what_is_not_additive_is_told_and_intervals_hold(shared_data: Path) -> None:
    """OFA's predictor, whose own profile is sampled; its effects are known to about 0.01 points."""
    space = load_space("mbv3")
    metric = load_ofa_predictor(space, 224, shared_data / "ofa" / "acc_predictor.pth")
    blocks = all_constraints(space)[::4]
    truth = profile(space, [metric], constraints=blocks, num_archs=3000, seed=5)
    surrogate = pooled(space, metric, 300, 0.0, 1)
    found = profile(space, [surrogate], constraints=blocks)
    assert inside(found, truth)[0] >= 0.9
    assert 0.1 < surrogate.check.remainder_percent < 0.25
    assert 90 < surrogate.check.additive_percent < 98
    (pooled_metric,) = found.metrics
    assert pooled_metric.num_independent > 10 * 300


def test_stems_of_resnet50() -> None:
    """A known metric, by placement and stem: what a stem gains is found, as what a width and an expansion do."""
    space = load_space("resnet50")
    flops = AdditiveMetric(
        INFO, space, 76.0, np.random.default_rng(3).normal(0, 0.2, space.catalogue("placement").absent), by="placement"
    )
    truth = profile(space, [flops])
    found = profile(space, [pooled(space, flops, 400, 0.1, 0)])
    assert inside(found, truth)[0] >= 0.88
    frame, real = found.placement_frame(), truth.placement_frame()
    stems = frame["placement"].str.startswith("stem")
    assert stems.sum() == 7
    assert np.corrcoef(frame["effect"][stems], real["effect"][stems])[0, 1] > 0.9


def test_networks_that_are_all_as_good() -> None:
    """What a network of random weights is: nothing is found, and nothing breaks."""
    space = load_space("pn")
    archs = sample_distinct(space, 20, np.random.default_rng(0))
    surrogate = fit_accuracy_surrogate(archs, np.zeros(20), INFO)
    assert surrogate.metric.evaluate(archs) == pytest.approx(np.zeros(20), abs=0.2)
    assert np.isfinite(list({**surrogate.check.scores(), "repeatability_percent": 0.0}.values())).all()


def test_a_pool_too_small() -> None:
    with pytest.raises(InputError, match=r"19.*20", check=coded("few-networks")):
        fit_accuracy_surrogate(sample_distinct(load_space("pn"), 19, np.random.default_rng(0)), np.ones(19), INFO)


def test_a_network_that_was_evaluated_wrong_does_not_spoil_the_surrogate() -> None:
    """Of 100 accuracies of around 77 %, three are those of a network that only guesses."""
    archs = sample_distinct(PN, 100, np.random.default_rng(0))
    values = load_reference(PN, "accuracy").evaluate(archs) + np.random.default_rng(1).normal(0, 0.1, 100)
    clean = fit_accuracy_surrogate(archs[3:], values[3:], INFO).metric
    values[:3] = 0.1
    spoilt = fit_accuracy_surrogate(archs, values, INFO).metric
    others = sample_distinct(PN, 300, np.random.default_rng(2))
    assert np.abs(spoilt.evaluate(others) - clean.evaluate(others)).max() < 0.05
    assert np.diag(spoilt.covariance).sum() == pytest.approx(np.diag(clean.covariance).sum(), rel=0.2)
