"""``blockprof store``."""

from typing import TYPE_CHECKING

import blockprof
from blockprof.foundation.lazy import lazy_import

if TYPE_CHECKING:
    from blockprof.cli import render
    from blockprof.tracking.moving import Move
else:
    render = lazy_import("blockprof.cli.render")


def repair() -> None:
    """Correct the paths of files in a local MLflow store that was moved or copied with its folder.

    Run it in the folder as it is now. All paths are corrected, or none.

    Example: blockprof store repair
    """
    with render.listening(_show) as listener:
        blockprof.repair_store(listener=listener)


def _show(moves: "list[Move]") -> None:
    """Print where the files of runs were, and where they are."""
    for move in moves:
        render.print_line(f"files of runs: now in {move.found}, were in {move.recorded}")
    if not moves:
        render.print_line("nothing to correct: the files of all runs are where the store says")
