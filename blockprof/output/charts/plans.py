"""The chart of a precision plan along its network."""

import numpy as np

from blockprof.evaluators.precisions.plan import FP32, INT8, PRECISIONS, PrecisionPlan
from blockprof.output.charts.specs import Axis, Chart, Layer, Panel, Ranges, Rule, Tone


def plan_chart(plan: PrecisionPlan) -> Chart:
    """What int8 gains (below 0) or loses of each piece, with its interval, and which precision the plan gives it."""
    frame, measured = plan.to_pandas(), plan.measured.measured
    places = np.arange(1, len(frame) + 1, dtype=float)
    difference, lower, upper = (frame[name].to_numpy() for name in ("difference_ms", "lower_ms", "upper_ms"))
    layers: list[Layer] = [Rule(0.0)]
    tones: tuple[tuple[int, Tone], ...] = ((INT8, "main"), (FP32, "other"))
    for precision, tone in tones:
        chosen = plan.plan == precision
        if chosen.any():
            ends = np.minimum(difference[chosen], 0.0), np.maximum(difference[chosen], 0.0)
            layers.append(Ranges(places[chosen], *ends, tone, f"{PRECISIONS[precision]} in the plan", thick=True))
    layers.append(Ranges(places, lower, upper, "rule", "95 % interval"))
    layers += [Rule(at + 1.5, axis="x", is_limit=True) for at in np.flatnonzero(np.diff(plan.plan)).tolist()]
    ticks = tuple((place, piece) for place, piece in zip(places.tolist(), plan.pieces, strict=True))
    fastest, fp32, int8 = plan.comparison_frame()["predicted_ms"]
    machine = measured.environments[-1].machine
    return Chart(
        f"{plan.arch.space.title} ({plan.arch.space.name}): {fastest:.3g} ms mixed, {int8:.3g} all int8, "
        f"{fp32:.3g} all fp32",
        (
            Panel(
                Axis("piece of the network", ticks),
                Axis("int8 less fp32 (ms)"),
                tuple(layers),
                legend="inside",
            ),
        ),
        size=(11, 4.8),
        caption=(
            f"{machine.cpu}. {measured.spec.target}, version {machine.version}, resolution {plan.resolution}. Fitted "
            f"to {len(plan.measured.plans)} measured plans; dashed lines are seams. Accuracy is not looked at."
        ),
    )
