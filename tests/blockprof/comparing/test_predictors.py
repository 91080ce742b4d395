import numpy as np
import pandas as pd
import pytest
from codes import coded

from blockprof.comparing import PredictedRows, compare_predictors
from blockprof.comparing.predictors import _ranks, _weighted_scores
from blockprof.foundation.errors import InputError
from blockprof.predictors.evaluation import score


def rows(label: str, noise: float, n: int = 200, seed: int = 1, scale: float = 1.0) -> PredictedRows:
    """Predictions of the same networks that are off by ``noise`` (relative, one standard deviation)."""
    latency = np.random.default_rng(0).uniform(5, 10, n) * scale
    predicted = latency * (1 + np.random.default_rng(seed).normal(0, noise, n))
    return PredictedRows(
        label,
        pd.DataFrame(
            {
                "net": [f"net{number}" for number in range(n)],
                "resolution": 224,
                "latency_ms": latency,
                "predicted_ms": predicted,
                "lower_ms": predicted * 0.98,
                "upper_ms": predicted * 1.02,
            }
        ),
    )


def difference(comparison, name: str = "mape_percent") -> dict:
    return comparison.differences.set_index("score").loc[name].to_dict()


def test_the_better_one_is_told_with_its_interval() -> None:
    comparison = compare_predictors([rows("a", 0.02), rows("b", 0.01, seed=2)])
    found = difference(comparison)
    assert found["better"] == "b"
    assert found["lower"] < found["difference"] < found["upper"] < 0
    first, second = comparison.scores["mape_percent"]
    assert found["difference"] == pytest.approx(second - first)
    (verdict,) = comparison.verdicts()
    assert verdict.startswith(f"b is better than a: MAPE {second:.2f} % against {first:.2f} %, less by ")
    assert difference(comparison, "rmse_ms")["better"] == difference(comparison, "spearman")["better"] == "b"


def test_equally_good_ones_differ_by_no_more_than_noise() -> None:
    comparison = compare_predictors([rows("a", 0.02), rows("b", 0.02, seed=2)])
    assert difference(comparison)["better"] == ""
    (verdict,) = comparison.verdicts()
    assert verdict.startswith("no difference beyond the noise between ")


def test_what_is_hard_for_both_cancels() -> None:
    """Two predictors with the same errors, of which one is a little worse everywhere."""
    one = rows("one", 0.05)
    errors = one.frame["predicted_ms"] - one.frame["latency_ms"]
    worse = one.frame.assign(predicted_ms=one.frame["latency_ms"] + 1.02 * errors)
    comparison = compare_predictors([one, PredictedRows("worse", worse)])
    assert difference(comparison)["better"] == "one"
    alone = one.frame["predicted_ms"] / one.frame["latency_ms"] - 1
    assert difference(comparison)["upper"] - difference(comparison)["lower"] < 100 * alone.abs().std() / 14 / 10


def test_the_interval_of_mape_is_near_students() -> None:
    a, b = rows("a", 0.02, n=400), rows("b", 0.018, n=400, seed=2)
    found = difference(compare_predictors([a, b]))
    errors = [100 * (each.frame["predicted_ms"] / each.frame["latency_ms"] - 1).abs() for each in (a, b)]
    half = 1.966 * (errors[1] - errors[0]).std() / 20
    assert found["upper"] - found["lower"] == pytest.approx(2 * half, rel=0.08)


def test_the_interval_of_few_networks_is_as_wide_as_students() -> None:
    """A bootstrap's is narrower by a fifth with 11 networks, as its draws vary less than samples do."""
    ratios = []
    for seed in range(30):
        a, b = rows("a", 0.02, 11, seed), rows("b", 0.02, 11, seed + 1000)
        found = difference(compare_predictors([a, b]))
        errors = [100 * (each.frame["predicted_ms"] / each.frame["latency_ms"] - 1).abs() for each in (a, b)]
        ratios.append((found["upper"] - found["lower"]) / (2 * 2.228 * (errors[1] - errors[0]).std() / np.sqrt(11)))
    assert np.mean(ratios) == pytest.approx(1, abs=0.06)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Both predictors are equally good in truth; 20 networks each time."""
    held = 0
    for seed in range(100):
        found = difference(compare_predictors([rows("a", 0.02, 20, seed), rows("b", 0.02, 20, seed + 1000)]))
        held += found["lower"] <= 0 <= found["upper"]
    assert 0.91 <= held / 100 <= 0.99


def test_scores_are_those_of_training() -> None:
    one = rows("a", 0.02)
    scores = compare_predictors([one, rows("b", 0.03)]).scores.iloc[0]
    expected = score(one.frame["latency_ms"].to_numpy(), one.frame["predicted_ms"].to_numpy())
    for name in ("mape_percent", "rmse_ms", "spearman", "kendall", "top10_overlap_percent"):
        assert scores[name] == getattr(expected, name)


def test_resampled_scores_are_those_of_the_rows_drawn() -> None:
    frame = rows("a", 0.3, 30).frame
    measured, predicted = frame["latency_ms"].round(0).to_numpy(), frame["predicted_ms"].round(0).to_numpy()
    drawn = np.random.default_rng(3).multinomial(30, np.full(30, 1 / 30), size=4)
    weights = drawn / 30
    found = _weighted_scores(weights, measured, predicted, _ranks(weights, measured))
    for counts, scores in zip(drawn, found, strict=True):
        expected = score(np.repeat(measured, counts), np.repeat(predicted, counts))
        names = ("mape_percent", "rmse_ms", "within_5_percent", "within_10_percent", "spearman")
        np.testing.assert_allclose(scores, [getattr(expected, name) for name in names])


def test_several_by_pairs_and_one_without_intervals() -> None:
    bare = PredictedRows("c", rows("c", 0.04, seed=5).frame.drop(columns=["lower_ms", "upper_ms"]))
    comparison = compare_predictors([rows("a", 0.02), rows("b", 0.01, seed=2), bare])
    assert len(comparison.differences) == 3 * 5
    assert comparison.scores["coverage_percent"].isna().tolist() == [False, False, True]
    assert [verdict.split(":")[0] for verdict in comparison.verdicts()] == ["b is better than a", "b is better than c"]


def test_only_rows_that_all_have_count() -> None:
    one, other = rows("a", 0.02), rows("b", 0.02)
    comparison = compare_predictors([one, PredictedRows("b", other.frame.iloc[50:90])])
    assert (comparison.num_networks, len(comparison.rows)) == (40, 40)


def test_too_few_in_common() -> None:
    with pytest.raises(InputError, match=r"^a and b .*9.*10", check=coded("few-networks-in-common")):
        compare_predictors([rows("a", 0.02), PredictedRows("b", rows("b", 0.02).frame.head(9))])


def test_other_measurements() -> None:
    with pytest.raises(InputError, match=r"^a and b ", check=coded("measured-differently")):
        compare_predictors([rows("a", 0.02), rows("b", 0.02, scale=2)])
