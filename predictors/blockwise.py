"""The default latency predictor: a cost for each block instance, with what is not known about it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from blockprof.errors import DataFileError, InputError, MetricError
from blockprof.predictors.features import instance_counts
from blockprof.predictors.prediction import INTERVAL_LEVEL, Prediction
from blockprof.spaces import Architectures, FloatArray, IntArray, Space, load_space
from blockprof.spaces.codec import block_tokens, stem_tokens

FORMAT_VERSION = 2
MODEL_FILE = "model.json"
COSTS_FILE = "costs.npz"


@dataclass(frozen=True, eq=False)
class BlockwiseModel:
    """A latency predictor that is an additive metric: a base and a cost for each block instance, by resolution.

    ``costs`` is (R, I + 1), ms: at ``resolutions[r]``, a cost for each instance of the space's catalogue, and the base
    last. ``covariances`` is (R, (I + 1)(I + 2) / 2), ms squared: the upper triangles, row by row, of the posterior
    covariance of the costs. A measurement's noise has the relative standard deviation ``noise_sd``; over the standard
    deviation of noise and costs together, 90 % of log(measured / predicted) lie between ``lower_quantile`` and
    ``upper_quantile``.
    """

    kind: ClassVar[str] = "blockwise"

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

    def predict(self, archs: Architectures, resolutions: IntArray | int) -> Prediction:
        """Predict N networks, each at its resolution (or all at one).

        Raises:
            InputError: networks of another space.
            MetricError: a resolution that the model does not know.
        """
        if archs.space.name != self.space.name:
            raise InputError(f"the {self.metric} predictor is of {self.space.name}, not of {archs.space.name}")
        counts = instance_counts(archs)
        asked = np.broadcast_to(np.asarray(resolutions), len(archs))
        latency, variance = np.empty(len(archs)), np.empty(len(archs))
        for resolution in np.unique(asked):
            rows, index = asked == resolution, self._resolution_index(int(resolution))
            latency[rows] = counts[rows] @ self.costs[index]
            covariance = unpack_symmetric(self.covariances[index], counts.shape[1])
            variance[rows] = ((counts[rows] @ covariance) * counts[rows]).sum(axis=1)
        deviation = np.sqrt((self.noise_sd * latency) ** 2 + variance)
        return Prediction(
            latency_ms=latency,
            lower_ms=np.maximum(latency + self.lower_quantile * deviation, 0.0),
            upper_ms=latency + self.upper_quantile * deviation,
        )

    def cost_table(self, resolution: int) -> tuple[float, FloatArray]:
        """The base, ms, and (I,) costs of the block instances, ms.

        Raises:
            MetricError: a resolution that the model does not know.
        """
        costs = self.costs[self._resolution_index(resolution)]
        return float(costs[-1]), costs[:-1]

    def _resolution_index(self, resolution: int) -> int:
        index = np.flatnonzero(self.resolutions == resolution)
        if not len(index):
            first, last = self.resolutions[0], self.resolutions[-1]
            known = f"{first}" if first == last else f"{first} to {last}"
            raise MetricError(
                f"the {self.metric} predictor was trained on resolution {known}, not on {resolution}: "
                "choose one of these, or train it on more"
            )
        return int(index[0])

    def save(self, folder: str | Path) -> None:
        """Write ``model.json`` and ``costs.npz`` into ``folder``, which is made where there is none.

        Raises:
            InputError: the folder cannot be written.
        """
        folder = Path(folder)
        facts = {
            "format": FORMAT_VERSION,
            "kind": self.kind,
            "space": self.space.name,
            "metric": self.metric,
            "unit": "ms",
            "device": self.device,
            "num_nets": self.num_nets,
            "resolutions": self.resolutions.tolist(),
            "interval_level": INTERVAL_LEVEL,
            "noise_sd": self.noise_sd,
            "lower_quantile": self.lower_quantile,
            "upper_quantile": self.upper_quantile,
            "stem_tokens": list(stem_tokens(self.space)),
            "block_tokens": [list(tokens) for tokens in block_tokens(self.space)],
            "blocks_per_width": self.space.blocks_per_width,
            "unit_depths": [list(unit.depths) for unit in self.space.units],
        }
        catalogue = self.space.catalogue()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / MODEL_FILE).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
            np.savez(
                folder / COSTS_FILE,
                base_ms=self.costs[:, -1],
                costs_ms=self.costs[:, :-1],
                covariances_ms2=self.covariances,
                layer_instances=catalogue.layers,
                stem_instances=catalogue.stems,
                stem_states=self.space.stem_states,
                head_instances=catalogue.heads,
            )
        except OSError as error:
            raise InputError(f"cannot write the predictor to {folder}: {error.strerror}") from error


def pack_symmetric(matrix: FloatArray) -> FloatArray:
    """The upper triangle of (..., n, n) symmetric matrices, row by row: (..., n (n + 1) / 2)."""
    rows, columns = np.triu_indices(matrix.shape[-1])
    return matrix[..., rows, columns]


def unpack_symmetric(packed: FloatArray, size: int) -> FloatArray:
    """(..., size, size) symmetric matrices, from what :func:`pack_symmetric` made."""
    matrix = np.empty((*packed.shape[:-1], size, size))
    rows, columns = np.triu_indices(size)
    matrix[..., rows, columns] = packed
    matrix[..., columns, rows] = packed
    return matrix


def load_blockwise(folder: str | Path) -> BlockwiseModel:
    """Load what :meth:`BlockwiseModel.save` wrote.

    Raises:
        DataFileError: the files are not there, or are not those of a blockwise predictor.
    """
    folder = Path(folder)
    try:
        facts: dict[str, Any] = json.loads((folder / MODEL_FILE).read_text(encoding="utf-8"))
        with np.load(folder / COSTS_FILE, allow_pickle=False) as arrays:
            base, costs, covariances = arrays["base_ms"], arrays["costs_ms"], arrays["covariances_ms2"]
    except (OSError, ValueError, KeyError) as error:
        raise DataFileError(f"{folder}: not a saved predictor: {error}") from error
    if (facts.get("kind"), facts.get("format")) != (BlockwiseModel.kind, FORMAT_VERSION):
        raise DataFileError(
            f"{folder / MODEL_FILE}: kind {facts.get('kind')}, format {facts.get('format')}, "
            f"but {BlockwiseModel.kind}, {FORMAT_VERSION} is read: train it again"
        )
    return BlockwiseModel(
        space=load_space(facts["space"]),
        metric=facts["metric"],
        device=facts["device"],
        num_nets=facts["num_nets"],
        resolutions=np.array(facts["resolutions"]),
        costs=np.concatenate([costs, base[:, None]], axis=1),
        covariances=covariances,
        noise_sd=facts["noise_sd"],
        lower_quantile=facts["lower_quantile"],
        upper_quantile=facts["upper_quantile"],
    )
