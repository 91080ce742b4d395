"""Options for running networks in the supernet, as the commands that may do so read them."""

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from blockprof.cli import options
from blockprof.foundation.errors import InputError
from blockprof.foundation.lazy import lazy_import

if TYPE_CHECKING:
    from blockprof import metrics
    from blockprof.cli import render
    from blockprof.evaluators import pooling
    from blockprof.evaluators.pooling import SupernetSpec
    from blockprof.metrics import AccuracySource
else:
    metrics = lazy_import("blockprof.metrics")
    pooling = lazy_import("blockprof.evaluators.pooling")
    render = lazy_import("blockprof.cli.render")


def read_options(
    names: Collection[str],
    accuracy_source: str | None,
    data: Path | None,
    fast: bool,
    device: str | None,
    batch_size: int | None,
    workers: int | None,
    strict: bool,
) -> "tuple[AccuracySource, SupernetSpec | None]":
    """Where the metric accuracy comes from, and how networks run in the supernet, if it is among ``names`` and does.

    Options that nothing uses then are named on stderr.

    Raises:
        InputError: no such source or device, or a source where accuracy is not among ``names``.
    """
    options.check_device(device)
    source = metrics.choose_accuracy_source(accuracy_source, has_images=data is not None or fast)
    if accuracy_source is not None and metrics.ACCURACY not in names:
        raise InputError(
            f"--accuracy-source is for the metric {metrics.ACCURACY}: ask for it too, or leave the option out"
        )
    if metrics.ACCURACY in names and source == "supernet":
        return source, pooling.SupernetSpec(data, device or "cpu", batch_size or 100, workers or 0, fast, strict)
    given = {
        "--data": data is not None,
        "--fast": fast,
        "--device": device is not None,
        "--batch-size": batch_size is not None,
        "--workers": workers is not None,
        "--strict": strict,
    }
    if unused := [option for option, is_given in given.items() if is_given]:
        are = "is" if len(unused) == 1 else "are"
        render.note(f"{', '.join(unused)} {are} not used: none of these metrics runs networks")
    return source, None
