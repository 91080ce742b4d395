"""Networks to measure, as ``measure`` and ``export networks`` are asked for them."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from blockprof.cli import options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from blockprof.foundation.arrays import IntArray
    from blockprof.spaces import Architectures, Space

NUM_NETS = 50
DESIGN = "d-optimal"
RESOLUTION = 224
_PIXELS = re.compile(r"[0-9]{1,6}")


def _complete_design(incomplete: str) -> list[str]:
    from blockprof.predictors.design import DESIGNS

    return [name for name in DESIGNS if name.startswith(incomplete)]


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
    from blockprof.foundation.errors import InputError
    from blockprof.spaces.resolution import check_resolution

    if values is None:
        return None
    texts = options.split_names(values)
    if not texts:
        raise InputError("--resolution is empty: give at least one, such as 224")
    for text in texts:
        if not _PIXELS.fullmatch(text):
            raise InputError(f"--resolution '{text}': give pixels, such as 224, or several joined with commas")
        check_resolution(space, int(text))
    return list(dict.fromkeys(map(int, texts)))


def refuse_beside(reason: str, given: dict[str, object]) -> None:
    """Refuse options that choose networks.

    Raises:
        InputError: one of them was given.
    """
    from blockprof.foundation.errors import InputError

    for option, value in given.items():
        if value is not None:
            raise InputError(f"{option} chooses networks, and {reason}: leave one out")


def choose(
    space: "Space",
    num_nets: int | None,
    design: str | None,
    nets: Path | None,
    resolutions: "Sequence[int] | None",
    seed: int,
    there: "Sequence[int]" = (),
) -> "tuple[Architectures, IntArray, dict[str, object]]":
    """Read the networks of the file ``nets``, else choose them; each option None where it was not given.

    They are chosen as for a measurement of ``there`` networks, at first and then extended.

    Returns:
        N networks, (N,) resolutions, and what a run logs of where they come from.

    Raises:
        InputError: options that exclude each other, no such design, or more networks than the space has.
        DataFileError: the file cannot be read, or does not hold networks of the space.
    """
    if nets is not None:
        from blockprof.evaluators.device.net_files import read_networks

        refuse_beside("--nets gives the networks", {"--num-nets": num_nets, "--design": design})
        return *read_networks(nets, space, resolutions), {"nets": nets}
    import numpy as np

    from blockprof.cli import render
    from blockprof.predictors.design import check_design, choose_networks

    method, count = check_design(design or DESIGN), num_nets or NUM_NETS
    rng, before, sizes = np.random.default_rng(seed), None, resolutions or [RESOLUTION]
    with render.working("choosing networks"):
        for size in (size for size in there if size < count):
            before = choose_networks(space, size, sizes, rng, design=method, chosen=before)
        archs, at = choose_networks(space, count, sizes, rng, design=method, chosen=before)
    return archs, at, {"design": method}
