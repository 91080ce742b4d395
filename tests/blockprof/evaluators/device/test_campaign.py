"""A measurement as files, from visits that are made up: what is written, drawn and said."""

from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from blockprof.cli import render, render_measuring
from blockprof.evaluators.device import Environment, MeasureSpec, read_environment
from blockprof.evaluators.device.campaign import Campaign, CampaignResult, MeasurementFiles, plan_campaign
from blockprof.evaluators.device.environment import Machine
from blockprof.evaluators.device.journal import Contents
from blockprof.evaluators.device.records import Visit
from blockprof.evaluators.device.results import MeasuredNetworks
from blockprof.evaluators.device.timing import Timing
from blockprof.evaluators.runtimes import find_runtime
from blockprof.foundation.listener import Visited
from blockprof.output.charts.measurements import latencies_chart
from blockprof.output.draw_matplotlib import draw_chart
from blockprof.output.runs.measurements import measurement_metrics
from blockprof.spaces import load_space
from blockprof.spaces.sampling import sample_architectures

MACHINE = Machine(cpu="Abacus, 3 rows", cores=2, architecture="wood", system="Linux", version="1.30.0")


def made_up(nets=8, rounds=3, noise=0.01, slowdown=0.0, governor="performance", load=0.1) -> CampaignResult:
    """Networks of 10 ms and more, on a machine that gets slower by ``slowdown`` half-way."""
    rng = np.random.default_rng(0)
    visits = []
    order = [(number, network) for number in range(1, rounds + 1) for network in range(nets)]
    for count, (number, network) in enumerate(order):
        for anchor in (True, False):
            base_ms = 10 + (0 if anchor else network)
            times_ms = base_ms * (1 + slowdown * (count > len(order) / 2)) * np.exp(rng.normal(0, noise, 40))
            times_ns = np.round(times_ms * 1e6).astype(np.int64)
            timing = Timing(times_ns, np.zeros_like(times_ns), 10)
            visits.append(Visit(0 if anchor else network, number, anchor, 1e9 + count + 0.5 * (not anchor), timing))
    archs = sample_architectures(load_space("pn"), nets, rng)
    spec = MeasureSpec(rounds=rounds)
    environment = Environment(MACHINE, "Linux", governor, load)
    files = MeasurementFiles.beside(Path("data/ofa_pn_v1.5_lat_data.csv"))
    sizes = np.full(nets, 224)
    campaign = Campaign(archs, sizes, spec, files, environment, Contents(), fresh=False)
    measured = MeasuredNetworks.from_visits([f"n{i}" for i in range(nets)], spec, [environment], visits)
    data = measured.to_latency_data(archs, sizes)
    return CampaignResult(campaign, measured, data, 30.0)


def test_files_lie_beside_each_other():
    files = made_up().campaign.files
    assert files.record == Path("data/ofa_pn_v1.5_lat_data.record.csv")
    assert files.journal == Path("data/ofa_pn_v1.5_lat_data.journal.jsonl")


def test_a_device_has_no_commas_and_says_how_it_was_used():
    measured = made_up().measured
    assert measured.device == "Abacus 3 rows ONNX Runtime CPU 1 thread"
    spec = MeasureSpec(threads=2, provider="CUDAExecutionProvider")
    assert replace(measured, spec=spec).device == "Abacus 3 rows ONNX Runtime CUDA 2 threads"


def test_a_record_has_all_of_each_network():
    frame = made_up(governor=None).record_frame()
    assert frame.columns[:2].tolist() == ["net", "resolution"]
    assert frame.columns[-7:].tolist() == [
        "threads",
        "provider",
        "runtime",
        "precision",
        "version",
        "cpu",
        "governor",
    ]
    assert set(frame["governor"]) == {"unknown"}
    assert len(frame) == 8


def test_metrics_of_one_round_are_finite():
    values = measurement_metrics(made_up(rounds=1))
    assert "repeatability_percent" not in values
    assert np.isfinite(list(values.values())).all()
    assert values["networks_per_minute"] == 16
    assert measurement_metrics(made_up())["repeatability_percent"] > 0


