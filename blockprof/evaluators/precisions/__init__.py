"""Mixed precision for speed: which pieces of one network are best computed in fp32, and which in int8."""

from blockprof.evaluators.precisions.costs import Costs, PlanDesign, draw_plans, fit_costs, piece_sizes
from blockprof.evaluators.precisions.measuring import (
    MIN_PLANS,
    NUM_PLANS,
    Checked,
    MeasuredPlans,
    check_plan,
    compose_plan,
    measure_plans,
    plan_journal,
    verify_plans,
)
from blockprof.evaluators.precisions.plan import FP32, INT8, PRECISIONS, PrecisionPlan

__all__ = [
    "FP32",
    "INT8",
    "MIN_PLANS",
    "NUM_PLANS",
    "PRECISIONS",
    "Checked",
    "Costs",
    "MeasuredPlans",
    "PlanDesign",
    "PrecisionPlan",
    "check_plan",
    "compose_plan",
    "draw_plans",
    "fit_costs",
    "measure_plans",
    "piece_sizes",
    "plan_journal",
    "verify_plans",
]
