"""What ``measure`` prints: results on stdout; progress and what the user should know on stderr."""

from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from blockprof.api.measuring import MeasuredBlocks
from blockprof.cli import render
from blockprof.evaluators.device import MeasureSpec
from blockprof.evaluators.device.cores import usable_cores
from blockprof.evaluators.device.device_folder import LOOPS
from blockprof.evaluators.device.measurement import NOISY_PERCENT
from blockprof.predictors.splitting import MIN_NETWORKS

if TYPE_CHECKING:
    from blockprof.evaluators.device.campaign import Campaign, CampaignResult
    from blockprof.evaluators.device.device_folder import DeviceFolder, WrittenFolder
    from blockprof.evaluators.device.drift import Drift

DRIFT_NOTED_PERCENT = 10.0


def print_plan(campaign: "Campaign | MeasureSpec") -> None:
    """Say what of a measurement is there already, and whether other programs take time from the rest."""
    if isinstance(campaign, MeasureSpec):
        if crowding := describe_crowding(campaign.threads):
            render.note(crowding)
        return
    if (number := len(set(campaign.archs.to_strings()))) < MIN_NETWORKS:
        render.note(
            f"train-predictor takes at least {MIN_NETWORKS} different networks, and these are {number}: with a larger "
            "--num-nets, what is measured now is kept"
        )
    if campaign.kept.visits:
        begun = datetime.fromtimestamp(campaign.kept.visits[0].started_s)
        there = f"begun at {begun:%Y-%m-%d %H:%M:%S}"
        before, total = campaign.kept.sizes[-1], len(campaign.archs)
        if campaign.is_finished:
            render.note(
                f"measured already ({there}): these are the results of {campaign.files.journal}; --fresh measures again"
            )
            return
        if campaign.num_nets_kept == before < total:
            render.note(f"{before} of {total} networks are measured already ({there}) and are kept")
        else:
            render.note(
                f"resuming a measurement {there}: {campaign.num_kept} of {campaign.num_visits} visits are there"
            )
    if campaign.board:
        render.note(f"measuring on {campaign.board.name}: {campaign.environment.machine.cpu}")
    load, cores, threads = campaign.environment.load, campaign.environment.machine.cores, campaign.spec.threads
    if not campaign.board and (crowding := describe_crowding(threads)):
        render.note(crowding)
    elif load is not None and load + threads > cores:
        render.note(
            f"other programs may take time from this measurement: the load of the last minute is {load:.1f} on "
            f"{cores} cores"
        )


def describe_crowding(threads: int) -> str:
    """Say that there are more threads than cores, and why; empty where there are not."""
    cores = usable_cores()
    if threads <= cores.count:
        return ""
    return (
        f"{threads} threads share {cores.count} core{'s' if cores.count > 1 else ''} ({cores.why}) and wait for each "
        f"other: these are not the latencies of {threads} cores; give --threads {cores.count}"
    )


def show(result: "CampaignResult | MeasuredBlocks") -> None:
    """Print what was measured, and on stderr what may be wrong with it."""
    if isinstance(result, MeasuredBlocks):
        print_blocks(result)
    else:
        note_doubts(result)
        print_result(result)


def note_doubts(result: "CampaignResult") -> None:
    """Say on stderr what may be wrong with the results: noise, drift."""
    measured = result.measured
    is_here = result.campaign.board is None
    if noisy := [each for each in measured.measurements if each.is_noisy]:
        waiting = np.median([each.waiting_percent for each in noisy])
        render.note(
            f"{len(noisy)} of {len(measured.measurements)} networks are noisy (interquartile range over "
            f"{NOISY_PERCENT:.0f} % of the median), {_remedy(float(waiting), measured.spec.threads, is_here=is_here)}"
        )
    if measured.drift.percent > DRIFT_NOTED_PERCENT:
        render.note(
            f"the machine's speed drifted by {measured.drift.percent:.0f} % while measuring, which is divided out"
        )


def _remedy(waiting_percent: float, threads: int, *, is_here: bool) -> str:
    if is_here and (crowding := describe_crowding(threads)):
        return crowding
    waited = f"{waiting_percent:.0f} % of their time went by waiting for a core: " if threads == 1 else ""
    return f"{waited}close other programs and measure again with --fresh"


