"""The chart of a reduction: which blocks are kept at each layer."""

from blockprof.output.charts.specs import Axis, Chart, Panel, Points
from blockprof.reduction import Reduction


def kept_chart(reduction: Reduction) -> Chart:
    """Each block at each layer: kept or left out; a layer that no depth reaches keeps none."""
    frame = reduction.to_pandas()
    places = list(dict.fromkeys(frame["placement"].str.rsplit(".", n=1).str[0]))
    blocks = [block.name for block in reduction.space.blocks]
    x = frame["placement"].str.rsplit(".", n=1).str[0].map(places.index).to_numpy(dtype=float)
    y = frame["block"].map(blocks.index).to_numpy(dtype=float)
    kept = frame["kept"].to_numpy(dtype=bool)
    panel = Panel(
        Axis("layer", tuple((float(index), name) for index, name in enumerate(places))),
        Axis("block", tuple((float(index), name) for index, name in enumerate(blocks))),
        (
            Points(x[~kept], y[~kept], "other", "left out", hollow=True),
            Points(x[kept], y[kept], name="kept", size="large"),
        ),
        legend="beside",
    )
    left = reduction.num_networks
    title = f"{reduction.name} of {reduction.space.title} ({reduction.space.name}): {left:.3g} networks are left"
    size = (max(6.0, 0.45 * len(places)), max(3.5, 0.28 * len(blocks)))
    return Chart(title, (panel,), size)