def test_a_chart_has_the_networks_quickest_first_and_the_drift_that_was_divided_out():
    result = made_up(noise=0.2, slowdown=0.5)
    networks, drift = latencies_chart(result).panels
    quartiles, medians, intervals, noisy = networks.layers
    ordered = sorted(result.measured.measurements, key=lambda each: each.corrected_ms)
    assert medians.x.tolist() == list(range(1, 9))
    assert medians.y.tolist() == [each.corrected_ms for each in ordered]
    assert list(zip(intervals.lower, intervals.upper, strict=True)) == [each.interval_ms for each in ordered]
    assert quartiles.lower.tolist() == [np.quantile(each.times_ms, 0.25) for each in ordered]
    assert (noisy.tone, len(noisy.x)) == ("alarm", result.measured.num_noisy)
    anchor, walk = drift.layers
    assert anchor.y.tolist() == result.measured.drift.medians_ms.tolist()
    # The usual speed is one that the anchor had: what is drawn lies among its times.
    assert np.median(walk.y) == pytest.approx(np.median(anchor.y), rel=0.05)
    assert (walk.y / result.measured.drift.factors).std() == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("shape", [{"nets": 1, "rounds": 1}, {"noise": 0.2, "slowdown": 0.5}])
def test_a_figure_holds_all_of_its_text(shape):
    result = made_up(**shape)
    figure = draw_chart(latencies_chart(result))
    figure.draw_without_rendering()
    inside = figure.bbox
    drawn = figure.get_tightbbox().transformed(figure.dpi_scale_trans)
    assert inside.x0 <= drawn.x0 <= drawn.x1 <= inside.x1
    assert inside.y0 <= drawn.y0 <= drawn.y1 <= inside.y1
    assert ("rounds repeat to" in figure.get_suptitle()) == (result.measured.spec.rounds > 1)


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ({}, []),
        ({"noise": 0.2}, ["8 of 8 networks are noisy (interquartile range over 10 % of the median), 0 % of their"]),
        ({"slowdown": 0.5}, ["networks are noisy", "the machine's speed drifted by 5"]),
    ],
)
def test_doubts_are_said(shape, said, capsys: pytest.CaptureFixture[str]):
    render_measuring.note_doubts(made_up(**shape))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(said)
    for line, part in zip(lines, said, strict=True):
        assert line.startswith("note: ")
        assert part in line


@pytest.mark.parametrize(("load", "is_said"), [(None, False), (0.9, False), (1.1, True)])
def test_a_load_is_said_where_no_core_is_free(load, is_said, capsys: pytest.CaptureFixture[str]):
    render_measuring.print_plan(made_up(load=load).campaign)
    assert ("other programs may take time" in capsys.readouterr().err) == is_said


def test_a_plan_changes_nothing(tmp_path):
    archs = sample_architectures(load_space("pn"), 2, np.random.default_rng(0))
    campaign = plan_campaign(archs, np.full(2, 128), tmp_path / "new" / "a.csv", MeasureSpec(rounds=2))
    assert (campaign.num_visits, campaign.num_kept, campaign.is_finished) == (4, 0, False)
    assert campaign.environment.machine == read_environment(find_runtime("onnxruntime")).machine
    assert not (tmp_path / "new").exists()


def test_progress_is_drawn_when_there_is_news_and_nothing_is_left(monkeypatch: pytest.MonkeyPatch):
    sent = StringIO()
    monkeypatch.setattr(render, "err", Console(file=sent, width=80, force_terminal=True, _environ={}))
    with render.listening() as listener:
        listener.on_step("pieces of networks", 3, 12)
        listener.on_visit(Visited("net", 1, 12.345, 4, 9))
    for part in ("pieces of networks", "3/12", "round 1, 12.3 ms", "4/9"):
        assert part in sent.getvalue()
    assert sent.getvalue().endswith("\x1b[1A\x1b[2K")
