"""The paper's predictor, trained: a network's blocks read one after the other."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from blockprof.foundation.arrays import FloatArray, IntArray
from blockprof.foundation.errors import InputError
from blockprof.predictors.gru.features import chains, operator_table, shape_table
from blockprof.predictors.model_files import check_model, read_model, resolution_index, write_model
from blockprof.predictors.prediction import Prediction
from blockprof.predictors.runtime import Weights, embed, run_gru
from blockprof.spaces import Architectures, Space, load_space

FORMAT_VERSION = 1
WEIGHTS_FILE = "weights.npz"


@dataclass(frozen=True, eq=False)
class GruModel:
    """A latency predictor that is a recurrent network; not an additive metric.

    ``weights`` are float32, by their names in ``GruNetwork``. Shapes are divided by ``shape_scales``, (6,), and what
    the network says is a share of ``max_ms``. 90 % of measurements over predictions lie between ``lower_factor``, at
    most 1, and ``upper_factor``, at least 1, as they did on the development rows
    (:func:`blockprof.predictors.gru.training.interval_factors`).
    """

    kind: ClassVar[str] = "gru"

    space: Space
    metric: str
    device: str
    num_nets: int
    resolutions: IntArray
    weights: Weights
    shape_scales: FloatArray
    max_ms: float
    sigmoid: bool
    lower_factor: float
    upper_factor: float

    @property
    def half_width_percent(self) -> float:
        """Half the 90 % interval of a measurement, in percent of the prediction."""
        return 50 * (self.upper_factor - self.lower_factor)

    def predict(self, archs: Architectures, resolutions: IntArray | int) -> Prediction:
        """Predict N networks, each at its resolution (or all at one).

        Raises:
            InputError: networks of another space.
            MetricError: a resolution that the model does not know.
        """
        if archs.space != self.space:
            raise InputError(f"the {self.metric} predictor is of {self.space.name}, not of {archs.space.name}")
        ids, _ = chains(archs)
        asked, which = np.unique(np.broadcast_to(np.asarray(resolutions), len(archs)), return_inverse=True)
        embedded = []
        for resolution in asked.tolist():
            resolution_index(self, resolution)
            shapes = shape_table(self.space, resolution) / self.shape_scales
            embedded.append(embed(self.weights, operator_table(self.space), shapes))
        factors = (self.lower_factor, self.upper_factor)
        return Prediction(*run_gru(self.weights, embedded, ids, which, self.max_ms, self.sigmoid, factors))

    def additive_costs(self, resolution: int) -> None:
        """It is no sum of costs."""

    def save(self, folder: str | Path) -> None:
        """Write ``model.json`` and ``weights.npz`` into ``folder``, which is made where there is none.

        Raises:
            InputError: the folder cannot be written.
        """
        space = self.space
        facts = {
            "max_ms": self.max_ms,
            "sigmoid": self.sigmoid,
            "lower_factor": self.lower_factor,
            "upper_factor": self.upper_factor,
        }
        arrays = {
            "shape_scales": self.shape_scales,
            "operator_of_instance": operator_table(space),
            "shapes_of_instance": np.stack([shape_table(space, resolution) for resolution in self.resolutions]),
            **self.weights,
        }
        write_model(folder, self, FORMAT_VERSION, facts, WEIGHTS_FILE, arrays)


def load_gru(folder: str | Path) -> GruModel:
    """Load what :meth:`GruModel.save` wrote.

    Raises:
        DataFileError: the files are not there, or are not those of a gru predictor.
    """
    facts, arrays = read_model(folder, FORMAT_VERSION, WEIGHTS_FILE, {"shape_scales"})
    return check_model(
        folder,
        lambda: GruModel(
            space=load_space(facts["space"]),
            metric=facts["metric"],
            device=facts["device"],
            num_nets=facts["num_nets"],
            resolutions=np.array(facts["resolutions"]),
            weights={name: array for name, array in arrays.items() if "." in name},
            shape_scales=arrays["shape_scales"],
            max_ms=facts["max_ms"],
            sigmoid=facts["sigmoid"],
            lower_factor=facts["lower_factor"],
            upper_factor=facts["upper_factor"],
        ),
    )
