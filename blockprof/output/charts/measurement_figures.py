"""The figure of a measurement: the latencies, and how the machine's speed drifted."""

from typing import TYPE_CHECKING

import numpy as np

from blockprof.evaluators.device.campaign import CampaignResult
from blockprof.evaluators.device.measurement import NOISY_PERCENT
from blockprof.output.charts.profile_figures import GREY

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, PALE_BLUE, RED = "#1f77b4", "#b8d4ea", "#d62728"


def measured_latencies(result: CampaignResult) -> "Figure":
    """Draw the networks by latency, each with its raw times' quartiles, and the anchor's latency over time."""
    from matplotlib.figure import Figure

    data, measured = result.data, result.measured
    figure = Figure(figsize=(10.5, 4.8), layout="constrained", dpi=110)
    left, right = figure.subplots(1, 2)
    _draw_networks(left, result)
    _draw_drift(right, result)
    repeats = "" if measured.spec.rounds == 1 else f", rounds repeat to {measured.repeatability_percent:.2f} %"
    figure.suptitle(f"{data.space.title} ({data.space.name}): {len(data)} networks measured{repeats}")
    machine = result.campaign.environment.machine
    figure.supxlabel(
        f"{machine.cpu}. ONNX Runtime {machine.onnxruntime}, {measured.spec.provider}, threads: "
        f"{measured.spec.threads}. Resolution {', '.join(map(str, np.unique(data.resolutions)))}.",
        fontsize=8,
        color=GREY,
    )
    return figure


def _draw_networks(axes: "Axes", result: CampaignResult) -> None:
    from matplotlib.ticker import MaxNLocator

    measurements = sorted(result.measured.measurements, key=lambda each: each.corrected_ms)
    places = np.arange(1, len(measurements) + 1)
    quartiles = np.array([np.quantile(each.times_ms, (0.25, 0.75)) for each in measurements])
    bounds = np.array([each.interval_ms for each in measurements])
    latencies = np.array([each.corrected_ms for each in measurements])
    noisy = np.array([each.is_noisy for each in measurements])
    axes.vlines(places, *quartiles.T, color=PALE_BLUE, linewidth=4, label="raw times, middle half")
    axes.plot(places, latencies, "o", color=BLUE, markersize=3, label="median, waiting and drift taken out")
    axes.vlines(places, *bounds.T, color=BLUE, linewidth=1.2, label="its 95 % interval")
    if noisy.any():
        label = f"noisy (middle half over {NOISY_PERCENT:.0f} %)"
        axes.plot(places[noisy], latencies[noisy], "o", color=RED, markersize=3, label=label)
    axes.set_xlabel("networks, quickest first")
    axes.set_ylabel("latency (ms)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False, fontsize=8, loc="upper left")
    axes.grid(axis="y", linewidth=0.4)


def _draw_drift(axes: "Axes", result: CampaignResult) -> None:
    drift = result.measured.drift
    seconds = drift.times_s - drift.times_s[0]
    axes.plot(seconds, drift.anchor_ms, "o", color=BLUE, markersize=3, label="the same network, a visit")
    usual_ms = float(np.median(drift.anchor_ms / drift.factors))
    axes.plot(seconds, usual_ms * drift.factors, color=RED, linewidth=1.2, label="drift, divided out of all times")
    axes.set_xlabel("seconds since the first visit")
    axes.set_ylabel("latency (ms)")
    axes.set_title(f"drift {drift.percent:.1f} %", fontsize=10)
    axes.legend(frameon=False, fontsize=8)
    axes.grid(axis="y", linewidth=0.4)
