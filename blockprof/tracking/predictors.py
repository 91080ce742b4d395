"""Registering a predictor: saved in the outbox, then logged and registered from there, by this command or another."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

import mlflow
import numpy as np
from mlflow import MlflowClient
from mlflow.entities import LoggedModel, LoggedModelOutput, Metric
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.types import ColSpec, DataType, Schema
from mlflow.types.schema import AnyType

from blockprof.foundation.arrays import FloatArray
from blockprof.foundation.scores import mape_percent
from blockprof.latency_data import LatencyData
from blockprof.tracking.champion import Choice, champion_version, crown
from blockprof.tracking.outbox import Outgoing, Point, make_folder
from blockprof.tracking.registry import CHAMPION, predictor_name
from blockprof.tracking.runs import Run
from blockprof.tracking.sending import send
from blockprof.tracking.translation import translated

OUTPUT_COLUMNS = ("latency_ms", "lower_ms", "upper_ms")
_ARTIFACT = "predictor"
_REQUIRED = ("mlflow", "numpy", "pandas")
_NUM_EXAMPLES = 5
_FOLDER, _MODEL, _FACTS = "predictor", "model", "facts.json"
_T = TypeVar("_T")
_DESCRIPTION = (
    "Predicts {metric} (ms) of networks of {space} with 90 % intervals, from their net strings. Trained by "
    "`blockprof train-predictor`; the alias champion is the version that `blockprof profile` takes."
)
_VERSIONS_TAG = "mlflow.modelVersions"
"""By this tag of a logged model, MLflow's pages show which versions it is registered as."""
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
    def run_tags(self) -> dict[str, str]:
        """The tags of its run that say what became of it."""
        return {"blockprof.became_champion": str(self.is_champion), "blockprof.champion_reason": self.reason}

    @property
    def champion_command(self) -> str:
        """What a shell takes to make it the champion; MLflow's own command line has nothing for aliases."""
        call = f"set_registered_model_alias('{self.name}', '{CHAMPION}', '{self.version}')"
        return f'python -c "import mlflow; mlflow.MlflowClient().{call}"'


@dataclass(frozen=True, slots=True)
class _Facts:
    """What of a predictor is in the outbox beside its files, and how far it came: its model's id, its version."""

    name: str
    mape: float
    tags: dict[str, str]
    points: list[Point]
    model_id: str = ""
    artifact_uri: str = ""
    version: int = 0

    def write(self, folder: Path) -> None:
        (folder / _FACTS).write_text(json.dumps(asdict(self)))


def log_predictor(
    run: Run,
    folder: Path,
    code: Path,
    carried: Mapping[str, Path],
    *,
    metric: str,
    kind: str,
    num_nets: int,
    test: LatencyData,
    predict: Callable[[Path], FloatArray],
    choose: Callable[[], Choice],
    keep: Callable[[Path], None] = lambda place: None,
) -> RegisteredPredictor:
    """Log a predictor to ``run``, and register it as ``blockprof-<space>-<metric>``, as its champion or not.

    All else that was logged to the run is sent first; before that, its files as MLflow keeps them must predict the
    test rows.

    Args:
        run: the run under way, its metrics logged: those of step 0 are linked to the model.
        folder: the predictor's files.
        code: the Python file that MLflow loads the model by, given ``folder`` as the artifact ``predictor``. Needs
            MLflow, numpy and pandas only.
        carried: files that the code needs, each an artifact of that name.
        metric: the name it will have in ``profile``.
        kind: of the predictor.
        num_nets: how many networks it was trained on.
        test: held-out rows, (N,), at least one.
        predict: what a predictor whose files are in a folder says of the test rows, (N,), ms.
        choose: says whether the alias ``champion`` moves to it, and why, which is a tag of the version; asked again
            where another command has moved it meanwhile.
        keep: writes into a folder what another command needs to choose, where this one cannot register.

    Raises:
        InputError: ``metric`` cannot be part of a name.
        TrackingError: the store cannot take it, or its files do not predict.
    """
    name = predictor_name(test.space.name, metric)
    frame = test.to_frame()[["net", "resolution"]].astype({"resolution": "int64"})
    place = predictor_folder(run.outgoing)
    with translated("registering the predictor"):
        make_folder(place)
        mlflow.pyfunc.save_model(
            place / _MODEL,
            python_model=str(code),
            artifacts={_ARTIFACT: str(folder), **{name: str(file) for name, file in carried.items()}},
            pip_requirements=[f"{package}=={version(package)}" for package in _REQUIRED],
            signature=SIGNATURE,
            input_example=frame.head(_NUM_EXAMPLES),
        )
        keep(place)
        mape = mape_percent(test.latencies_ms, predict(kept_files(place)))
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
        _Facts(name, mape, tags, [point for point in run.outgoing.points if point[3] == 0]).write(place)
    run.send()
    return register(run.outgoing, choose)


