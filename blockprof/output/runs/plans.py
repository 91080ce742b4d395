"""What is logged of a precision plan."""

from dataclasses import asdict

from blockprof.evaluators.precisions.plan import PrecisionPlan
from blockprof.output.charts.plans import plan_chart
from blockprof.output.draw_matplotlib import draw_chart
from blockprof.output.runs.measurements import measured_metrics, measured_tags
from blockprof.tracking import Run


def plan_metrics(plan: PrecisionPlan) -> dict[str, float]:
    """The metrics of a plan's run: what it takes, as predicted and measured, and how well other plans are predicted."""
    frame = plan.comparison_frame()
    names = ("fastest", "all_fp32", "all_int8")
    values = {
        f"{name}.{column}": float(value)
        for column in frame.columns[1:]
        for name, value in zip(names, frame[column], strict=True)
    }
    measured = measured_metrics(plan.measured.measured, plan.seconds)
    return {
        **values,
        **measured,
        "plans.mape_percent": plan.costs.mape_percent,
        "seams": plan.num_seams,
        "logits.correlation": plan.checked.correlation,
    }


def record_plan(run: Run, plan: PrecisionPlan) -> None:
    """Log a plan: params, tags, metrics, ``plan.csv``, ``comparison.csv``, ``plans.csv`` (those measured), a figure."""
    measured = plan.measured.measured
    run.log_params(
        {
            **asdict(measured.spec),
            "net": plan.arch.to_strings()[0],
            "resolution": plan.resolution,
            "num_plans": len(plan.measured.plans),
            "plan": plan.words,
        }
    )
    run.log_tags(measured_tags(measured) | {"blockprof.precision": "fp32 and int8"})
    run.log_frame(plan.to_pandas(), "plan.csv")
    run.log_frame(plan.comparison_frame(), "comparison.csv")
    run.log_frame(measured.to_frame(), "plans.csv")
    run.log_figure(draw_chart(plan_chart(plan)), "figures/plan.png")
    run.log_metrics(plan_metrics(plan))
