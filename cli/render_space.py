"""A design space as a table."""

from rich.table import Table

from blockprof.api.describing import SpaceSummary
from blockprof.cli.render import out, print_line


def print_space(summary: SpaceSummary) -> None:
    """Print a space's units as a table, its blocks, and how many networks there are of these."""
    space = summary.space
    table = Table(title=f"{space.name}: {space.title}", title_justify="left")
    for name in ("unit", "channels", "stride", "layers"):
        table.add_column(name)
    table.add_row("stem", _joined(space.stem.out_channels), str(1 << space.stem.halvings), "")
    for number, unit in enumerate(space.units, start=1):
        table.add_row(str(number), _joined(unit.widths), str(unit.stride), _joined(unit.depths))
    out.print_table(table)
    print_line(f"blocks: {', '.join(block.name for block in space.blocks)}")
    if space.num_widths > 1:
        print_line(f"all layers of a unit share one of {', '.join(space.width_names)}")
    sizes = space.resolutions
    print_line(
        f"{summary.num_networks:.4g} networks of {len(space.instances)} block instances at {space.num_slots} layers; "
        f"resolutions {sizes[0]} to {sizes[-1]} in steps of {sizes.step}",
    )
    if space.layers is not None:
        print_line("every block was built and gives the shape that its place has")
    print_line(f"next: blockprof measure --space {summary.given}")


def _joined(values: tuple[int, ...]) -> str:
    return ", ".join(map(str, dict.fromkeys(values)))
