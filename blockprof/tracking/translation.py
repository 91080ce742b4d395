"""MLflow's errors as blockprof's, and its warnings unsaid."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from mlflow.exceptions import MlflowException

from blockprof.errors import TrackingError
from blockprof.text import masked, printable

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
        raise TrackingError(f"{task} failed: {one_line(error)}") from error
