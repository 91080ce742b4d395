"""Charts of measurements: networks by latency, how the machine's speed drifted, and what a block table sums to."""

import numpy as np

from blockprof.evaluators.device.block_table import BlockTable
from blockprof.evaluators.device.campaign import CampaignResult
from blockprof.evaluators.device.measurement import NOISY_PERCENT
from blockprof.output.charts.specs import Axis, Chart, Layer, Line, Panel, Points, Ranges


def latencies_chart(result: CampaignResult) -> Chart:
    """The networks by latency, each with its raw times' quartiles, and the anchor's latency over time."""
    data, measured = result.data, result.measured
    repeats = "" if measured.spec.rounds == 1 else f", rounds repeat to {measured.repeatability_percent:.2f} %"
    machine = result.campaign.environment.machine
    return Chart(
        f"{data.space.title} ({data.space.name}): {len(data)} networks measured{repeats}",
        (_networks_panel(result), _drift_panel(result)),
        size=(10.5, 4.8),
        caption=(
            f"{machine.cpu}. {measured.spec.target}, version {machine.version}. "
            f"Resolution {', '.join(map(str, np.unique(data.resolutions)))}."
        ),
    )


def _networks_panel(result: CampaignResult) -> Panel:
    measurements = sorted(result.measured.measurements, key=lambda each: each.corrected_ms)
    places = np.arange(1, len(measurements) + 1, dtype=float)
    quartiles = np.array([np.quantile(each.times_ms, (0.25, 0.75)) for each in measurements])
    bounds = np.array([each.interval_ms for each in measurements])
    latencies = np.array([each.corrected_ms for each in measurements])
    noisy = np.array([each.is_noisy for each in measurements])
    layers: list[Layer] = [
        Ranges(places, quartiles[:, 0], quartiles[:, 1], name="raw times, middle half", pale=True, thick=True),
        Points(places, latencies, name="median, waiting and drift taken out", size="small"),
        Ranges(places, bounds[:, 0], bounds[:, 1], name="its 95 % interval"),
    ]
    if noisy.any():
        name = f"noisy (middle half over {NOISY_PERCENT:.0f} %)"
        layers.append(Points(places[noisy], latencies[noisy], "alarm", name, size="small"))
    return Panel(
        Axis("networks, quickest first", is_whole=True), Axis("latency (ms)"), tuple(layers), legend="upper left"
    )


def _drift_panel(result: CampaignResult) -> Panel:
    drift = result.measured.drift
    seconds = drift.times_s - drift.times_s[0]
    usual_ms = float(np.median(drift.medians_ms / drift.factors))
    return Panel(
        Axis("seconds since the first visit"),
        Axis("latency (ms)"),
        (
            Points(seconds, drift.medians_ms, name="the same network, a visit", size="small"),
            Line(seconds, usual_ms * drift.factors, "alarm", "drift, divided out of all times"),
        ),
        title=f"drift {drift.percent:.1f} %",
        legend="inside",
    )


def sums_chart(table: BlockTable) -> Chart:
    """The whole networks: sums of their pieces, raw and scaled, against what was measured."""
    raw, scaled = table.raw_scores, table.scaled_scores
    measured_ms = table.network_ms
    ends = np.array([measured_ms.min(), measured_ms.max()])
    scaled_name = f"times {table.costs.scale:.3f}: MAPE {scaled.mape_percent:.1f} % (each by the others' factor)"
    panel = Panel(
        Axis("whole network, measured (ms)"),
        Axis("from the block table (ms)"),
        (
            Line(ends, ends, "rule", "equal"),
            Points(
                measured_ms, table.sums_ms, "other", f"sum of pieces: MAPE {raw.mape_percent:.1f} %", hollow=True,
                size="large",
            ),
            Points(measured_ms, table.scaled_ms, name=scaled_name, size="large"),
        ),
        title=(
            f"{table.space.title} ({table.space.name}) at resolution {table.resolution}: {len(measured_ms)} networks, "
            f"Spearman {raw.spearman:.3f}"
        ),
        legend="inside",
    )  # fmt: skip
    return Chart(
        "",
        (panel,),
        size=(6.4, 5.2),
        caption=f"Measured on {table.costs.device}, version {table.costs.version}",
    )
