"""MLflow's errors as blockprof's, and its warnings unsaid."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlflow.exceptions import MlflowException

from blockprof.foundation.errors import TrackingError
from blockprof.foundation.files import FULL
from blockprof.foundation.text import masked, printable
from blockprof.tracking.location import sqlite_file, tracking_uri

_MAX_LENGTH = 500


def one_line(error: BaseException) -> str:
    """What an exception says, in one line of at most 500 characters, without passwords."""
    text = printable(masked(" ".join(str(error).split()))) or type(error).__name__
    return text if len(text) <= _MAX_LENGTH else f"{text[: _MAX_LENGTH - 1]}…"


@contextmanager
def translated(task: str) -> Iterator[None]:
    """Raise what MLflow, the network or the disk raise as a ``TrackingError`` that says in which task.

    MLflow's warnings are about its own inside, or advice on schemas that are right as they are: users do not see them.

    Raises:
        TrackingError: in place of MLflow's error, of an ``OSError`` (as are those of ``requests``), or of an
            ``ImportError`` (a store may need a package of its own, such as boto3).
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (MlflowException, OSError, ImportError) as error:
        if _is_full(error):
            raise TrackingError(f"{task} failed: the disk of {_full_folder()} is full: make room there") from error
        raise TrackingError(f"{task} failed: {one_line(error)}", code="mlflow-failed") from error


def _is_full(error: BaseException) -> bool:
    """Whether the disk, or SQLite, says that there is no room."""
    told = str(error)
    return (isinstance(error, OSError) and error.errno in FULL) or "disk is full" in told


def _full_folder() -> Path:
    """Where a local store is; a server's disk is its own affair, and only the working folder is written to."""
    database = sqlite_file(tracking_uri())
    return database.absolute().parent if database else Path.cwd()
