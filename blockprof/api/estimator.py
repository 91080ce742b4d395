"""``blockprof.BlockwiseRegressor``: the blockwise predictor as an estimator of scikit-learn."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from blockprof.foundation.arrays import FloatArray, IntArray
from blockprof.foundation.errors import BlockprofError
from blockprof.latency_data import LatencyData
from blockprof.latency_data.layout import NET, RESOLUTION
from blockprof.predictors.fitting import fit_blockwise
from blockprof.predictors.prediction import INTERVAL_LEVEL
from blockprof.spaces import Architectures, load_space

_NAME = "y"
"""What the metric and the device are called, which scikit-learn knows nothing of."""


class BlockwiseRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Predict a latency of a space's networks from the blocks they are built of, with intervals.

    ``X`` is N net strings (a list, a Series, (N,) or (N, 1)), or a frame with the columns ``net_str`` and, where
    networks have their own, ``resolution``. ``y`` is (N,), positive, in a unit of your choice, which predictions have.

    Args:
        space: name of the space.
        resolution: of networks that have none of their own, in pixels.

    Attributes:
        model_: the fitted ``BlockwiseModel``, whose ``metric`` and ``device`` are called ``y``.
    """

    def __init__(self, space: str = "pn", resolution: int = 224) -> None:
        self.space = space
        self.resolution = resolution

    def fit(self, X: Any, y: Any) -> Self:  # noqa: N803  # scikit-learn's name
        """Fit a cost to each block instance from N networks, at least 5 of them different.

        Raises:
            ValueError: what is no network of the space, or no positive number; too few networks.
        """
        archs, resolutions = self._networks(X)
        values = np.asarray(y, dtype=float).ravel()
        if len(values) != len(archs):
            raise ValueError(f"{len(archs)} networks, but {len(values)} values")
        if not (np.isfinite(values) & (values > 0)).all():
            raise ValueError("y must be positive and finite")
        try:
            self.model_ = fit_blockwise(LatencyData(archs, resolutions, values, _NAME), _NAME)
        except BlockprofError as error:
            raise ValueError(str(error)) from error
        return self

    def predict(self, X: Any) -> FloatArray:  # noqa: N803
        """(N,): the values, in the unit of ``y``.

        Raises:
            NotFittedError: ``fit`` was not called.
            ValueError: what is no network of the space, or a resolution that it was not fitted on.
        """
        return self._predict(X)[0]

    def predict_interval(self, X: Any) -> FloatArray:  # noqa: N803
        """(N, 2): between which two values 90 % of measurements lie, in the unit of ``y``; raises as ``predict``."""
        return np.column_stack(self._predict(X)[1:])

    @property
    def interval_level(self) -> float:
        """The share of measurements that the intervals are to hold."""
        return INTERVAL_LEVEL

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.target_tags.positive_only = True
        tags.no_validation = True  # net strings are checked by the space's own grammar
        return tags

    def _predict(self, networks: Any) -> tuple[FloatArray, FloatArray, FloatArray]:
        check_is_fitted(self)
        archs, resolutions = self._networks(networks)
        try:
            found = self.model_.predict(archs, resolutions)
        except BlockprofError as error:
            raise ValueError(str(error)) from error
        return found.latency_ms, found.lower_ms, found.upper_ms

    def _networks(self, given: Any) -> tuple[Architectures, IntArray]:
        try:
            nets, resolutions = self._columns(given)
            return Architectures.from_strings(load_space(self.space), nets), resolutions
        except BlockprofError as error:
            raise ValueError(str(error)) from error

    def _columns(self, given: Any) -> tuple[Sequence[str], IntArray]:
        if isinstance(given, pd.DataFrame) and NET in given:
            nets = given[NET].tolist()
            sizes = given[RESOLUTION] if RESOLUTION in given else np.full(len(nets), self.resolution)
            return nets, np.asarray(sizes, dtype=np.int64)
        if issparse(given):
            raise ValueError("X is sparse: give net strings")
        array = np.asarray(given, dtype=object)
        if array.ndim > 1 and array.shape[1:] != (1,):
            raise ValueError(f"X has the shape {array.shape}: give net strings, (N,) or (N, 1)")
        nets = array.ravel().tolist()
        if not all(isinstance(net, str) for net in nets):
            raise ValueError("X holds what is no net string")
        return nets, np.full(len(nets), self.resolution, dtype=np.int64)
