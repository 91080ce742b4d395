"""``blockprof store``."""

from typing import TYPE_CHECKING

from blockprof.foundation.lazy import lazy_import

if TYPE_CHECKING:
    from blockprof.cli import render
    from blockprof.tracking import location, moving
else:
    location = lazy_import("blockprof.tracking.location")
    moving = lazy_import("blockprof.tracking.moving")
    render = lazy_import("blockprof.cli.render")


def repair() -> None:
    """Correct the paths of files in a local MLflow store that was moved or copied with its folder.

    Run it in the folder as it is now. All paths are corrected, or none.

    Example: blockprof store repair
    """
    moves = [
        move for uri in dict.fromkeys((location.tracking_uri(), location.registry_uri())) for move in moving.repair(uri)
    ]
    for move in moves:
        render.print_line(f"files of runs: now in {move.found}, were in {move.recorded}")
    if not moves:
        render.print_line("nothing to correct: the files of all runs are where the store says")
