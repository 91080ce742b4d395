"""Networks to measure, as ``measure`` and ``export networks`` are asked for them."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from blockprof.api.defaults import DESIGN, RESOLUTION
from blockprof.cli import options
from blockprof.foundation.errors import InputError
from blockprof.foundation.lazy import lazy_import

if TYPE_CHECKING:
    from blockprof.predictors import design
    from blockprof.spaces import Space, resolution
else:
    design = lazy_import("blockprof.predictors.design")
    resolution = lazy_import("blockprof.spaces.resolution")

_PIXELS = re.compile(r"[0-9]{1,6}")


def _complete_design(incomplete: str) -> list[str]:
    return [name for name in design.DESIGNS if name.startswith(incomplete)]


DesignOption = Annotated[
    str | None,
    typer.Option(
        "--design",
        metavar="NAME",
        help="d-optimal: the networks that teach a predictor most; random: random ones.",
        show_default=DESIGN,
        autocompletion=_complete_design,
    ),
]
NetsOption = Annotated[
    Path | None,
    typer.Option(
        "--nets",
        metavar="FILE",
        help="The networks of a CSV, a list with a net string a line, or OFA's settings as JSON, in place of chosen "
        "ones.",
        show_default=False,
    ),
]
ResolutionsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--resolution",
        metavar="PIXELS",
        help="Input resolutions, repeated or joined with commas.",
        show_default=f"{RESOLUTION}",
    ),
]


def parse_resolutions(values: list[str] | None, space: "Space") -> list[int] | None:
    """Read what ``--resolution`` says, each once; None where it was not given.

    Raises:
        InputError: no resolution, or what is no number.
        MetricError: one that the space cannot take.
    """
    if values is None:
        return None
    texts = options.split_names(values)
    if not texts:
        raise InputError("--resolution is empty: give at least one, such as 224")
    for text in texts:
        if not _PIXELS.fullmatch(text):
            raise InputError(f"--resolution '{text}': give pixels, such as 224, or several joined with commas")
        resolution.check_resolution(space, int(text))
    return list(dict.fromkeys(map(int, texts)))
