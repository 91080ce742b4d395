"""Registered predictors, found again: ``blockprof-<space>-<metric>``, of which one version is the champion.

Imports MLflow only where there is something to fetch.
"""

import atexit
import re
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from blockprof.foundation.errors import InputError, TrackingError
from blockprof.foundation.files import temporary_folder
from blockprof.foundation.lazy import lazy_import
from blockprof.spaces import space_names
from blockprof.tracking.location import is_there, read_column, registry_uri, sqlite_file

if TYPE_CHECKING:
    import mlflow
    from mlflow import artifacts, exceptions
    from mlflow.entities.model_registry import ModelVersion

    from blockprof.tracking import location, sending, store
else:
    artifacts = lazy_import("mlflow.artifacts")
    exceptions = lazy_import("mlflow.exceptions")
    location = lazy_import("blockprof.tracking.location")
    mlflow = lazy_import("mlflow")
    sending = lazy_import("blockprof.tracking.sending")
    store = lazy_import("blockprof.tracking.store")

CHAMPION = "champion"
_PREFIX = "blockprof-"
_MODELS = "models:/"
_METRIC = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_REFERENCE = re.compile(r"(?:models:/)?(?P<name>[^/@:]+)(?:/(?P<version>[0-9]+)|@(?P<alias>[\w-]+))?")


@dataclass(frozen=True, slots=True)
class StoredPredictor:
    """A version of a registered predictor, its files on this machine.

    ``folder`` holds what was given to ``log_predictor``: ``model.json``, and ``costs.npz`` for a blockwise one.
    """

    name: str
    version: int
    run_id: str
    tags: dict[str, str]
    folder: Path

    @property
    def model_uri(self) -> str:
        """What ``mlflow.pyfunc.load_model`` takes."""
        return f"models:/{self.name}/{self.version}"


@dataclass(frozen=True, slots=True)
class PredictorVersion:
    """A version of a registered predictor, as the registry tells of it; ``tags`` are those of ``log_predictor``."""

    name: str
    version: int
    is_champion: bool
    registered: datetime
    run_id: str
    tags: dict[str, str]


@dataclass(frozen=True, slots=True)
class OtherModel:
    """A version of a registered model that blockprof did not make: to ask it is to run code that is in the registry."""

    name: str
    version: int
    run_id: str

    @property
    def model_uri(self) -> str:
        """What ``mlflow.pyfunc.load_model`` takes."""
        return f"models:/{self.name}/{self.version}"


def predictor_name(space: str, metric: str) -> str:
    """The name that a predictor is registered by.

    Raises:
        InputError: ``metric`` holds what MLflow does not allow in a name, or the name would be another space's.
    """
    if not _METRIC.fullmatch(metric):
        raise InputError(
            f"'{metric}' cannot name a metric",
            remedy="use letters, digits, '_', '.' and '-', a letter or digit first",
            code="not-a-metric-name",
        )
    name = f"{_PREFIX}{space}-{metric}"
    if name.startswith(_longer_prefixes(space)):
        raise InputError(f"'{metric}' cannot name a metric of {space}: '{name}' is the name of another space's")
    return name


def list_predictors(space: str) -> list[str]:
    """The metrics of ``space`` for which a predictor is registered, sorted; none where there is no store yet.

    From an SQLite store in milliseconds, without MLflow.

    Raises:
        TrackingError: the store does not answer.
    """
    prefix = f"{_PREFIX}{space}-"
    others = _longer_prefixes(space)
    return sorted(
        name.removeprefix(prefix) for name in _names() if name.startswith(prefix) and not name.startswith(others)
    )


def list_versions(space: str | None = None) -> list[PredictorVersion]:
    """Every version of blockprof's registered predictors, of one space where given, the newest of each name first.

    There are none where there is no store yet; nothing is created.

    Raises:
        TrackingError: the store does not answer.
    """
    names = sorted(_names())
    if not names:
        return []

    def search() -> list[PredictorVersion]:
        client = mlflow.MlflowClient()
        champions = {name: client.get_registered_model(name).aliases.get(CHAMPION) for name in names}
        found = [one for name in names for one in client.search_model_versions(f"name = '{name}'", max_results=1000)]
        return [
            PredictorVersion(
                one.name,
                int(one.version),
                str(champions[one.name]) == str(one.version),
                datetime.fromtimestamp(one.creation_timestamp / 1000, UTC),
                one.run_id or "",
                dict(one.tags),
            )
            for one in found
        ]

    versions = sending.send("listing predictors", search)
    chosen = [one for one in versions if space is None or one.tags.get("space") == space]
    return sorted(chosen, key=lambda one: (one.name, -one.version))


def _longer_prefixes(space: str) -> tuple[str, ...]:
    """The beginnings of the names of predictors of spaces whose own names begin with that of ``space`` and a dash."""
    return tuple(f"{_PREFIX}{other}-" for other in space_names() if other.startswith(f"{space}-"))


