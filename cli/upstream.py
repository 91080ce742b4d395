"""BlockProfile's spellings of the spaces: what of its metrics is there, and what differs from what it did."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from blockprof.cli import render
from blockprof.cli.wording import worded

if TYPE_CHECKING:
    from blockprof.metrics import AccuracySource, Metric
    from blockprof.spaces import UpstreamSpace

Load = Callable[[Sequence[str]], "tuple[Metric, ...]"]


def load_those_there(space: "UpstreamSpace", names: Sequence[str], load: Load) -> "tuple[Metric, ...]":
    """Load those metrics of BlockProfile's that are here; each that is not is named on stderr, with what to do.

    Raises:
        MetricError: none is.
        DataFileError: one that is damaged.
    """
    from blockprof.foundation.errors import MetricError

    loaded: list[Metric] = []
    refusal: MetricError | None = None
    for name in names:
        try:
            loaded.extend(load([name]))
        except MetricError as error:
            refusal = error
            render.note(f"{space.name} had the metric {name} too, which is left out: {worded(error)}")
    if refusal and not loaded:
        raise refusal
    return tuple(loaded)


def note_differences(
    space: "UpstreamSpace", names: Sequence[str], source: "AccuracySource", sampler: str, *, is_selection: bool
) -> None:
    """Say on stderr what a profile of ``names`` differs in from BlockProfile's.

    ``is_selection`` where the user asked for all placements or for some.
    """
    if "accuracy" in names and source == "reference":
        instead = {
            "supernet": f"{space.name} evaluated networks in the supernet: give --data, ImageNet's folder",
            "own": f"{space.name} had a predictor of its own, which is not read here",
            "ofa-predictor": "",  # asked for the table by name
        }[space.accuracy]
        if instead:
            render.note(f"accuracy is that of the built-in table; {instead}")
    if "flops" in names and space.has_own_flops:
        render.note(
            f"flops are twice the networks' own multiply-adds; {space.name}'s FLOPS were the multiply-adds of a table "
            "with other widths"
        )
    if sampler == "paper":
        render.note(f"the sampler is the paper's; {space.name} drew networks as --sampler upstream does")
    if not is_selection:
        render.note("all placements are profiled; BlockProfile drew random networks only without --all and --blocks")
