"""What ``plan`` prints."""

from typing import Any

import pandas as pd

from blockprof.cli import render
from blockprof.evaluators.precisions.plan import PrecisionPlan


def print_plan(plan: PrecisionPlan) -> None:
    """Print each piece's precision and difference, what the plan takes beside all fp32 and all int8, and what it leaves
    out.
    """
    measured, space = plan.measured.measured, plan.arch.space
    render.print_line(
        f"{space.title} ({space.name}) at resolution {plan.resolution}, on {measured.device}: fitted to "
        f"{len(plan.measured.plans)} measured plans, each predicted from the others to {plan.costs.mape_percent:.1f} %"
    )
    rows = [
        [str(row["piece"]), str(row["precision"]), _with_half(row, "difference_ms", "+.3f"), _seam(row["seam_ms"])]
        for row in _rows(plan.to_pandas())
    ]
    render.print_table(["piece", "plan", "int8 less fp32 (ms)", "seam before it (ms)"], rows)
    render.print_line("")
    frame = plan.comparison_frame()
    columns = ["plan", "predicted (ms)"] + (["measured (ms)", "error (%)"] if plan.verified else [])
    render.print_table(columns, [_compared(row) for row in _rows(frame)])
    render.print_line("")
    fastest, others = frame["predicted_ms"][0], frame["predicted_ms"][1:]
    if plan.num_seams == 0:
        render.print_line(f"fastest: {plan.words}: no mix is faster")
    else:
        nearest = int(others.argmin())
        half = plan.costs.gain_half_width(plan.plan, plan.compared[1:][nearest])
        gain_percent, half_percent = (100 * each / others.min() for each in (others.min() - fastest, half))
        seams = f"{plan.num_seams} seam{'s' if plan.num_seams > 1 else ''}"
        sure = "" if gain_percent > half_percent else ": more plans would tell whether it is any"
        render.print_line(
            f"fastest: {plan.words} ({seams}), {gain_percent:.1f} ± {half_percent:.1f} % less than all of one "
            f"precision{sure}"
        )
    render.print_line(
        "accuracy is not looked at; the weights are random. Logits correlate with all fp32's to "
        f"{plan.checked.correlation:.3f}"
    )


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _compared(row: dict[str, Any]) -> list[str]:
    cells = [str(row["plan"]), _with_half(row, "predicted_ms", ".3f")]
    return [*cells, f"{row['measured_ms']:.3f}", f"{row['error_percent']:+.1f}"] if "measured_ms" in row else cells


def _with_half(row: dict[str, Any], name: str, form: str) -> str:
    return f"{row[name]:{form}} ± {(row['upper_ms'] - row['lower_ms']) / 2:.3f}"


def _seam(seam_ms: float) -> str:
    return f"{seam_ms:.3f}" if seam_ms else ""
