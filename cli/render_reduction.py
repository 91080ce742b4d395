"""What ``reduce`` prints."""

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from blockprof.cli.render import out, print_line, print_paths
from blockprof.reduction import Reduction

if TYPE_CHECKING:
    from blockprof.api.reducing import Reduced
    from blockprof.output.runs.reductions import LoggedProfile


def show(result: "Reduced") -> None:
    """Print a reduction, and where it is."""
    print_reduction(result.reduction, result.profile)
    print_paths([result.path])


def print_reduction(reduction: Reduction, profile: "LoggedProfile") -> None:
    """Print what a reduction derived from a profile keeps, what it leaves out and why, and how much is left."""
    origins = ", ".join(f"{metric}: {origin}" for metric, origin in profile.origins.items())
    space = reduction.space
    print_line(Text(f"reduction of {space.name} from the profile {profile.run.name} ({origins})", style="bold"))
    print_line("")
    out.print_table(_kept(reduction))
    print_line("")
    out.print_table(_left_out(reduction))
    print_line("")
    left, whole = reduction.num_networks, Reduction.whole(space).num_networks
    print_line(f"{_many(left)} of {_many(whole)} networks are left" if left < whole else "nothing is left out")


def _many(number: int) -> str:
    return f"{number:,}" if number < 10**6 else f"{number:.2g}"


def _kept(reduction: Reduction) -> Table:
    space, table = reduction.space, Table(show_edge=False, pad_edge=False)
    for column in ("layer", "number of layers", "blocks kept"):
        table.add_column(column, overflow="fold")
    kinds = reduction.kinds.reshape(reduction.blocks.shape)
    for unit, (slots, depths) in enumerate(zip(space.unit_slots, reduction.depths, strict=True), start=1):
        for layer, kept in enumerate(kinds[slots][: max(depths)], start=1):
            names = [block.name for block, stays in zip(space.blocks, kept, strict=True) if stays]
            number = " or ".join(map(str, depths)) if layer == 1 else ""
            table.add_row(f"u{unit}.l{layer}", number, " ".join(names) if len(names) < len(kept) else "all")
    return table


def _left_out(reduction: Reduction) -> Table:
    table = Table(show_edge=False, pad_edge=False)
    table.add_column("left out", overflow="fold", ratio=1)
    table.add_column("why", overflow="fold", ratio=2)
    for reason in reduction.reasons:
        what, _, why = reason.partition(": ")
        table.add_row(what, why)
    return table
