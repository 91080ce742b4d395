"""The paper's predictor, trained: a network's blocks read one after the other."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from blockprof.errors import DataFileError, InputError, MetricError
from blockprof.predictors.gru.features import chains, operator_table, shape_table
from blockprof.predictors.gru.forward import Weights, embed, run_chains
from blockprof.predictors.prediction import INTERVAL_LEVEL, Prediction
from blockprof.spaces import Architectures, FloatArray, IntArray, Space, load_space
from blockprof.spaces.codec import block_tokens, stem_tokens

FORMAT_VERSION = 1
MODEL_FILE = "model.json"
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

    def predict(self, archs: Architectures, resolutions: IntArray | int) -> Prediction:
        """Predict N networks, each at its resolution (or all at one).

        Raises:
            InputError: networks of another space.
            MetricError: a resolution that the model does not know.
        """
        if archs.space.name != self.space.name:
            raise InputError(f"the {self.metric} predictor is of {self.space.name}, not of {archs.space.name}")
        ids, _ = chains(archs)
        asked = np.broadcast_to(np.asarray(resolutions), len(archs))
        latency = np.empty(len(archs))
        for resolution in np.unique(asked).tolist():
            self._check_resolution(resolution)
            rows = asked == resolution
            shapes = (shape_table(self.space, resolution) / self.shape_scales).astype(np.float32)
            inputs = embed(self.weights, operator_table(self.space), shapes)
            latency[rows] = self.max_ms * run_chains(self.weights, inputs, ids[rows], self.sigmoid).astype(float)
        latency = np.maximum(latency, 0.0)
        return Prediction(
            latency_ms=latency,
            lower_ms=self.lower_factor * latency,
            upper_ms=self.upper_factor * latency,
        )

    def _check_resolution(self, resolution: int) -> None:
        if resolution not in self.resolutions:
            first, last = self.resolutions[0], self.resolutions[-1]
            known = f"{first}" if first == last else f"{first} to {last}"
            raise MetricError(
                f"the {self.metric} predictor was trained on resolution {known}, not on {resolution}: "
                "choose one of these, or train it on more"
            )

    def save(self, folder: str | Path) -> None:
        """Write ``model.json`` and ``weights.npz`` into ``folder``, which is made where there is none.

        Raises:
            InputError: the folder cannot be written.
        """
        folder = Path(folder)
        space = self.space
        facts = {
            "format": FORMAT_VERSION,
            "kind": self.kind,
            "space": space.name,
            "metric": self.metric,
            "unit": "ms",
            "device": self.device,
            "num_nets": self.num_nets,
            "resolutions": self.resolutions.tolist(),
            "interval_level": INTERVAL_LEVEL,
            "max_ms": self.max_ms,
            "sigmoid": self.sigmoid,
            "lower_factor": self.lower_factor,
            "upper_factor": self.upper_factor,
            "stem_tokens": list(stem_tokens(space)),
            "block_tokens": [list(tokens) for tokens in block_tokens(space)],
            "blocks_per_width": space.blocks_per_width,
            "unit_depths": [list(unit.depths) for unit in space.units],
        }
        catalogue = space.catalogue()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / MODEL_FILE).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
            np.savez(
                folder / WEIGHTS_FILE,
                allow_pickle=False,
                shape_scales=self.shape_scales,
                operator_of_instance=operator_table(space),
                shapes_of_instance=np.stack([shape_table(space, resolution) for resolution in self.resolutions]),
                layer_instances=catalogue.layers,
                stem_instances=catalogue.stems,
                stem_states=space.stem_states,
                head_instances=catalogue.heads,
                **self.weights,
            )
        except OSError as error:
            raise InputError(f"cannot write the predictor to {folder}: {error.strerror}") from error


def load_gru(folder: str | Path) -> GruModel:
    """Load what :meth:`GruModel.save` wrote.

    Raises:
        DataFileError: the files are not there, or are not those of a gru predictor.
    """
    folder = Path(folder)
    try:
        facts: dict[str, Any] = json.loads((folder / MODEL_FILE).read_text(encoding="utf-8"))
        with np.load(folder / WEIGHTS_FILE, allow_pickle=False) as arrays:
            weights = {name: arrays[name] for name in arrays.files if "." in name}
            shape_scales = arrays["shape_scales"]
    except (OSError, ValueError, KeyError) as error:
        raise DataFileError(f"{folder}: not a saved predictor: {error}") from error
    if (facts.get("kind"), facts.get("format")) != (GruModel.kind, FORMAT_VERSION):
        raise DataFileError(
            f"{folder / MODEL_FILE}: kind {facts.get('kind')}, format {facts.get('format')}, "
            f"but {GruModel.kind}, {FORMAT_VERSION} is read: train it again"
        )
    return GruModel(
        space=load_space(facts["space"]),
        metric=facts["metric"],
        device=facts["device"],
        num_nets=facts["num_nets"],
        resolutions=np.array(facts["resolutions"]),
        weights=weights,
        shape_scales=shape_scales,
        max_ms=facts["max_ms"],
        sigmoid=facts["sigmoid"],
        lower_factor=facts["lower_factor"],
        upper_factor=facts["upper_factor"],
    )
