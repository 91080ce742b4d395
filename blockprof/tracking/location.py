"""Which store MLflow uses, said without importing MLflow, and what an SQLite file holds."""

import os
import re
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from blockprof.foundation.errors import TrackingError
from blockprof.foundation.lazy import lazy_import

if TYPE_CHECKING:
    import mlflow
    import sqlalchemy
else:
    mlflow = lazy_import("mlflow")
    sqlalchemy = lazy_import("sqlalchemy")


_DEFAULT_FILE = "mlflow.db"
_ARTIFACT_FOLDER = "mlruns"
_SQLITE_PREFIX = "sqlite:///"
_LOCK_SECONDS = 5.0
_AMBIGUOUS = re.compile("[?%]")
_chosen: dict[str, Path] = {}
"""The URIs of default stores that MLflow was told here, and the working folder of each."""


def sqlite_uri(database: Path) -> str:
    """The URI by which MLflow opens the SQLite file ``database``, and makes no folder beside its own.

    SQLAlchemy unquotes the path since 2.1, MLflow makes the folder that is written there, and neither takes a question
    mark: below a folder with such a name only a path relative to it means one file to all.

    Raises:
        TrackingError: there is no such path.
    """
    path = str(database.absolute())
    if _AMBIGUOUS.search(path):
        path = os.path.relpath(path)
    if _AMBIGUOUS.search(path):
        raise TrackingError(
            f"MLflow cannot make {path}",
            remedy="take a path without '?' and '%', or start in that folder",
            code="path-not-for-mlflow",
        )
    return f"{_SQLITE_PREFIX}{path}"


def sqlite_file(uri: str) -> Path | None:
    """The file of an SQLite store; None for another store, and for one in memory."""
    if not uri.startswith(_SQLITE_PREFIX):
        return None
    path: str | None = uri.removeprefix(_SQLITE_PREFIX).split("?")[0]
    if "%" in uri:  # whether it is unquoted is for SQLAlchemy to say
        path = sqlalchemy.make_url(uri).database
    return Path(path) if path and path != ":memory:" else None


def artifact_root() -> str:
    """The URI of the folder that MLflow's own default keeps the artifacts of a local store in, quoted."""
    return Path(_ARTIFACT_FOLDER).absolute().as_uri()


def tracking_uri() -> str:
    """Where MLflow logs to.

    MLflow's own default quotes the folder's name, and then makes a folder of the quoted name beside it. So the default
    is told to MLflow as it opens it; again, where the working folder is another one by now.

    Raises:
        TrackingError: the working folder was another one before, and its name is such that MLflow would resume the
            store that is there.
    """
    if mlflow.get_tracking_uri() in _chosen:
        mlflow.set_tracking_uri(None)  # type: ignore[arg-type]  # forgets it
    uri = mlflow.get_tracking_uri()
    if "%" in uri and uri.startswith(_SQLITE_PREFIX) and not mlflow.is_tracking_uri_set():
        uri = sqlite_uri(Path(_DEFAULT_FILE))
        if _chosen.setdefault(uri, Path.cwd()) != Path.cwd():
            raise TrackingError(
                f"this process has used the store in {_chosen[uri]}",
                remedy=f"start another one in {Path.cwd()}",
                code="other-store",
            )
        mlflow.set_tracking_uri(uri)
    return uri


def registry_uri() -> str:
    """Where predictors are registered: what MLflow was told, by code or environment, else its default."""
    if "mlflow" in sys.modules:
        tracking_uri()
        return str(mlflow.get_registry_uri())
    told = os.environ.get("MLFLOW_REGISTRY_URI") or os.environ.get("MLFLOW_TRACKING_URI")
    return told or sqlite_uri(Path(_DEFAULT_FILE))


def is_there(database: Path) -> bool:
    """Whether an MLflow store exists at ``database``; nothing is created. An empty file is none yet.

    Raises:
        TrackingError: the file is another program's database, not a database at all, or locked.
    """
    if not database.exists():
        return False
    tables = set(read_column(database, "SELECT name FROM sqlite_master WHERE type = 'table'"))
    if tables and not {"experiments", "runs", "alembic_version"} <= tables:
        raise TrackingError(
            f"{database} is a database, but not MLflow's (it has no tables of experiments and runs)",
            remedy="set MLFLOW_TRACKING_URI to another one",
            code="not-mlflows",
        )
    return bool(tables)


def read_column(database: Path, query: str, values: tuple[str, ...] = ()) -> list[str]:
    """The first column that ``query`` gives.

    What a killed command left half written is first undone, as whatever next opens the file does; for that it is
    opened for writing, where it can be.

    Raises:
        TrackingError: ``database`` cannot be read as SQLite.
    """
    try:
        with closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=rw", uri=True, timeout=_LOCK_SECONDS)) as it:
            return [row[0] for row in it.execute(query, values)]
    except sqlite3.Error as error:
        raise TrackingError(f"cannot read {database} as an MLflow database: {error}", code="not-mlflows") from error
