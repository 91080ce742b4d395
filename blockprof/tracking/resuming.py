"""Logging what an earlier command could not: the runs in the outbox, each once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mlflow import MlflowClient

from blockprof.foundation.errors import TrackingError
from blockprof.tracking import sending, store
from blockprof.tracking.champion import Choice
from blockprof.tracking.outbox import Outgoing, waiting
from blockprof.tracking.predictors import RegisteredPredictor, kept_files, predictor_folder, register
from blockprof.tracking.runs import clear_failure


@dataclass(frozen=True, slots=True)
class Resumed:
    """A run of the outbox: logged now, with the predictor that it registered, if any; or why it could not be."""

    name: str
    id: str
    command: str
    registered: RegisteredPredictor | None = None
    problem: str = ""


def resume(choose: Callable[[Path, Path], Choice]) -> Iterator[Resumed]:
    """Log the runs in the outbox, the oldest first, and end each as FINISHED.

    Args:
        choose: decides whether a predictor becomes the champion, by the folder where it is kept and that of its files.

    Raises:
        TrackingError: the store does not answer.
    """
    found = waiting()
    if found:
        store.check_store()
    for outgoing in found:
        try:
            yield Resumed(outgoing.name, outgoing.run_id, outgoing.command, _log(outgoing, choose))
        except TrackingError as error:
            yield Resumed(outgoing.name, outgoing.run_id, outgoing.command, problem=str(error))


def _log(outgoing: Outgoing, choose: Callable[[Path, Path], Choice]) -> RegisteredPredictor | None:
    if not outgoing.claim():
        raise TrackingError("another command is logging it")
    if outgoing.store != sending.server():
        raise TrackingError(f"it belongs to the store {outgoing.store}", remedy="set MLFLOW_TRACKING_URI to that")
    outgoing.send()
    registered = None
    place = predictor_folder(outgoing)
    if place.is_dir():
        registered = register(outgoing, lambda: choose(place, kept_files(place)))
        outgoing.tags |= registered.run_tags
    outgoing.send()
    client, run_id = MlflowClient(), outgoing.run_id

    def end() -> None:
        clear_failure(run_id)
        client.set_terminated(run_id, "FINISHED")

    sending.send("ending the run", end)
    outgoing.remove()
    return registered