def predictor_folder(outgoing: Outgoing) -> Path:
    """Where a run's predictor is kept until it is registered."""
    return outgoing.folder / _FOLDER


def kept_files(place: Path) -> Path:
    """The predictor's own files, in the folder where it is kept."""
    (files,) = (each for each in (place / _MODEL / "artifacts").iterdir() if each.is_dir())
    return files


def register(outgoing: Outgoing, choose: Callable[[], Choice]) -> RegisteredPredictor:
    """Log and register the predictor that is in the outbox; what of it was done before is not done twice.

    Raises:
        ServerGoneError: the server is gone.
        TrackingError: the store refuses.
    """
    place = predictor_folder(outgoing)
    facts = _Facts(**json.loads((place / _FACTS).read_text()))
    if not facts.model_id:
        model = _make_model(outgoing, facts.name)
        facts = replace(facts, model_id=model.model_id, artifact_uri=model.artifact_location)
        facts.write(place)
    _fill_model(outgoing, facts, place / _MODEL)
    if not facts.version:
        facts = replace(facts, version=_make_version(outgoing, facts))
        facts.write(place)
    number = str(facts.version)
    if outgoing.is_again and champion_version(facts.name) == facts.version:
        choice = Choice(True, "it was made the champion when it was registered", facts.version)
    else:
        choice = crown(facts.name, facts.version, choose)
    because = ("champion_reason", choice.reason)
    send("tagging the predictor", lambda: MlflowClient().set_model_version_tag(facts.name, number, *because))
    return RegisteredPredictor(facts.name, facts.version, facts.mape, choice.is_champion, choice.reason)


def _make_model(outgoing: Outgoing, name: str) -> LoggedModel:
    client, run_id, place = MlflowClient(), outgoing.run_id, outgoing.experiment_id

    def find() -> LoggedModel | None:
        return next(iter(client.search_logged_models([place], f"source_run_id = '{run_id}'")), None)

    def make() -> LoggedModel:
        return client.create_logged_model(place, name, run_id)

    return _once(outgoing, "logging the predictor", find, make)


def _fill_model(outgoing: Outgoing, facts: _Facts, folder: Path) -> None:
    """Give a logged model its files, and the metrics of its run."""
    client, run_id, model_id = MlflowClient(), outgoing.run_id, facts.model_id
    described = Model.load(str(folder))
    described.model_id = described.model_uuid = model_id
    described.run_id, described.artifact_path = run_id, _ARTIFACT
    # The example is there twice: its other form, a server's request, would be one more call.
    (described.saved_input_example_info or {}).pop("serving_input_path", None)
    (folder / "serving_input_example.json").unlink(missing_ok=True)
    described.save(str(folder / "MLmodel"))
    metrics = [Metric(*point, model_id=model_id, run_id=run_id) for point in facts.points]

    def find() -> bool | None:
        outputs = client.get_run(run_id).outputs
        return any(one.model_id == model_id for one in outputs.model_outputs) or None if outputs else None

    def link() -> bool:
        client.log_outputs(run_id, [LoggedModelOutput(model_id, step=0)])
        return True

    def fill() -> None:
        client.log_batch(run_id, metrics)
        get_artifact_repository(facts.artifact_uri).log_artifacts(str(folder))
        client.finalize_logged_model(model_id, "READY")

    _once(outgoing, "logging the predictor", find, link)
    send("logging the predictor", fill)


def _make_version(outgoing: Outgoing, facts: _Facts) -> int:
    client, source = MlflowClient(), f"models:/{facts.model_id}"

    def find() -> int | None:
        found = client.search_model_versions(f"run_id = '{outgoing.run_id}'")
        return int(found[0].version) if found else None

    def make() -> int:
        try:
            client.create_registered_model(facts.name, description=_DESCRIPTION.format(**facts.tags))
        except MlflowException as error:
            if error.error_code not in ("RESOURCE_ALREADY_EXISTS", "ALREADY_EXISTS"):
                raise
        made = client.create_model_version(facts.name, source, outgoing.run_id, facts.tags, model_id=facts.model_id)
        return int(made.version)

    number = _once(outgoing, "registering the predictor", find, make)
    shown = json.dumps([{"name": facts.name, "version": str(number)}])
    send("registering the predictor", lambda: client.set_logged_model_tags(facts.model_id, {_VERSIONS_TAG: shown}))
    return number


def _once(outgoing: Outgoing, task: str, find: Callable[[], _T | None], make: Callable[[], _T]) -> _T:
    """Have MLflow make what it would make again if told twice: where it may have been told before, it is looked for."""
    is_asked = outgoing.is_again

    def find_or_make() -> _T:
        nonlocal is_asked
        found = find() if is_asked else None
        is_asked = True
        return make() if found is None else found

    return send(task, find_or_make)
