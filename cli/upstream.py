"""BlockProfile's spellings of the spaces: what of its metrics is there, and what differs from what it did."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import blockprof
from blockprof.cli import render
from blockprof.cli.wording import worded
from blockprof.foundation.errors import MetricError
from blockprof.foundation.lazy import lazy_import

if TYPE_CHECKING:
    from blockprof.api import metrics
    from blockprof.api.metrics import Wanted
    from blockprof.evaluators import pooling
    from blockprof.foundation.listener import Listener
    from blockprof.metrics import AccuracySource
    from blockprof.spaces import Space, UpstreamSpace
else:
    metrics = lazy_import("blockprof.api.metrics")
    pooling = lazy_import("blockprof.evaluators.pooling")


def load_those_there(
    theirs: "UpstreamSpace",
    space: "Space",
    names: Sequence[str],
    resolution: int,
    source: "AccuracySource",
    listener: "Listener",
) -> "list[Wanted]":
    """Load those metrics of BlockProfile's that are here; each that is not is named on stderr, with what to do.

    Those that are measured or evaluated are left as names.

    Raises:
        MetricError: none is there.
        DataFileError: one that is damaged.
    """
    wanted: list[Wanted] = []
    refusal: MetricError | None = None
    pooled = pooling.pooled_names(names, source)
    for name in names:
        if name in pooled:
            wanted.append(name)
            continue
        try:
            wanted += blockprof.load_metrics(
                space, [name], resolution=resolution, accuracy_source=source, listener=listener
            )
        except MetricError as error:
            refusal = error
            render.note(f"{theirs.name} had the metric {name} too, which is left out: {worded(error)}")
    if refusal and not wanted:
        raise refusal
    return wanted


def note_differences(
    space: "UpstreamSpace", wanted: "Sequence[Wanted]", source: "AccuracySource", sampler: str, *, is_selection: bool
) -> None:
    """Say on stderr what a profile of the metrics ``wanted`` differs in from BlockProfile's.

    ``is_selection`` where the user asked for all placements or for some.
    """
    names = [metrics.name_of(metric) for metric in wanted]
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
