"""The store that runs go to: checked before any work is done, and begun where there is none yet."""

import os
import re
import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

import requests
from mlflow import MlflowClient
from mlflow.entities import Experiment, LifecycleStage
from mlflow.exceptions import MlflowException
from mlflow.utils.credentials import get_default_host_creds
from mlflow.utils.file_utils import local_file_uri_to_path
from mlflow.utils.rest_utils import http_request

from blockprof.foundation import files
from blockprof.foundation.errors import Command, InputError, TrackingError
from blockprof.foundation.files import temporary_folder
from blockprof.foundation.lazy import lazy_import
from blockprof.foundation.paths import data_folder
from blockprof.tracking import sending, settings
from blockprof.tracking.location import artifact_root, is_there, registry_uri, sqlite_file, sqlite_uri, tracking_uri
from blockprof.tracking.moving import check_unmoved
from blockprof.tracking.translation import one_line, translated

if TYPE_CHECKING:
    import sqlalchemy
    from mlflow.store.tracking import sqlalchemy_store
else:
    sqlalchemy = lazy_import("sqlalchemy")
    sqlalchemy_store = lazy_import("mlflow.store.tracking.sqlalchemy_store")


DEFAULT_EXPERIMENT = "blockprof"
_FILE_SCHEMES = ("", "file")
_DATABASES = ("postgresql", "mysql", "mssql")
_SCHEMES = ("http", "https", "sqlite", *_DATABASES)
_MANAGED = re.compile(r"(databricks|uc)\b")
_REQUEST_SECONDS = 5
_DEADLINE_SECONDS = 7.0
_KNOWN_SECONDS = 60.0
_known: dict[tuple[str, ...], tuple[float, str]] = {}
"""What was asked of a server, when it was answered, and how."""

_T = TypeVar("_T")


def check_store(experiment: str | None = None) -> None:
    """Make sure, in at most 15 seconds, that a run can be logged. Nothing is created.

    Args:
        experiment: the experiment that the run will go to, as for ``start_run``.

    Raises:
        TrackingError: the server does not answer, or not as MLflow does; the database is not MLflow's; a folder cannot
            be written to; or the URI names a kind of store that MLflow no longer has.
        InputError: the experiment is deleted.
    """
    uri = tracking_uri()
    if _is_known(uri, _asked(experiment)):
        return
    for each in dict.fromkeys((uri, registry_uri())):
        check_answers(each)
    database = sqlite_file(uri)
    if database is not None and not is_there(database):
        check_writable(database.parent)
        check_writable(Path(local_file_uri_to_path(artifact_root())))
        return
    if database is not None:
        _check_unlocked(database)
    if database is not None:
        with translated(f"asking {uri}"):
            found = find_experiment(experiment)
    else:
        found = within_deadline(f"asking {uri}", lambda: find_experiment(experiment))
    location = found.artifact_location if found else artifact_root() if database else None
    if location is not None and urlsplit(location).scheme in ("", "file"):
        check_writable(Path(local_file_uri_to_path(location)))
    if _is_remote(uri):
        _learn(uri, _asked(experiment), answer=str(found.experiment_id) if found else "")


def check_room(num_bytes: int) -> None:
    """Make sure that a run of so many bytes can be kept in the data folder and, where it is local, in the store.

    Raises:
        InputError: there is not so much room.
    """
    database = sqlite_file(tracking_uri())
    for folder in (data_folder(), *([database.absolute().parent] if database else [])):
        files.check_room(folder, num_bytes)


