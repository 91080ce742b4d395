"""The predictor as MLflow runs it: "model from code", on the saved files alone.

MLflow copies this file into the logged model and runs it where blockprof may not be installed, so it imports nothing
of blockprof: what it needs to know of the space is in ``model.json``. It predicts what ``BlockwiseModel.predict`` does.
"""

import json
from pathlib import Path
from typing import Any

import mlflow.models
import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import ErrorCode
from mlflow.pyfunc.model import PythonModel, PythonModelContext


class BlockwisePredictor(PythonModel):
    """From ``net`` (string) and ``resolution`` (integer) to ``latency_ms``, ``lower_ms`` and ``upper_ms``.

    The artifact ``predictor`` is the folder that ``BlockwiseModel.save`` wrote. ``resolution`` may be left out where
    the predictor knows only one.
    """

    def load_context(self, context: PythonModelContext) -> None:
        """Read the saved predictor."""
        folder = Path(context.artifacts["predictor"])
        self._facts: dict[str, Any] = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        with np.load(folder / "costs.npz", allow_pickle=False) as arrays:
            self._costs = np.column_stack([arrays["costs_ms"], arrays["base_ms"]])
            self._covariances = arrays["covariances_ms2"]
            self._layer_instances, self._stem_instances = arrays["layer_instances"], arrays["stem_instances"]
            self._stem_states, self._head_instances = arrays["stem_states"], arrays["head_instances"]
        self._stem_of = {token: index for index, token in enumerate(self._facts["stem_tokens"])}
        self._block_of = [{token: index for index, token in enumerate(unit)} for unit in self._facts["block_tokens"]]

    def predict(  # type: ignore[override]  # MLflow leaves params out where they are not taken
        self, context: PythonModelContext, model_input: pd.DataFrame
    ) -> pd.DataFrame:
        """Predict N networks.

        Raises:
            MlflowException: a column is missing, a row is not a network of the space, or its resolution is not known.
        """
        if "net" not in model_input:
            raise _wrong(f"no column 'net': there are {', '.join(map(str, model_input.columns))}")
        counts = self._instance_counts(model_input["net"])
        resolution_index = self._resolution_indices(model_input)
        latency, variance = np.empty(len(counts)), np.empty(len(counts))
        for index in np.unique(resolution_index):
            rows = resolution_index == index
            latency[rows] = counts[rows] @ self._costs[index]
            variance[rows] = ((counts[rows] @ self._covariance(index)) * counts[rows]).sum(axis=1)
        facts = self._facts
        deviation = np.sqrt((facts["noise_sd"] * latency) ** 2 + variance)
        return pd.DataFrame(
            {
                "latency_ms": latency,
                "lower_ms": np.maximum(latency + facts["lower_quantile"] * deviation, 0.0),
                "upper_ms": latency + facts["upper_quantile"] * deviation,
            },
            index=model_input.index,
        )

    def _covariance(self, resolution_index: int) -> np.ndarray[Any, np.dtype[np.float64]]:
        """The (I + 1, I + 1) covariance of the costs, saved as its upper triangle."""
        size = self._costs.shape[1]
        covariance = np.empty((size, size))
        rows, columns = np.triu_indices(size)
        covariance[rows, columns] = self._covariances[resolution_index]
        covariance[columns, rows] = self._covariances[resolution_index]
        return covariance

    def _instance_counts(self, nets: "pd.Series[str]") -> np.ndarray[Any, np.dtype[np.float64]]:
        """(N, I + 1): how often each block instance is in each network; the last column, the base, is 1."""
        counts = np.zeros((len(nets), self._costs.shape[1]))
        for row, (label, net) in enumerate(nets.items()):
            for instance in self._parse(net, label):
                counts[row, instance] += 1.0
        counts[:, -1] = 1.0
        return counts

    def _parse(self, net: Any, label: Any) -> list[int]:
        """The instances of a network; a stem or head that all networks have is the base."""
        space, depths, num_blocks = self._facts["space"], self._facts["unit_depths"], self._facts["blocks_per_width"]
        if not isinstance(net, str):
            raise _wrong(f"row {label}: net is {net!r}, not a string")
        units, stem = net.strip().split("|"), 0
        if self._stem_of:
            token, *units = units
            if token not in self._stem_of:
                raise _wrong(f"row {label}: unknown stem '{token}': {space} has {', '.join(self._stem_of)}")
            stem = self._stem_of[token]
        if len(units) != len(depths):
            raise _wrong(f"row {label}: {len(units)} units, but {space} has {len(depths)}")
        instances, slot, state = [int(self._stem_instances[stem])], 0, int(self._stem_states[stem])
        for number, (unit, allowed) in enumerate(zip(units, depths, strict=True), start=1):
            tokens, block_of = unit.split("->"), self._block_of[number - 1]
            for layer, token in enumerate(tokens[: max(allowed)], start=1):
                if token not in block_of:
                    known = ", ".join(block_of)
                    raise _wrong(
                        f"row {label}: unknown block '{token}' at unit {number}, layer {layer}: {space} has {known}"
                    )
            if len(tokens) not in allowed:
                choices = " or ".join(map(str, allowed))
                raise _wrong(f"row {label}: unit {number} has {len(tokens)} layers, but {space} allows {choices}")
            blocks = [block_of[token] for token in tokens]
            if len({block // num_blocks for block in blocks}) > 1:
                raise _wrong(f"row {label}: unit {number} has layers of several widths, but a unit of {space} has one")
            instances += self._layer_instances[slot + np.arange(len(blocks)), state, blocks].tolist()
            slot, state = slot + max(allowed), blocks[0] // num_blocks
        return [*instances, int(self._head_instances[state])]

    def _resolution_indices(self, model_input: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.int64]]:
        """(N,): which of the known resolutions each row has."""
        known = self._facts["resolutions"]
        if "resolution" not in model_input:
            if len(known) == 1:
                return np.zeros(len(model_input), dtype=np.int64)
            raise _wrong(f"no column 'resolution': this predictor knows {known[0]} to {known[-1]}")
        index_of = {resolution: index for index, resolution in enumerate(known)}
        for label, resolution in model_input["resolution"].items():
            if resolution not in index_of:
                there = f"{known[0]}" if len(known) == 1 else f"{known[0]} to {known[-1]}"
                raise _wrong(f"row {label}: resolution {resolution}, but this predictor was trained on {there}")
        return np.array([index_of[resolution] for resolution in model_input["resolution"]], dtype=np.int64)


def _wrong(message: str) -> MlflowException:
    return MlflowException(message, error_code=ErrorCode.Value("INVALID_PARAMETER_VALUE"))


mlflow.models.set_model(BlockwisePredictor())
