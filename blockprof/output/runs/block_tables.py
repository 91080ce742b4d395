"""What is logged of a measured block table."""

from collections.abc import Mapping
from dataclasses import asdict

from blockprof.evaluators.device.block_table import BlockTable
from blockprof.output.charts.measurements import sums_chart
from blockprof.output.draw_matplotlib import draw_chart
from blockprof.output.runs.measurements import measured_metrics, measured_tags
from blockprof.tracking import Run


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
    run.log_figure(draw_chart(sums_chart(table)), "figures/whole_networks.png")
    run.log_metrics(block_table_metrics(table, seconds))
