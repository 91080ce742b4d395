"""``blockprof space``."""

from typing import TYPE_CHECKING, Annotated

import typer

from blockprof.foundation.lazy import lazy_import

if TYPE_CHECKING:
    from blockprof.api import describing
    from blockprof.cli import render_space
else:
    describing = lazy_import("blockprof.api.describing")
    render_space = lazy_import("blockprof.cli.render_space")


def check(
    space: Annotated[str, typer.Argument(metavar="FILE", help="A space's YAML file, or the name of a space.")],
) -> None:
    """Check a space's file: build each of its blocks, show its units, and count its networks.

    Example: blockprof space check my_space.yaml
    """
    render_space.print_space(describing.check_space(space))
