"""``blockprof cache-imagenet``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import blockprof
from blockprof.cli import options
from blockprof.foundation.lazy import lazy_import

if TYPE_CHECKING:
    from blockprof.cli import render
    from blockprof.evaluators.supernet.cache import WrittenCache
else:
    render = lazy_import("blockprof.cli.render")


def cache_imagenet(
    data: Annotated[
        Path,
        typer.Option(
            "--data",
            metavar="FOLDER",
            help="ImageNet folder: train and val, with one folder per class.",
            show_default=False,
        ),
    ],
    resolution: options.ResolutionOption = 224,
    workers: Annotated[
        int,
        typer.Option("--workers", metavar="N", min=0, help="Extra processes that decode images."),
    ] = 0,
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at an image that cannot be decoded, instead of skipping it.")
    ] = False,
    seed: options.SeedOption = 0,
) -> None:
    """Decode and crop ImageNet's images once, for profile --fast.

    Writes the validation images and the 2,000 training images that batch normalisation is recalibrated with as one
    array of pixels (7.8 GB at 224), with a JSON of facts beside it. The accuracies are those of the folder itself.

    They are in the folder imagenet of ./blockprof-data, or of the data folder that BLOCKPROF_DATA names.

    Example: blockprof cache-imagenet --data /data/imagenet --resolution 224
    """
    with render.listening(_show) as listener:
        blockprof.cache_imagenet(
            data, resolution=resolution, workers=workers, strict=strict, seed=seed, listener=listener
        )


def _show(cache: "WrittenCache") -> None:
    """Print which files were written, and what they hold."""
    render.print_paths(cache.paths)
    facts = cache.facts
    render.print_line(
        f"{len(facts.labels):,} validation images of {facts.num_classes:,} classes, {facts.num_recalibrated:,} to "
        f"recalibrate with, at {facts.resolution}"
    )
    if facts.undecodable:
        render.note(f"images left out that do not decode: {len(facts.undecodable):,}; {cache.paths[1]} names them")
