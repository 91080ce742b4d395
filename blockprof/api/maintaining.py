"""``blockprof.repair_store`` and ``blockprof.resume``: a store that was moved, and runs that could not be logged."""

from typing import TYPE_CHECKING

from blockprof.foundation.errors import TrackingError
from blockprof.foundation.lazy import lazy_import
from blockprof.foundation.listener import SILENT, Listener

if TYPE_CHECKING:
    from blockprof.output.runs import kept_training
    from blockprof.tracking import location, moving, resuming
    from blockprof.tracking.moving import Move
    from blockprof.tracking.resuming import Resumed
else:
    kept_training = lazy_import("blockprof.output.runs.kept_training")
    location = lazy_import("blockprof.tracking.location")
    moving = lazy_import("blockprof.tracking.moving")
    resuming = lazy_import("blockprof.tracking.resuming")


def repair_store(*, listener: Listener = SILENT) -> "list[Move]":
    """Correct the paths of files in a local MLflow store that was moved or copied with its folder.

    The store is that of the working folder, or of ``MLFLOW_TRACKING_URI`` and ``MLFLOW_REGISTRY_URI``. All paths of a
    store are corrected, or none.

    Args:
        listener: told of the result.

    Returns:
        What was corrected: the folders where the files of runs were recorded, and where they are.

    Raises:
        InputError: the store is not in a file, or there is none.
        TrackingError: the file cannot be read or written.
    """
    stores = dict.fromkeys((location.tracking_uri(), location.registry_uri()))
    moves = [move for uri in stores for move in moving.repair(uri)]
    listener.on_result(moves)
    return moves


def resume(*, listener: Listener = SILENT) -> "list[Resumed]":
    """Log the runs that earlier calls could not log, because the server was gone or the disk was full.

    They are kept in the folder ``outbox`` of the data folder, their results complete. Each is logged once, a predictor
    is registered and compared with the champion, and the run is marked FINISHED.

    Args:
        listener: told of each predictor as it is registered, of each run as it is logged, and why one could not be.

    Returns:
        The runs that are logged now, the oldest first; none where none was kept.

    Raises:
        TrackingError: the store does not answer, or a run could not be logged: it is kept. The others are logged.
    """
    logged, failed = [], 0
    for run in resuming.resume(kept_training.choose_by_kept):
        if run.problem:
            failed += 1
            listener.on_note(f"run {run.name} of {run.command}, id {run.id}, could not be logged: {run.problem}")
            continue
        if run.registered:
            listener.on_result(run.registered)
        listener.on_logged(run.name, run.id)
        logged.append(run)
    if failed:
        raise TrackingError(
            f"{failed} of {failed + len(logged)} runs could not be logged: they are kept", code="runs-kept"
        )
    return logged
