"""The predictor as MLflow runs it: "model from code", on the saved files and two modules that it carries.

MLflow copies this file into the logged model and runs it where blockprof may not be installed, so it imports nothing of
blockprof. How nets are spelled is in ``model.json``; how they are read and predicted, in the artifacts ``nets`` and
``runtime``: blockprof's own ``foundation/net_strings.py``, and ``predictors/runtime.py`` or another kind's file.
"""

import json
from importlib.util import module_from_spec, spec_from_file_location
from numbers import Number
from pathlib import Path
from types import ModuleType
from typing import Any

import mlflow.models
import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import ErrorCode
from mlflow.pyfunc.model import PythonModel, PythonModelContext

NET_COLUMNS = ("net", "net_str")


class LatencyPredictor(PythonModel):
    """From ``net`` (string) and ``resolution`` (a whole number) to ``latency_ms``, ``lower_ms`` and ``upper_ms``.

    The artifact ``predictor`` is the folder that a model's ``save`` wrote. The networks may be in ``net_str``, as in a
    CSV of latencies. ``resolution`` may be left out where the predictor knows only one.
    """

    def load_context(self, context: PythonModelContext) -> None:
        """Read the saved predictor."""
        folder = Path(context.artifacts["predictor"])
        self._facts: dict[str, Any] = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        (numbers,) = folder.glob("*.npz")
        with np.load(numbers, allow_pickle=False) as arrays:
            self._arrays: dict[str, np.ndarray[Any, Any]] = {name: arrays[name] for name in arrays.files}
        nets = _load(context, "nets")
        self._grammar = nets.NetGrammar(*(self._facts[name] for name in nets.GRAMMAR))
        self._runtime = _load(context, "runtime")

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
        nets = model_input[column]
        genes = np.array([self._parse(net, label) for label, net in nets.items()], dtype=np.int64)
        which = self._resolution_indices(model_input)
        latency, lower, upper = self._runtime.predict(self._facts, self._arrays, genes, which)
        return pd.DataFrame({"latency_ms": latency, "lower_ms": lower, "upper_ms": upper}, index=model_input.index)

    def _parse(self, net: Any, label: Any) -> list[int]:
        """The genes of a network."""
        if not isinstance(net, str):
            raise _wrong(f"row {label}: net is {net!r}, not a string")
        try:
            genes: list[int] = self._grammar.parse(net)
        except ValueError as error:
            raise _wrong(f"row {label}: {error}") from None
        return genes

    def _resolution_indices(self, model_input: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.int64]]:
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


def _load(context: PythonModelContext, artifact: str) -> ModuleType:
    """A module that the model carries. It is not put among the imported ones: another model carries another version."""
    spec = spec_from_file_location(f"blockprof_model_{artifact}", context.artifacts[artifact])
    if spec is None or spec.loader is None:
        raise _wrong(f"the model's {artifact} is no Python file")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _wrong(message: str) -> MlflowException:
    return MlflowException(message, error_code=ErrorCode.Value("INVALID_PARAMETER_VALUE"))


mlflow.models.set_model(LatencyPredictor())
