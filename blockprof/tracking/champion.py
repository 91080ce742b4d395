"""Moving the alias ``champion``, such that no two trainings at once each overrule the other's."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from blockprof.foundation.locks import locked
from blockprof.tracking.location import registry_uri, sqlite_file
from blockprof.tracking.registry import CHAMPION
from blockprof.tracking.sending import send, sent

_MAX_COMPARISONS = 10
_TASK = "choosing the champion"


@dataclass(frozen=True, slots=True)
class Choice:
    """Whether a new version becomes the champion, why, and the version that it was compared with; None: there was
    none.
    """

    is_champion: bool
    reason: str
    compared_with: int | None = None


def crown(name: str, version: int, choose: Callable[[], Choice]) -> Choice:
    """Make a version the champion where ``choose`` says so, and the alias still stands where it was compared.

    Where another command has moved the alias in the meantime, ``choose`` is asked again, 10 times in all. On a local
    store a lock makes the check and the move one step; on a server another command's move in between is found by
    reading the alias back.

    Raises:
        ServerGoneError: the server is gone.
        TrackingError: the store refuses.
    """
    for _ in range(_MAX_COMPARISONS):
        choice = choose()
        if not choice.is_champion:
            return choice
        with _alone():
            if champion_version(name) != choice.compared_with:
                continue
            send(_TASK, lambda: MlflowClient().set_registered_model_alias(name, CHAMPION, str(version)))
            if champion_version(name) == version:
                return choice
    return Choice(False, f"other commands moved the alias {_MAX_COMPARISONS} times while it was compared")


@sent(_TASK)
def champion_version(name: str) -> int | None:
    """The version that the alias ``champion`` of a registered model stands at; None: there is none."""
    try:
        return int(MlflowClient().get_model_version_by_alias(name, CHAMPION).version)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise


@contextmanager
def _alone() -> Iterator[None]:
    """Hold the lock of a local registry, a file beside it for as long. A server has none."""
    database = sqlite_file(registry_uri())
    if database is None:
        yield
        return
    with locked(database.absolute().with_name(f".{database.name}.blockprof-lock")):
        yield
