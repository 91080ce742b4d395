"""Registering a predictor."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import mlflow
import numpy as np
from mlflow import MlflowClient
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema
from mlflow.types.schema import AnyType
from mlflow.utils.logging_utils import disable_logging, enable_logging

from blockprof.files import temporary_folder
from blockprof.latency_data import LatencyData
from blockprof.spaces import FloatArray
from blockprof.tracking.champion import Choice, crown
from blockprof.tracking.registry import CHAMPION, predictor_name
from blockprof.tracking.runs import Run
from blockprof.tracking.translation import translated

OUTPUT_COLUMNS = ("latency_ms", "lower_ms", "upper_ms")
_ARTIFACT = "predictor"
_REQUIRED = ("mlflow", "numpy", "pandas")
_NUM_EXAMPLES = 5
# MLflow would refuse pandas' categorical strings as strings, and 224.0 as a whole number: the model checks them itself.
SIGNATURE = ModelSignature(
    inputs=Schema([ColSpec(AnyType(), name, required=False) for name in ("net", "net_str", "resolution")]),
    outputs=Schema([ColSpec(DataType.double, column) for column in OUTPUT_COLUMNS]),
)


@dataclass(frozen=True, slots=True)
class RegisteredPredictor:
    """What became of a logged predictor. ``mape`` is in percent, over all test rows; ``reason`` says why it is the
    champion, or is not.
    """

    name: str
    version: int
    mape: float
    is_champion: bool
    reason: str

    @property
    def model_uri(self) -> str:
        """What ``mlflow.pyfunc.load_model`` takes."""
        return f"models:/{self.name}/{self.version}"

    @property
    def champion_command(self) -> str:
        """What a shell takes to make it the champion; MLflow's own command line has nothing for aliases."""
        call = f"set_registered_model_alias('{self.name}', '{CHAMPION}', '{self.version}')"
        return f'python -c "import mlflow; mlflow.MlflowClient().{call}"'


@translated("registering the predictor")
def log_predictor(
    run: Run,
    folder: Path,
    code: Path,
    *,
    metric: str,
    kind: str,
    num_nets: int,
    test: LatencyData,
    predict: Callable[[Path], FloatArray],
    choose: Callable[[], Choice],
) -> RegisteredPredictor:
    """Log a predictor to ``run``, and register it as ``blockprof-<space>-<metric>``, as its champion or not.

    Its files are read back from the store, and must predict the test rows, before it is registered. They are read as
    numbers: no code comes from the store.

    Args:
        run: the run under way, its metrics logged: MLflow links those it has to the model.
        folder: the predictor's files.
        code: the Python file that MLflow loads the model by, given ``folder`` as the artifact ``predictor``. Needs
            MLflow, numpy and pandas only.
        metric: the name it will have in ``profile``.
        kind: ``blockwise`` or ``gru``.
        num_nets: how many networks it was trained on.
        test: held-out rows, (N,), at least one.
        predict: what a predictor whose files are in a folder says of the test rows, (N,), ms.
        choose: says whether the alias ``champion`` moves to it, and why, which is a tag of the version; asked again
            where another command has moved it meanwhile.

    Raises:
        InputError: ``metric`` cannot be part of a name.
        TrackingError: the store cannot take it, or what it took does not predict.
    """
    name = predictor_name(test.space.name, metric)
    frame = test.to_frame()[["net", "resolution"]].astype({"resolution": "int64"})
    logged = mlflow.pyfunc.log_model(
        name=_ARTIFACT,
        python_model=str(code),
        artifacts={_ARTIFACT: str(folder)},
        pip_requirements=[f"{package}=={version(package)}" for package in _REQUIRED],
        signature=SIGNATURE,
        input_example=frame.head(_NUM_EXAMPLES),
    )
    with temporary_folder() as temporary:
        stored = Path(mlflow.artifacts.download_artifacts(logged.model_uri, dst_path=str(temporary)))
        mape = _mape(predict(stored / "artifacts" / folder.name), test.latencies_ms)
    tags = {
        "space": test.space.name,
        "metric": metric,
        "device": test.device,
        "kind": kind,
        "num_nets": str(num_nets),
        "resolutions": ",".join(map(str, np.unique(test.resolutions))),
        "test_mape": f"{mape:.4f}",
        "test_digest": test.digest,
        "run_id": run.id,
    }
    number = _register(logged.model_uri, name, tags)
    choice = crown(name, number, choose)
    MlflowClient().set_model_version_tag(name, str(number), "champion_reason", choice.reason)
    return RegisteredPredictor(name, number, mape, choice.is_champion, choice.reason)


def _register(model_uri: str, name: str, tags: dict[str, str]) -> int:
    disable_logging()  # it writes to stderr at any level of logging
    try:
        return int(mlflow.register_model(model_uri, name, tags=tags).version)
    finally:
        enable_logging()


def _mape(predicted: FloatArray, actual: FloatArray) -> float:
    return float(100 * np.mean(np.abs(predicted - actual) / actual))
