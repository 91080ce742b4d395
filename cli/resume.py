"""``blockprof resume``."""

from typing import TYPE_CHECKING

import blockprof
from blockprof.foundation.lazy import lazy_import

if TYPE_CHECKING:
    from blockprof.cli import render, render_training
else:
    render = lazy_import("blockprof.cli.render")
    render_training = lazy_import("blockprof.cli.render_training")


def resume() -> None:
    """Log the runs that earlier commands could not log, because the server was gone or the disk was full.

    They are kept in the folder outbox of ./blockprof-data, their results complete. Each is logged once, a predictor is
    registered and compared with the champion, and the run is marked FINISHED.

    Example: blockprof resume
    """
    with render.listening(render_training.print_registered) as listener:
        logged = blockprof.resume(listener=listener)
    if not logged:
        render.print_line("nothing to log: all runs of this data folder are in the store")
