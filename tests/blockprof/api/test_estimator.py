"""The blockwise predictor as an estimator of scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import estimator_checks

import blockprof
from blockprof.fetching import reference_data
from blockprof.latency_data import LatencyData
from blockprof.predictors.fitting import fit_blockwise
from blockprof.spaces import load_space

PN = load_space("pn")


@pytest.fixture(scope="module")
def data() -> LatencyData:
    return reference_data(PN, "npu", 150, seed=0)


@pytest.fixture(scope="module")
def fitted(data: LatencyData) -> blockprof.BlockwiseRegressor:
    return blockprof.BlockwiseRegressor("pn").fit(data.archs.to_strings()[:100], data.latencies_ms[:100])


def test_it_is_the_blockwise_predictor(data: LatencyData, fitted: blockprof.BlockwiseRegressor) -> None:
    rows = np.arange(100)
    expected = fit_blockwise(data.select(rows), "npu").predict(data.archs[100:], 224)
    nets = data.archs[100:].to_strings()
    np.testing.assert_array_equal(fitted.predict(nets), expected.latency_ms)
    interval = fitted.predict_interval(nets)
    np.testing.assert_array_equal(interval, np.column_stack([expected.lower_ms, expected.upper_ms]))
    inside = (interval[:, 0] <= data.latencies_ms[100:]) & (data.latencies_ms[100:] <= interval[:, 1])
    assert inside.mean() > 0.75
    assert fitted.score(nets, data.latencies_ms[100:]) > 0.98


def test_every_form_of_networks_is_the_same(data: LatencyData, fitted: blockprof.BlockwiseRegressor) -> None:
    nets = data.archs[100:].to_strings()
    expected = fitted.predict(nets)
    frame = pd.DataFrame({"net_str": nets, "resolution": 224, "other": 1})
    for given in (np.array(nets), np.array(nets)[:, None], pd.Series(nets), frame, frame[["net_str"]]):
        np.testing.assert_array_equal(fitted.predict(given), expected)


def test_it_goes_where_estimators_go(data: LatencyData) -> None:
    nets, values = np.array(data.archs.to_strings()), data.latencies_ms
    model = blockprof.BlockwiseRegressor("pn")
    assert cross_val_score(model, nets, values, cv=3).min() > 0.95
    piped = make_pipeline(FunctionTransformer(), clone(model)).fit(nets, values)
    assert piped.predict(nets[:3]).shape == (3,)
    searched = GridSearchCV(model, {"resolution": [208, 224]}, cv=3).fit(nets, values)
    assert searched.best_score_ > 0.95


@pytest.mark.parametrize(
    ("nets", "values", "said"),
    [
        (["nonsense"] * 5, [1.0] * 5, "1 units, but pn has 6"),
        ([[1, 2], [3, 4]], [1.0, 2.0], "give net strings"),
        ([1, 2], [1.0, 2.0], "no net string"),
        (sparse.csr_array(np.eye(2)), [1.0, 2.0], "X is sparse"),
        (None, [1.0], "150 networks, but 1 values"),
        (None, [-1.0] * 150, "positive"),
    ],
)
def test_what_is_refused(nets: object, values: list[float], said: str, data: LatencyData) -> None:
    with pytest.raises(ValueError, match=said):
        blockprof.BlockwiseRegressor("pn").fit(data.archs.to_strings() if nets is None else nets, values)
    with pytest.raises(NotFittedError):
        blockprof.BlockwiseRegressor("pn").predict(["x"])


def test_a_space_or_a_resolution_that_it_does_not_know(fitted: blockprof.BlockwiseRegressor) -> None:
    with pytest.raises(ValueError, match="unknown space 'nosuch'"):
        blockprof.BlockwiseRegressor("nosuch").fit(["x"], [1.0])
    frame = pd.DataFrame({"net_str": PN_NETS, "resolution": 160})
    with pytest.raises(ValueError, match="160"):
        fitted.predict(frame)


PN_NETS = blockprof.sample_architectures(PN, 2, np.random.default_rng(0)).to_strings()


PASSED = {
    "check_do_not_raise_errors_in_init_or_set_params", "check_estimator_cloneable", "check_estimator_repr",
    "check_estimator_sparse_matrix", "check_estimator_tags_renamed",
    "check_estimators_partial_fit_n_features", "check_estimators_unfitted", "check_get_params_invariance",
    "check_mixin_order", "check_n_features_in_after_fitting", "check_no_attributes_set_in_init",
    "check_non_transformer_estimators_n_iter", "check_parameters_default_constructible", "check_set_params",
    "check_supervised_y_no_nan", "check_valid_tag_types",
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_scikit_learns_own_checks_where_they_apply() -> None:
    """The others fit it to matrices of numbers, which are no networks of any space."""
    results = estimator_checks.check_estimator(blockprof.BlockwiseRegressor(), on_fail=None, on_skip=None)
    assert {one["check_name"] for one in results if one["status"] == "passed"} >= PASSED
