"""What ``compare`` prints, and learning curves."""

from typing import TYPE_CHECKING

from rich.table import Table

from blockprof.cli import render

if TYPE_CHECKING:
    from blockprof.predictors import LearningCurve


def print_curve(curve: "LearningCurve | None") -> None:
    """Print the error by number of training networks, and how many to measure; nothing where there is no curve."""
    if curve is None:
        return
    render.print_line(f"\nerror by number of training networks, {curve.mape_percent.shape[1]} draws")
    table = Table(show_edge=False, pad_edge=False)
    for column in ("networks", "MAPE %", "lowest", "highest", "in 90 % intervals"):
        table.add_column(column, justify="right", no_wrap=True)
    for size, step in curve.steps().items():
        values = (step[f"learning_curve.{name}"] for name in ("mape_percent", "mape_percent_min", "mape_percent_max"))
        table.add_row(
            f"{size:,}", *(f"{value:.2f}" for value in values), f"{step['learning_curve.coverage_percent']:.1f}"
        )
    render.out.print(table)
    render.print_line(curve.advice())
