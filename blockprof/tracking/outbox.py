"""What a run is to hold, kept on disk from before it is logged until the store has it all.

Each run has a folder of its name in ``outbox`` of the data folder: ``run.json`` with its params, tags and metrics,
``artifacts`` with its files and, of a training, ``predictor``. Sending it twice is the same as once: metrics have their
times, files and tags replace those of their name, and what MLflow would make again is looked for first.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, LoggedModelInput, Metric, Param, RunTag
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT
from mlflow.utils.validation import MAX_ENTITIES_PER_BATCH, MAX_PARAMS_TAGS_PER_BATCH

from blockprof.foundation.errors import TrackingError
from blockprof.foundation.files import FULL
from blockprof.foundation.locks import try_lock
from blockprof.foundation.paths import data_folder
from blockprof.tracking.sending import send

OUTBOX = "outbox"
ARTIFACTS = "artifacts"
_RECORD = "run.json"
_CLAIM = "claim.lock"
_MARK = "made-with-the-data-folder"
_TRIES = 5
_LOGGED_MODEL = "models:/"
_FACTS = ("run_id", "name", "command", "store", "experiment_id", "artifact_uri")
_KEPT = (*_FACTS, "params", "tags", "points", "datasets", "models")
_T = TypeVar("_T")
Point = tuple[str, float, int, int]
"""A metric: key, value, time in ms, step."""


@dataclass
class Outgoing:
    """What of a run is not in the store yet.

    ``is_whole`` says that nothing is to come, so that the run can be logged by another command; ``is_again``
    that another command may have sent some of it, or all.
    """

    run_id: str
    name: str
    command: str
    store: str
    experiment_id: str
    artifact_uri: str
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    points: list[Point] = field(default_factory=list)
    datasets: list[dict[str, str]] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    is_whole: bool = False
    is_again: bool = False
    _claim: Callable[[], None] | None = field(default=None, repr=False, compare=False)

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return data_folder() / OUTBOX / self.run_id

    @contextmanager
    def file(self, path: str) -> Iterator[Path]:
        """Give the place of an artifact in the folder, to write it there.

        Raises:
            TrackingError: the data folder cannot be written to, or the disk is full.
        """
        target = self.folder / ARTIFACTS / path
        try:
            make_folder(target.parent)
            yield target
        except OSError as error:
            raise _unwritable(self.folder, error) from error

    def seal(self) -> None:
        """Write down all that is there: from now on another command can log it.

        Raises:
            TrackingError: as :meth:`file`.
        """
        self.is_whole = True
        try:
            make_folder(self.folder)
            self.claim()
            draft = self.folder / f"{_RECORD}.part"
            draft.write_text(json.dumps({name: getattr(self, name) for name in _KEPT}, indent=1))
            os.replace(draft, self.folder / _RECORD)
        except OSError as error:
            raise _unwritable(self.folder, error) from error

    def send(self) -> None:
        """Log everything to the store, and keep it no longer.

        Raises:
            ServerGoneError: the server is gone.
            TrackingError: the store refuses.
        """
        client = MlflowClient()
        for task, metrics, params, tags in self._batches():
            send(task, lambda m=metrics, p=params, t=tags: client.log_batch(self.run_id, m, p, t))  # type: ignore[misc]
        if self.datasets or self.models:
            send("logging what the run used", lambda: self._log_inputs(client))
        files = self.folder / ARTIFACTS
        if files.is_dir():
            send("logging files", lambda: get_artifact_repository(self.artifact_uri).log_artifacts(str(files)))
        self.params, self.tags, self.points, self.datasets, self.models = {}, {}, [], [], []
        shutil.rmtree(files, ignore_errors=True)

    def _log_inputs(self, client: MlflowClient) -> None:
        models = []
        for uri in self.models:
            _, name, number = uri.rsplit("/", 2)
            # The version's own model_id is empty in a database.
            source = client.get_model_version(name, number).source or ""
            if source.startswith(_LOGGED_MODEL):
                models.append(LoggedModelInput(source.removeprefix(_LOGGED_MODEL)))
        client.log_inputs(self.run_id, [_dataset(one) for one in self.datasets], models)

    def _batches(self) -> Iterator[tuple[str, list[Metric], list[Param], list[RunTag]]]:
        """As few batches as MLflow allows, and what logging each is called."""
        params = [Param(*pair) for pair in self.params.items()]
        tags = [RunTag(*pair) for pair in self.tags.items()]
        metrics = [Metric(*point) for point in self.points]
        while params or tags or metrics:
            some_params, params = _split(params, MAX_PARAMS_TAGS_PER_BATCH)
            some_tags, tags = _split(tags, MAX_PARAMS_TAGS_PER_BATCH)
            some_metrics, metrics = _split(metrics, MAX_ENTITIES_PER_BATCH - len(some_params) - len(some_tags))
            kinds = [
                kind for kind, some in (("params", some_params), ("tags", some_tags), ("metrics", some_metrics)) if some
            ]
            yield f"logging {', '.join(kinds)}", some_metrics, some_params, some_tags

    def claim(self) -> bool:
        """Hold the folder's lock until the process ends, so that no two commands log one run; False: another does."""
        if self._claim is None:
            self._claim = try_lock(self.folder / _CLAIM)
        return self._claim is not None

    def remove(self) -> None:
        """Remove the folder, and the outbox and a data folder made for it where nothing else is in them."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._claim is not None:
            self._claim()
            self._claim = None
            shutil.rmtree(self.folder, ignore_errors=True)  # on Windows the claim was in it until now
        _clear(self.folder.parent)


def make_folder(folder: Path) -> None:
    """Make a folder in the outbox; beside it stays a mark where the data folder was made for the outbox alone."""
    box = data_folder() / OUTBOX
    for _ in range(_TRIES):
        is_first = not data_folder().exists()
        with suppress(FileNotFoundError):  # another command has just cleared the outbox
            box.mkdir(parents=True, exist_ok=True)
            if is_first:
                (box / _MARK).touch()
            folder.mkdir(parents=True, exist_ok=True)
            return
    folder.mkdir(parents=True)


def _clear(box: Path) -> None:
    """Remove the outbox where nothing is in it, and a data folder that was made for it."""
    with suppress(OSError):
        if os.listdir(box) == [_MARK]:
            (box / _MARK).unlink()
            box.rmdir()
            data_folder().rmdir()
        else:
            box.rmdir()


def waiting() -> list[Outgoing]:
    """The runs that are not wholly logged, and can be.

    Raises:
        TrackingError: one's record cannot be read.
    """
    records = sorted((data_folder() / OUTBOX).glob(f"*/{_RECORD}"), key=lambda path: path.stat().st_mtime)
    return [_read(path) for path in records]


def _read(path: Path) -> Outgoing:
    try:
        record = json.loads(path.read_text())
        points = [(str(key), float(value), int(time), int(step)) for key, value, time, step in record["points"]]
        return Outgoing(**{**record, "points": points}, is_whole=True, is_again=True)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise TrackingError(
            f"is no record of a run ({error})", where=path, remedy=f"remove the folder {path.parent}"
        ) from error


def _dataset(told: Mapping[str, str]) -> DatasetInput:
    facts = {key: value for key, value in told.items() if key != "context"}
    return DatasetInput(Dataset(**facts), [InputTag(MLFLOW_DATASET_CONTEXT, told["context"])])


def _split(entities: Sequence[_T], size: int) -> tuple[list[_T], list[_T]]:
    return list(entities[:size]), list(entities[size:])


def _unwritable(folder: Path, error: OSError) -> TrackingError:
    remedy = "make room there" if error.errno in FULL else "set BLOCKPROF_DATA to a folder that can be written to"
    return TrackingError(f"cannot keep the run in {folder.absolute()} ({error.strerror}): {remedy}")
