"""The default latency predictor: a cost for each block instance, with what is not known about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from blockprof.foundation.arrays import FloatArray, IntArray
from blockprof.foundation.errors import InputError
from blockprof.predictors.features import instance_counts
from blockprof.predictors.model_files import Arrays, check_model, read_model, resolution_index, write_model
from blockprof.predictors.prediction import AdditiveCosts, Prediction
from blockprof.predictors.regression import calibrated_widening
from blockprof.predictors.runtime import sum_costs, unpack_symmetric
from blockprof.spaces import Architectures, Space, load_space

FORMAT_VERSION = 2
COSTS_FILE = "costs.npz"
ROUNDING = 1e-9
"""By what share of the largest variance one may be below 0 in a saved covariance: sums of products round."""


@dataclass(frozen=True, eq=False)
class BlockwiseModel:
    """A latency predictor that is an additive metric: a base and a cost for each block instance, by resolution.

    ``costs`` is (R, I + 1), ms: at ``resolutions[r]``, a cost for each instance of the space's catalogue, and the base
    last. ``covariances`` is (R, (I + 1)(I + 2) / 2), ms squared: the upper triangles, row by row, of the posterior
    covariance of the costs. A measurement's noise has the relative standard deviation ``noise_sd``; over the standard
    deviation of noise and costs together, 90 % of measured - predicted lie between ``lower_quantile`` and
    ``upper_quantile``. Another ``kind`` that is a sum of costs may be such a model, saved and loaded by the same files.
    """

    space: Space
    metric: str
    device: str
    num_nets: int
    resolutions: IntArray
    costs: FloatArray
    covariances: FloatArray
    noise_sd: float
    lower_quantile: float
    upper_quantile: float
    kind: str = "blockwise"

    @property
    def half_width_percent(self) -> float:
        """Half the 90 % interval of a measurement, in percent of the prediction, where all costs are known."""
        return 50 * self.noise_sd * (self.upper_quantile - self.lower_quantile)

    def predict(self, archs: Architectures, resolutions: IntArray | int) -> Prediction:
        """Predict N networks, each at its resolution (or all at one).

        Raises:
            InputError: networks of another space.
            MetricError: a resolution that the model does not know.
        """
        if archs.space != self.space:
            raise InputError(
                f"the {self.metric} predictor is of {self.space.name}, not of {archs.space.name}", code="not-of-space"
            )
        asked, which = np.unique(np.broadcast_to(np.asarray(resolutions), len(archs)), return_inverse=True)
        known = np.array([resolution_index(self, int(resolution)) for resolution in asked], dtype=np.int64)
        return Prediction(
            *sum_costs(
                self.costs,
                self.covariances,
                instance_counts(archs),
                known[which],
                self.noise_sd,
                (self.lower_quantile, self.upper_quantile),
            )
        )

    def cost_table(self, resolution: int) -> tuple[float, FloatArray]:
        """The base, ms, and (I,) costs of the block instances, ms.

        Raises:
            MetricError: a resolution that the model does not know.
        """
        costs = self.costs[resolution_index(self, resolution)]
        return float(costs[-1]), costs[:-1]

    def cost_covariance(self, resolution: int) -> FloatArray:
        """(I + 1, I + 1), ms squared: the covariance of the costs and, last, of the base, calibrated by networks left
        out of the training (:func:`blockprof.predictors.regression.calibrated_widening`).

        Raises:
            MetricError: a resolution that the model does not know.
        """
        packed = self.covariances[resolution_index(self, resolution)]
        return calibrated_widening(self.lower_quantile, self.upper_quantile) * unpack_symmetric(
            packed, self.costs.shape[1]
        )

    def additive_costs(self, resolution: int) -> AdditiveCosts:
        """The cost table and its covariance.

        Raises:
            MetricError: a resolution that the model does not know.
        """
        return AdditiveCosts(*self.cost_table(resolution), self.cost_covariance(resolution))

    def save(self, folder: str | Path) -> None:
        """Write ``model.json`` and ``costs.npz`` into ``folder``, which is made where there is none.

        Raises:
            InputError: the folder cannot be written.
        """
        facts = {
            "noise_sd": self.noise_sd,
            "lower_quantile": self.lower_quantile,
            "upper_quantile": self.upper_quantile,
        }
        arrays = {
            "base_ms": self.costs[:, -1],
            "costs_ms": self.costs[:, :-1],
            "covariances_ms2": self.covariances,
        }
        write_model(folder, self, FORMAT_VERSION, facts, COSTS_FILE, arrays)


def pack_symmetric(matrix: FloatArray) -> FloatArray:
    """The upper triangle of (..., n, n) symmetric matrices, row by row: (..., n (n + 1) / 2)."""
    rows, columns = np.triu_indices(matrix.shape[-1])
    return matrix[..., rows, columns]


def load_blockwise(folder: str | Path) -> BlockwiseModel:
    """Load what :meth:`BlockwiseModel.save` wrote.

    Raises:
        DataFileError: the files are not there, or are not those of a sum of costs.
    """
    needed = {"base_ms", "costs_ms", "covariances_ms2"}
    facts, arrays = read_model(folder, FORMAT_VERSION, COSTS_FILE, needed)
    return check_model(folder, lambda: _make(facts, arrays))


def _make(facts: Mapping[str, Any], arrays: Arrays) -> BlockwiseModel:
    costs = np.concatenate([arrays["costs_ms"], arrays["base_ms"][:, None]], axis=1)
    smallest, *_, largest = np.linalg.eigvalsh(unpack_symmetric(arrays["covariances_ms2"], costs.shape[1])).T
    if (smallest < -ROUNDING * largest).any():
        raise ValueError("its covariances are none: some variance is negative")
    return BlockwiseModel(
        space=load_space(facts["space"]),
        metric=facts["metric"],
        device=facts["device"],
        num_nets=facts["num_nets"],
        resolutions=np.array(facts["resolutions"]),
        costs=costs,
        covariances=arrays["covariances_ms2"],
        noise_sd=facts["noise_sd"],
        lower_quantile=facts["lower_quantile"],
        upper_quantile=facts["upper_quantile"],
        kind=facts["kind"],
    )
