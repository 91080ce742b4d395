"""``blockprof resume``."""

from typing import TYPE_CHECKING

from blockprof.foundation.errors import TrackingError
from blockprof.foundation.lazy import lazy_import

if TYPE_CHECKING:
    from blockprof import tracking
    from blockprof.cli import render
    from blockprof.output.runs import kept_training
else:
    kept_training = lazy_import("blockprof.output.runs.kept_training")
    render = lazy_import("blockprof.cli.render")
    tracking = lazy_import("blockprof.tracking")


def resume() -> None:
    """Log the runs that earlier commands could not log, because the server was gone or the disk was full.

    They are kept in the folder outbox of ./blockprof-data, their results complete. Each is logged once, a predictor is
    registered and compared with the champion, and the run is marked FINISHED.

    Example: blockprof resume
    """
    failed, logged = 0, 0
    for run in tracking.resume(kept_training.choose_by_kept):
        if run.problem:
            failed += 1
            render.note(f"run {run.name} of {run.command}, id {run.id}, could not be logged: {run.problem}")
            continue
        logged += 1
        if run.registered:
            render.print_registered(run.registered)
        render.print_run(run.name, run.id)
    if failed:
        raise TrackingError(f"{failed} of {failed + logged} runs could not be logged: they are kept")
    if not logged:
        render.print_line("nothing to log: all runs of this data folder are in the store")