def check_answers(uri: str) -> None:
    """Make sure that a store answers, or may be created, at ``uri``, in at most 7 seconds.

    Raises:
        TrackingError: it does not answer, is not MLflow's, or is of a kind that MLflow no longer has.
    """
    scheme = urlsplit(uri).scheme
    if _MANAGED.match(uri) or scheme.partition("+")[0] not in (*_FILE_SCHEMES, *_SCHEMES):
        raise TrackingError(
            f"blockprof does not log to {uri}",
            remedy=f"set MLFLOW_TRACKING_URI (and MLFLOW_REGISTRY_URI, where that is set) to "
            f"an SQLite file (sqlite:///mlflow.db), a database server ({', '.join(_DATABASES)}) or the address of an "
            "MLflow server (http, https)",
            code="not-a-store-address",
        )
    if scheme in _FILE_SCHEMES:
        raise TrackingError(
            f"MLflow no longer keeps runs in plain files ({uri})",
            remedy="set MLFLOW_TRACKING_URI=sqlite:///mlflow.db, or move the runs with `mlflow migrate-filestore`",
            code="file-store",
        )
    if _is_remote(uri):
        if not _is_known(uri):
            within_deadline(f"asking {uri}", lambda: _check_server(uri))
            _learn(uri)
            sending.renew()
    elif database := sqlite_file(uri):
        if is_there(database):
            check_unmoved(database)
    else:
        _import_database_store()
        within_deadline(f"asking {uri}", lambda: MlflowClient(uri, uri).search_experiments(max_results=1))


def _is_remote(uri: str) -> bool:
    return urlsplit(uri).scheme in ("http", "https")


def _learn(*question: str, answer: str = "") -> None:
    _known[question] = (time.monotonic(), answer)


def _is_known(*question: str) -> bool:
    """Whether a server has answered this within the last minute: a command asks it once."""
    return question in _known and time.monotonic() - _known[question][0] < _KNOWN_SECONDS


def _asked(experiment: str | None) -> str:
    return f"{experiment_name(experiment)} {os.environ.get('MLFLOW_EXPERIMENT_ID')}"


def known_experiment(name: str | None) -> str | None:
    """The id of the experiment that runs go to, where a server has just told it; None where it is to be asked."""
    question = (tracking_uri(), _asked(name))
    return _known[question][1] or None if _is_known(*question) else None


def _import_database_store() -> None:
    """Import what MLflow would when it first asks a database: a second or, on a busy machine, many, of no server's."""
    import_module("mlflow.store.tracking.sqlalchemy_store")
    import_module("mlflow.store.model_registry.sqlalchemy_store")


def _check_server(uri: str) -> None:
    is_registry = uri != tracking_uri()
    what = "model registry" if is_registry else "tracking server"
    variable = "MLFLOW_REGISTRY_URI" if is_registry else "MLFLOW_TRACKING_URI"
    try:
        response = http_request(
            get_default_host_creds(uri),
            "/api/2.0/mlflow/experiments/search",
            "GET",
            params={"max_results": 1},
            max_retries=0,
            timeout=_REQUEST_SECONDS,
            raise_on_status=False,
        )
    except MlflowException as error:
        raise TrackingError(
            f"the {what} {uri} does not answer ({_first_cause(error)})",
            remedy=f"start it, or set {variable}",
            code="server-unreachable",
        ) from error
    if response.status_code in (401, 403):
        raise TrackingError(
            f"the {what} {uri} refuses (status {response.status_code})",
            remedy="set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN",
            code="server-refuses",
        )
    if response.status_code >= 500:
        raise TrackingError(
            f"the {what} {uri} is ill (status {response.status_code})",
            remedy=f"wait until it is well, or set {variable}",
        )
    try:
        is_mlflow = response.ok and isinstance(response.json(), dict)
    except requests.JSONDecodeError:
        is_mlflow = False
    if not is_mlflow:
        raise TrackingError(
            f"{uri} answers, but not as an MLflow server (status {response.status_code})",
            remedy=f"check {variable}",
            code="not-a-server",
        )


def _first_cause(error: BaseException) -> str:
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    return one_line(error)


def within_deadline(task: str, work: Callable[[], _T]) -> _T:
    """Do ``work``, but wait for it 7 seconds at most: MLflow's own retries, and looking up a host, may take minutes.

    Raises:
        TrackingError: no result in time, or MLflow's error.
    """
    with settings.applied(), translated(task):
        return sending.waited_for(task, work, _DEADLINE_SECONDS)


def check_writable(folder: Path) -> None:
    """Make sure that ``folder`` can be written to, or be made and then written to.

    Raises:
        TrackingError: it cannot.
    """
    there = files.existing_folder(folder)
    try:
        tempfile.TemporaryFile(dir=there).close()
    except OSError as error:
        raise TrackingError(
            f"cannot write to the folder {there} ({error.strerror})",
            remedy="use another folder, or set MLFLOW_TRACKING_URI",
            code="unwritable-folder",
        ) from error


