"""What is logged of a measurement: the one place that says which params, metrics and files its run has."""

import json
from dataclasses import asdict

import numpy as np

from blockprof.evaluators.device.campaign import CampaignResult
from blockprof.evaluators.device.results import MeasuredNetworks
from blockprof.output.charts.measurements import latencies_chart
from blockprof.output.draw_matplotlib import draw_chart
from blockprof.tracking import Run


def measured_tags(measured: MeasuredNetworks) -> dict[str, str]:
    """The tags of any run that measured: what the latencies are of."""
    machine = measured.environments[-1].machine
    return {
        "blockprof.data_origin": "measured",
        "blockprof.device": measured.device,
        "blockprof.cpu": machine.cpu,
        "blockprof.runtime": measured.spec.runtime,
        "blockprof.precision": measured.spec.precision,
        f"version.{measured.spec.runtime}": machine.version,
    }


def measured_metrics(measured: MeasuredNetworks, seconds: float) -> dict[str, float]:
    """The metrics of any run that measured for so long: how well it did; repeatability needs more than one round."""
    values = {"num_noisy": measured.num_noisy, "drift_percent": measured.drift.percent, "seconds": seconds}
    if measured.spec.rounds > 1:
        values["repeatability_percent"] = measured.repeatability_percent
    return values


def measurement_params(result: CampaignResult) -> dict[str, object]:
    """The params of a measurement's run, apart from how the networks were chosen."""
    settings = asdict(result.measured.spec)
    return {
        **settings,
        "num_nets": len(result.data),
        "num_nets_kept": result.campaign.num_nets_kept,
        "resolution": ",".join(map(str, np.unique(result.data.resolutions))),
    }


def measurement_metrics(result: CampaignResult) -> dict[str, float]:
    """The metrics of a measurement's run; those that one round, or a record found finished, has not are left out."""
    measured = result.measured
    values = {
        **measured_metrics(measured, result.seconds),
        "median_ms": float(np.median(result.data.latencies_ms)),
        "median_iqr_percent": float(np.median([each.iqr_percent for each in measured.measurements])),
        "median_waiting_percent": float(np.median([each.waiting_percent for each in measured.measurements])),
    }
    if result.agreement:
        values |= {f"logits.{name}": value for name, value in asdict(result.agreement).items()}
    if result.networks_per_minute:
        values["networks_per_minute"] = result.networks_per_minute
    return values


def record_measurement(run: Run, result: CampaignResult, params: dict[str, object]) -> None:
    """Log a measurement: params, tags, metrics, the latencies, ``measurements.csv`` (a row a network),
    ``raw_times.csv`` (a row a run), ``drift.csv``, ``environment.json`` (an entry a process), a figure.
    """
    measured, data, path = result.measured, result.data, result.campaign.files.latencies
    run.log_params({**measurement_params(result), **params})
    run.describe(
        f"**{len(data):,} networks of {data.space.name}** measured by {measured.spec.runtime} "
        f"({measured.spec.precision}): {float(np.median(data.latencies_ms)):.4g} ms (median), "
        f"{data.latencies_ms.min():.4g} to {data.latencies_ms.max():.4g} ms."
    )
    run.log_tags({**measured_tags(measured), "blockprof.governor": result.governor})
    run.log_dataset(data.to_frame(), source=str(path), name=path.name, digest=data.digest, context="measured")
    run.log_text(path.read_text(encoding="utf-8"), path.name)
    run.log_frame(result.record_frame(), "measurements.csv")
    run.log_frame(measured.raw_frame(), "raw_times.csv")
    run.log_frame(measured.drift_frame(), "drift.csv")
    run.log_text(json.dumps([asdict(each) for each in measured.environments], indent=2) + "\n", "environment.json")
    run.log_figure(draw_chart(latencies_chart(result)), "figures/measurements.png")
    run.log_metrics(measurement_metrics(result))