def print_result(result: "CampaignResult") -> None:
    """Print what was measured, how well, and where it is."""
    campaign, measured, data = result.campaign, result.measured, result.data
    lowest, middle, highest = np.quantile(data.latencies_ms, (0, 0.5, 1))
    sizes = ", ".join(map(str, np.unique(data.resolutions)))
    render.print_line(
        f"{len(data)} networks of {data.space.title} ({data.space.name}) at resolution {sizes}, on {data.device}"
    )
    render.print_line(f"latency: median {middle:.3g} ms, {lowest:.3g} to {highest:.3g} ms")
    spread = np.median([each.iqr_percent for each in measured.measurements])
    repeats = "" if measured.spec.rounds == 1 else f"rounds repeat to {measured.repeatability_percent:.2f} %, "
    render.print_line(
        f"{repeats}interquartile range {spread:.1f} % (median), {measured.num_noisy} of {len(data)} networks noisy, "
        f"{describe_drift(measured.drift)}"
    )
    if result.networks_per_minute:
        kept = f", {campaign.num_nets_kept} of {len(data)} networks kept from before" if campaign.num_nets_kept else ""
        render.print_line(
            f"measured in {result.seconds:.0f} s, {result.networks_per_minute:.0f} networks a minute{kept}"
        )
    if agreement := result.agreement:
        render.print_line(
            f"{measured.spec.precision} logits of one network, with random weights, correlate with fp32's by "
            f"{agreement.correlation:.3f} (greatest difference {100 * agreement.error:.2g} % of the greatest logit)"
        )
    render.print_paths([campaign.files.latencies, campaign.files.record, campaign.files.journal])


def describe_drift(drift: "Drift") -> str:
    """Say how much drift of the machine's speed was divided out, if any was found."""
    return f"drift {drift.percent:.1f} % divided out" if drift.percent else "no drift found"


def print_device_folder(folder: "DeviceFolder", written: "WrittenFolder", metric: str) -> None:
    """Print what is there to be measured on another device, and what to do with it; on stderr, what was there before.

    Where there are enough networks for a predictor, that is to train one.
    """
    archs, total = folder.archs, len(folder.archs)
    if written.num_kept:
        render.note(f"{written.num_kept} of {total} networks were there already")
    if folder.num_latencies is not None:
        render.note(f"{folder.csv} was there already, with {folder.num_latencies} latencies, and is left as it is")
    sizes = ", ".join(map(str, np.unique(folder.resolutions)))
    render.print_line(
        f"{total} networks of {archs.space.title} ({archs.space.name}) at resolution {sizes}: "
        f"{folder.files[0].name} to {folder.files[-1].name}, {written.num_bytes / 1e6:,.0f} MB"
    )
    render.print_line("input image (1, 3, R, R) at the resolution R, output logits (1, 1000), float32")
    render.print_line("the weights are random: they do not change the latency, but the logits mean nothing")
    if folder.num_latencies is None:
        render.print_paths([folder.csv])
    measured = folder.num_latencies == total
    if not measured:
        render.print_line(
            f"next: copy the folder to the device, and there run `python3 {LOOPS[0]}` (ONNX Runtime), or "
            f"`sh {LOOPS[1]} PROGRAM` with onnxruntime_perf_test or TFLite's benchmark_model: they write "
            f"{folder.log.name}"
        )
        render.print_line(
            "or run the files as you like, and write the latencies into the column 'end-to-end lat' of "
            f"{folder.csv.name}, in ms or in another unit that the column 'lat unit' says (us, s)"
        )
    if len(set(archs.to_strings())) >= MIN_NETWORKS:
        step, file = ("next", folder.csv) if measured else ("then", folder.log)
        render.print_line(f"{step}: blockprof train-predictor --space {archs.space.name} --metric {metric} {file}")


def print_blocks(result: "MeasuredBlocks") -> None:
    """Print how well a block table's sums tell whole networks, and where it is."""
    table, seconds, files = result.table, result.seconds, result.files
    measured, costs = table.measured, table.costs
    render.print_line(
        f"{len(table.pieces)} pieces and {len(table.networks)} whole networks of {table.space.title} "
        f"({table.space.name}) at resolution {table.resolution}, on {costs.device}, in {seconds:.0f} s"
    )
    repeats = "" if measured.spec.rounds == 1 else f"rounds repeat to {measured.repeatability_percent:.2f} %, "
    render.print_line(f"{repeats}{measured.num_noisy} noisy measurements, {describe_drift(measured.drift)}")
    for what, scores in (
        ("sums of pieces", table.raw_scores),
        (f"sums times {costs.scale:.3f} (each network by the others' factor)", table.scaled_scores),
    ):
        render.print_line(
            f"{what} against whole networks: MAPE {scores.mape_percent:.2f} %, ratio {scores.bias:.3f}, "
            f"Spearman {scores.spearman:.3f}"
        )
    render.print_paths(files)
