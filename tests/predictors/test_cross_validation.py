"""Every network is predicted by a predictor that was not trained on it."""

import numpy as np
import pytest
from listening import Heard

from blockprof.fetching.reference import reference_data
from blockprof.foundation.folds import random_folds
from blockprof.latency_data import LatencyData
from blockprof.predictors import cross_validate, fit_blockwise
from blockprof.predictors.evaluation import score, score_interval
from blockprof.spaces import Architectures, load_space

PN = load_space("pn")


@pytest.fixture
def data() -> LatencyData:
    """25 networks, each at two resolutions."""
    once = reference_data(PN, "gpu", 25, seed=0)
    return LatencyData(
        Architectures.concatenate([once.archs, once.archs]),
        np.repeat([224, 160], 25),
        np.concatenate([once.latencies_ms, 0.6 * once.latencies_ms]),
        "made-up",
    )


def test_each_fold_is_predicted_by_the_others_and_all_rows_are_scored(data: LatencyData) -> None:
    heard = Heard()
    found = cross_validate(data, 3, heard)
    assert heard.steps == [(done, 10) for done in range(1, 11)]
    _, network_of = np.unique(data.archs.genes, axis=0, return_inverse=True)
    held = (random_folds(25, 3) == 0)[network_of]
    assert data.select(held).num_networks == held.sum() / 2 == 3
    others = fit_blockwise(data.select(~held), "latency")
    expected = others.predict(data.archs[held], data.resolutions[held])
    np.testing.assert_array_equal(found.prediction.latency_ms[held], expected.latency_ms)
    np.testing.assert_array_equal(found.prediction.upper_ms[held], expected.upper_ms)
    assert np.isfinite(found.prediction.lower_ms).all()

    scores = score(data.latencies_ms, found.prediction.latency_ms)
    assert found.flat()["cv.mape_percent"] == scores.mape_percent
    assert found.flat()["cv.spearman"] == scores.spearman
    coverage = score_interval(data.latencies_ms, found.prediction).coverage_percent
    assert found.flat()["cv.interval.coverage_percent"] == coverage
    assert found.flat()["cv.num_networks"] == 25
    frame = found.to_frame()
    assert frame.columns.tolist()[-3:] == ["predicted_ms", "lower_ms", "upper_ms"]
    np.testing.assert_array_equal(frame["latency_ms"], data.latencies_ms)
