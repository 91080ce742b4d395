"""``blockprof store``."""


def repair() -> None:
    """Correct the paths of files in a local MLflow store that was moved or copied with its folder.

    Run it in the folder as it is now. All paths are corrected, or none.

    Example: blockprof store repair
    """
    from blockprof.cli import render
    from blockprof.tracking.location import registry_uri, tracking_uri
    from blockprof.tracking.moving import repair as correct

    moves = [move for uri in dict.fromkeys((tracking_uri(), registry_uri())) for move in correct(uri)]
    for move in moves:
        render.print_line(f"files of runs: now in {move.found}, were in {move.recorded}")
    if not moves:
        render.print_line("nothing to correct: the files of all runs are where the store says")