def _check_unlocked(database: Path) -> None:
    check_writable(database.parent)
    try:
        with closing(sqlite3.connect(database, timeout=_REQUEST_SECONDS, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
    except sqlite3.Error as error:
        raise TrackingError(
            f"cannot write to {database} ({error})",
            remedy="use another folder, or set MLFLOW_TRACKING_URI",
            code="unwritable-store",
        ) from error


def find_experiment(name: str | None) -> Experiment | None:
    """The experiment that runs go to: ``name``, else what MLflow was told, else ``blockprof``; None if not yet there.

    Raises:
        InputError: it is deleted, or MLFLOW_EXPERIMENT_ID names none.
    """
    client = MlflowClient()
    told = os.environ.get("MLFLOW_EXPERIMENT_ID")
    if name is None and told:
        try:
            found: Experiment | None = client.get_experiment(told)
        except MlflowException as error:
            raise InputError(f"MLFLOW_EXPERIMENT_ID={told}: {one_line(error)}") from error
    else:
        found = client.get_experiment_by_name(experiment_name(name))
    if found and found.lifecycle_stage != LifecycleStage.ACTIVE:
        raise InputError(
            f"the experiment '{found.name}' is deleted",
            remedy="choose another, or restore it with "
            f"{Command('mlflow experiments restore', experiment_id=found.experiment_id)}",
            code="deleted-experiment",
        )
    return found


def experiment_name(name: str | None) -> str:
    """The experiment's name: ``name``, else MLFLOW_EXPERIMENT_NAME, else ``blockprof``."""
    return name or os.environ.get("MLFLOW_EXPERIMENT_NAME") or DEFAULT_EXPERIMENT


def begin_experiment(name: str | None) -> str:
    """The id of the experiment that runs go to, which is created where it is not there.

    Raises:
        InputError: as ``find_experiment``.
        MlflowException: the store cannot create it.
    """
    if known := known_experiment(name):
        return known
    if found := find_experiment(name):
        return str(found.experiment_id)
    try:
        return _create_experiment(experiment_name(name))
    except MlflowException as error:
        if error.error_code == "RESOURCE_ALREADY_EXISTS" and (found := find_experiment(name)):
            return str(found.experiment_id)  # another command was quicker
        raise


def _create_experiment(name: str) -> str:
    """Create an experiment; of a local store with its artifacts' folder quoted, which MLflow's own default is not."""
    uri = tracking_uri()
    if sqlite_file(uri) is None:
        return MlflowClient().create_experiment(name)
    return str(sqlalchemy_store.SqlAlchemyStore(uri, artifact_root()).create_experiment(name))


def begin_stores() -> None:
    """Create the SQLite files that MLflow is to use, where there are none yet.

    Raises:
        TrackingError: as ``check_store``.
    """
    for uri in dict.fromkeys((tracking_uri(), registry_uri())):
        database = sqlite_file(uri)
        if database is not None and not is_there(database):
            with translated(f"creating {database}"):
                _create(database)


def _create(database: Path) -> None:
    """Make a store beside its place and put it there complete, unless another process was quicker.

    MLflow itself runs dozens of migrations in place, with over a thousand flushes to the disk: slow, broken for good
    if interrupted, and a race where two commands start at once.
    """
    database.parent.mkdir(parents=True, exist_ok=True)
    with temporary_folder(database.parent) as folder:
        draft = folder / "mlflow.db"
        sqlalchemy.event.listen(sqlalchemy.Engine, "connect", _skip_flushes)
        try:
            store = sqlalchemy_store.SqlAlchemyStore(sqlite_uri(draft), artifact_root())
            store.engine.dispose()
        finally:
            sqlalchemy.event.remove(sqlalchemy.Engine, "connect", _skip_flushes)
        with draft.open("rb+") as file:
            os.fsync(file.fileno())
        try:
            os.link(draft, database)
        except FileExistsError:
            return
        except OSError:  # a file system without hard links, such as exFAT
            draft.rename(database)


def _skip_flushes(connection: sqlite3.Connection, _: object) -> None:
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA journal_mode = MEMORY")
