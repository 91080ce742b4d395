"""Which store MLflow uses, said without importing MLflow, and what an SQLite file holds."""

import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote

from blockprof.errors import TrackingError

DEFAULT_URI = "sqlite:///mlflow.db"
_SQLITE_PREFIX = "sqlite:///"
_LOCK_SECONDS = 5.0


def registry_uri() -> str:
    """Where predictors are registered: what MLflow was told, by code or environment, else its default."""
    if "mlflow" in sys.modules:
        import mlflow

        return str(mlflow.get_registry_uri())
    return os.environ.get("MLFLOW_REGISTRY_URI") or os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_URI


def sqlite_file(uri: str) -> Path | None:
    """The file of an SQLite store; None for another store, and for one in memory."""
    if not uri.startswith(_SQLITE_PREFIX):
        return None
    path = unquote(uri.removeprefix(_SQLITE_PREFIX).split("?")[0])
    return Path(path) if path not in ("", ":memory:") else None


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
            f"{database} is a database, but not MLflow's (it has no tables of experiments and runs): "
            "set MLFLOW_TRACKING_URI to another one"
        )
    return bool(tables)


def read_column(database: Path, query: str, values: tuple[str, ...] = ()) -> list[str]:
    """The first column that ``query`` gives, read without ever writing to ``database``.

    Raises:
        TrackingError: ``database`` cannot be read as SQLite.
    """
    try:
        with closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True, timeout=_LOCK_SECONDS)) as it:
            return [row[0] for row in it.execute(query, values)]
    except sqlite3.Error as error:
        raise TrackingError(f"cannot read {database} as an MLflow database: {error}") from error
