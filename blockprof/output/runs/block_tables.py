"""What is logged of a measured block table, and its figure."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from blockprof.evaluators.device.block_table import BlockTable
from blockprof.output.charts.profile_figures import GREY
from blockprof.output.runs.measurements import measured_metrics, measured_tags
from blockprof.tracking import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def block_table_metrics(table: BlockTable, seconds: float) -> dict[str, float]:
    """The metrics of a block table's run: how well its sums predict, raw and scaled, and how well it was measured."""
    return {
        **measured_metrics(table.measured, seconds),
        **{f"sums.{name}": value for name, value in asdict(table.raw_scores).items()},
        **{f"scaled_sums.{name}": value for name, value in asdict(table.scaled_scores).items()},
        "scale": table.costs.scale,
    }


def record_block_table(run: Run, table: BlockTable, params: Mapping[str, object], seconds: float) -> None:
    """Log a block table: params, tags, metrics, ``block_table.csv``, ``whole_networks.csv``, ``raw_times.csv`` (a row a
    run), a figure.

    Args:
        run: the run to log to.
        table: the table.
        params: further params, such as the metric's name.
        seconds: that measuring took.
    """
    run.log_params(
        {
            **params,
            **asdict(table.measured.spec),
            "resolution": table.resolution,
            "num_pieces": len(table.pieces),
            "num_whole": len(table.networks),
        }
    )
    run.log_tags(measured_tags(table.measured))
    run.log_frame(table.to_frame(), "block_table.csv")
    run.log_frame(table.whole_frame(), "whole_networks.csv")
    run.log_frame(table.measured.raw_frame(), "raw_times.csv")
    run.log_figure(sums_against_measured(table), "figures/whole_networks.png")
    run.log_metrics(block_table_metrics(table, seconds))


def sums_against_measured(table: BlockTable) -> "Figure":
    """Draw the whole networks: sums of their pieces, raw and scaled, against what was measured."""
    from matplotlib.figure import Figure

    raw, scaled = table.raw_scores, table.scaled_scores
    figure = Figure(figsize=(6.4, 5.2), layout="constrained", dpi=110)
    axes = figure.add_subplot()
    measured_ms = table.network_ms
    ends = [measured_ms.min(), measured_ms.max()]
    axes.plot(ends, ends, color=GREY, linewidth=0.8, label="equal")
    axes.scatter(
        measured_ms, table.sums_ms, s=22, facecolors="none", edgecolors="#e69f00",
        label=f"sum of pieces: MAPE {raw.mape_percent:.1f} %",
    )  # fmt: skip
    axes.scatter(
        measured_ms, table.scaled_ms, s=22, color="#1f77b4",
        label=f"times {table.costs.scale:.3f}: MAPE {scaled.mape_percent:.1f} % (each by the others' factor)",
    )  # fmt: skip
    axes.set_xlabel("whole network, measured (ms)")
    axes.set_ylabel("from the block table (ms)")
    axes.set_title(
        f"{table.space.title} ({table.space.name}) at resolution {table.resolution}: {len(measured_ms)} networks, "
        f"Spearman {raw.spearman:.3f}",
        fontsize=10,
    )
    axes.legend(frameon=False, fontsize=8)
    figure.supxlabel(f"Measured on {table.costs.device}, version {table.costs.onnxruntime}", fontsize=8, color=GREY)
    return figure
