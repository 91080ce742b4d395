"""The predictor as MLflow runs it: "model from code", on the saved files alone.

MLflow copies this file into the logged model and runs it where blockprof may not be installed, so it imports nothing
of blockprof: what it needs to know of the space is in ``model.json``. It predicts what ``BlockwiseModel.predict`` or
``GruModel.predict`` does, whichever was saved.
"""

import json
from numbers import Number
from pathlib import Path
from typing import Any

import mlflow.models
import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import ErrorCode
from mlflow.pyfunc.model import PythonModel, PythonModelContext

Floats = np.ndarray[Any, np.dtype[np.float64]]
Singles = np.ndarray[Any, np.dtype[np.float32]]
Integers = np.ndarray[Any, np.dtype[np.int64]]

NET_COLUMNS = ("net", "net_str")
GRU_PARTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
GRU_CHUNK = 2048


class LatencyPredictor(PythonModel):
    """From ``net`` (string) and ``resolution`` (a whole number) to ``latency_ms``, ``lower_ms`` and ``upper_ms``.

    The artifact ``predictor`` is the folder that a model's ``save`` wrote. The networks may be in ``net_str``, as in a
    CSV of latencies. ``resolution`` may be left out where the predictor knows only one.
    """

    def load_context(self, context: PythonModelContext) -> None:
        """Read the saved predictor."""
        folder = Path(context.artifacts["predictor"])
        self._facts: dict[str, Any] = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        self._is_gru = self._facts["kind"] == "gru"
        with np.load(folder / ("weights.npz" if self._is_gru else "costs.npz"), allow_pickle=False) as arrays:
            self._arrays: dict[str, np.ndarray[Any, Any]] = {name: arrays[name] for name in arrays.files}
        self._layer_instances, self._stem_instances = self._arrays["layer_instances"], self._arrays["stem_instances"]
        self._stem_states, self._head_instances = self._arrays["stem_states"], self._arrays["head_instances"]
        self._stem_of = {token: index for index, token in enumerate(self._facts["stem_tokens"])}
        self._block_of = [{token: index for index, token in enumerate(unit)} for unit in self._facts["block_tokens"]]

    def predict(  # type: ignore[override]  # MLflow leaves params out where they are not taken
        self, context: PythonModelContext, model_input: pd.DataFrame
    ) -> pd.DataFrame:
        """Predict N networks.

        Raises:
            MlflowException: a column is missing, a row is not a network of the space, or its resolution is not known.
        """
        column = next((name for name in NET_COLUMNS if name in model_input), None)
        if column is None:
            raise _wrong(
                f"no column 'net' or 'net_str': there are {', '.join(map(str, model_input.columns)) or 'none'}"
            )
        networks = [self._parse(net, label) for label, net in model_input[column].items()]
        resolution_index = self._resolution_indices(model_input)
        predict = self._run_gru if self._is_gru else self._sum_costs
        latency, lower, upper = predict(networks, resolution_index)
        return pd.DataFrame(
            {"latency_ms": latency, "lower_ms": np.maximum(lower, 0.0), "upper_ms": upper}, index=model_input.index
        )

    def _sum_costs(self, networks: list[list[int]], resolution_index: Integers) -> tuple[Floats, Floats, Floats]:
        """Latency and interval of a blockwise predictor: sums of the cost table, and of its covariance."""
        costs, facts = np.column_stack([self._arrays["costs_ms"], self._arrays["base_ms"]]), self._facts
        counts = np.zeros((len(networks), costs.shape[1]))
        for row, network in enumerate(networks):
            for instance in network:
                counts[row, instance] += 1.0
        counts[:, -1] = 1.0  # the base
        latency, variance = np.empty(len(counts)), np.empty(len(counts))
        for index in np.unique(resolution_index):
            rows = resolution_index == index
            latency[rows] = counts[rows] @ costs[index]
            variance[rows] = ((counts[rows] @ self._covariance(index, costs.shape[1])) * counts[rows]).sum(axis=1)
        deviation = np.sqrt((facts["noise_sd"] * latency) ** 2 + variance)
        return latency, latency + facts["lower_quantile"] * deviation, latency + facts["upper_quantile"] * deviation

    def _covariance(self, resolution_index: int, size: int) -> Floats:
        """The (I + 1, I + 1) covariance of the costs, saved as its upper triangle."""
        covariance = np.empty((size, size))
        rows, columns = np.triu_indices(size)
        covariance[rows, columns] = covariance[columns, rows] = self._arrays["covariances_ms2"][resolution_index]
        return covariance

    def _run_gru(self, networks: list[list[int]], resolution_index: Integers) -> tuple[Floats, Floats, Floats]:
        """Latency and interval of a gru: the network's blocks one after the other; a head is no part of the chain."""
        chains = [network[0 if self._stem_of else 1 : -1] for network in networks]
        latency = np.empty(len(chains))
        for index in np.unique(resolution_index):
            rows = np.flatnonzero(resolution_index == index)
            for start in range(0, len(rows), GRU_CHUNK):
                part = rows[start : start + GRU_CHUNK]
                latency[part] = self._run_chains([chains[row] for row in part], index)
        facts, latency = self._facts, np.maximum(latency, 0.0)
        return latency, facts["lower_factor"] * latency, facts["upper_factor"] * latency

    def _run_chains(self, chains: list[list[int]], resolution_index: int) -> Floats:
        arrays = self._arrays
        shapes = (arrays["shapes_of_instance"][resolution_index] / arrays["shape_scales"]).astype(np.float32)
        mapped = shapes @ arrays["shapes.weight"].T + arrays["shapes.bias"]
        inputs = np.concatenate([arrays["operators.weight"][arrays["operator_of_instance"]], mapped], axis=1)
        lengths = np.array([len(chain) for chain in chains])
        ids = np.zeros((len(chains), lengths.max()), dtype=np.int64)
        for row, chain in enumerate(chains):
            ids[row, : len(chain)] = chain
        nothing = np.zeros((len(chains), arrays["gru.weight_hh_l0"].shape[1]), dtype=np.float32)
        state = nothing
        for step, instances in enumerate(ids.T):
            state = np.where((step < lengths)[:, None], self._step("", inputs[instances], state), state)
        last = inputs[ids[np.arange(len(ids)), lengths - 1]]
        both = np.concatenate([state, self._step("_reverse", last, nothing)], axis=1)
        found = both @ arrays["output.weight"][0] + arrays["output.bias"]
        share = _sigmoid(found) if self._facts["sigmoid"] else found
        return np.asarray(self._facts["max_ms"] * share.astype(np.float64))

    def _step(self, direction: str, inputs: Singles, state: Singles) -> Singles:
        """One step of a GRU, as PyTorch defines it: reset gate, update gate, new state."""
        weights = {part: self._arrays[f"gru.{part}_l0{direction}"] for part in GRU_PARTS}
        given = np.split(inputs @ weights["weight_ih"].T + weights["bias_ih"], 3, axis=1)
        recurrent = np.split(state @ weights["weight_hh"].T + weights["bias_hh"], 3, axis=1)
        reset, update = (_sigmoid(given[gate] + recurrent[gate]) for gate in (0, 1))
        new = np.tanh(given[2] + reset * recurrent[2])
        return np.asarray(new + update * (state - new))

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

    def _resolution_indices(self, model_input: pd.DataFrame) -> Integers:
        """(N,): which of the known resolutions each row has."""
        known = self._facts["resolutions"]
        if "resolution" not in model_input:
            if len(known) == 1:
                return np.zeros(len(model_input), dtype=np.int64)
            raise _wrong(f"no column 'resolution': this predictor knows {known[0]} to {known[-1]}")
        index_of = {resolution: index for index, resolution in enumerate(known)}
        for label, resolution in model_input["resolution"].items():
            # A number of any kind: 224.0 is 224, and an index of the same.
            if not isinstance(resolution, Number) or resolution not in index_of:
                there = f"{known[0]}" if len(known) == 1 else f"{known[0]} to {known[-1]}"
                raise _wrong(f"row {label}: resolution {resolution}, but this predictor was trained on {there}")
        return np.array([index_of[resolution] for resolution in model_input["resolution"]], dtype=np.int64)


def _sigmoid(values: Singles) -> Singles:
    """By way of tanh, which does not overflow."""
    return np.asarray(np.tanh(values / 2) / 2 + 0.5)


def _wrong(message: str) -> MlflowException:
    return MlflowException(message, error_code=ErrorCode.Value("INVALID_PARAMETER_VALUE"))


mlflow.models.set_model(LatencyPredictor())