def find_champion(space: str, metric: str) -> StoredPredictor | None:
    """The champion for ``metric``; None where none is registered, or there is no store yet. Nothing is created.

    Raises:
        TrackingError: the store does not answer, or the champion's files cannot be read.
    """
    name = predictor_name(space, metric)
    is_known = _is_there() if sqlite_file(registry_uri()) is None else name in _names()
    return _fetch(name, alias=CHAMPION) if is_known else None


def find_predictor(reference: str) -> StoredPredictor:
    """Find a predictor by ``blockprof-pn-npu`` (its champion), ``blockprof-pn-npu/3``, or either after ``models:/``.

    Raises:
        InputError: there is no such predictor or version.
        TrackingError: the store does not answer, or the files cannot be read.
    """
    parts = _REFERENCE.fullmatch(reference)
    names = _names()
    if parts is None or parts["name"] not in names:
        known = f"there are {', '.join(sorted(names))}" if names else "none is registered yet"
        raise InputError(f"no predictor '{reference}': {known}", code="no-such-predictor")
    found = _fetch(parts["name"], version=parts["version"], alias=parts["alias"] or CHAMPION)
    if found is None:
        raise InputError(
            f"no predictor '{reference}': '{parts['name']}' has no such version or alias", code="no-such-predictor"
        )
    return found


def find_other_model(reference: str) -> OtherModel:
    """Find a registered model that is not blockprof's, by ``models:/NAME/2`` or ``models:/NAME@ALIAS``.

    Raises:
        InputError: there is no such model or version.
        TrackingError: the store does not answer.
    """
    parts = _REFERENCE.fullmatch(reference)
    location.tracking_uri()
    found = None
    if parts and _is_there():
        asked = (parts["name"], parts["alias"] or "", parts["version"])
        found = sending.send(f"looking up {reference}", lambda: _find_version(*asked))
    if found is None:
        raise InputError(
            f"no model '{reference}' is registered", remedy="write models:/NAME/VERSION or models:/NAME@ALIAS"
        )
    return OtherModel(found.name, int(found.version), found.run_id or "")


def find_predictor_of(run_id: str) -> StoredPredictor | None:
    """The newest version that a run registered; None where it registered none.

    Raises:
        TrackingError: the store does not answer, or the files cannot be read.
    """
    if not _names():
        return None
    found = sending.send(
        "searching predictors", lambda: mlflow.MlflowClient().search_model_versions(f"run_id = '{run_id}'")
    )
    newest = max(found, key=lambda one: int(one.version), default=None)
    return _fetch(newest.name, alias=CHAMPION, version=str(newest.version)) if newest else None


def is_predictor_name(text: str) -> bool:
    """Whether ``text`` is what ``find_predictor`` takes, not the name of a run; nothing is asked of the store."""
    return text.removeprefix(_MODELS).startswith(_PREFIX)


def is_other_model(text: str) -> bool:
    """Whether ``text`` is what ``find_other_model`` takes; nothing is asked of the store."""
    return text.startswith(_MODELS) and not is_predictor_name(text)


def _is_there() -> bool:
    uri = registry_uri()
    database = sqlite_file(uri)
    if database is not None:
        return is_there(database)
    store.check_answers(uri)
    return True


def _names() -> list[str]:
    if not _is_there():
        return []
    uri = registry_uri()
    database = sqlite_file(uri)
    if database is not None:
        return read_column(database, "SELECT name FROM registered_models WHERE name LIKE ?", (f"{_PREFIX}%",))
    models = store.within_deadline(
        f"asking {uri}",
        lambda: mlflow.MlflowClient().search_registered_models(f"name LIKE '{_PREFIX}%'", max_results=1000),
    )
    return [model.name for model in models]


def _fetch(name: str, *, alias: str, version: str | None = None) -> StoredPredictor | None:
    store.check_answers(location.tracking_uri())

    def download() -> "tuple[ModelVersion, Path] | None":
        found = _find_version(name, alias, version)
        if found is None:
            return None
        source = mlflow.MlflowClient().get_model_version_download_uri(name, found.version).rstrip("/")
        # A folder each time: another store may have a predictor of that name and version, or this one have lost a file.
        target = tempfile.mkdtemp(prefix=f"{name}-{found.version}-", dir=_download_folder())
        return found, Path(artifacts.download_artifacts(f"{source}/artifacts", dst_path=target))

    fetched = sending.send(f"fetching {name}", download)
    if fetched is None:
        return None
    found, files = fetched
    facts = next(files.glob("*/model.json"), None)
    if facts is None:
        raise TrackingError(f"{name} version {found.version} holds no model.json: blockprof did not register it")
    return StoredPredictor(name, int(found.version), found.run_id or "", dict(found.tags), facts.parent)


def _find_version(name: str, alias: str, version: str | None) -> "ModelVersion | None":
    client = mlflow.MlflowClient()
    try:
        return client.get_model_version(name, version) if version else client.get_model_version_by_alias(name, alias)
    except exceptions.MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise


@cache
def _download_folder() -> Path:
    """Where this process keeps fetched predictors; removed when it ends."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(temporary_folder())
