"""A space of one's own, put through the door as plain data: every command works with it.

It is README's recipe: OFA-MobileNetV3 of width 1.0 under a name that blockprof does not know.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import blockprof
from blockprof import predictors
from blockprof.latency_data import LatencyData, read_latency_csv, write_latency_csv
from blockprof.metrics import load_metrics
from blockprof.spaces import Space, load_space, registered
from blockprof.spaces.assets import Assets
from blockprof.spaces.sampling import sample_architectures
from blockprof.tracking import find_champion

NETS = 60


@pytest.fixture(scope="module")
def space() -> Iterator[Space]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registered._SPACES, "_things", dict(registered._SPACES._things))
        load_space("pn")
        yield blockprof.register_space(replace(load_space("mbv3-w1.0"), name="own", title="My space", assets=Assets()))


@pytest.fixture
def good(cli):
    def run(line: str) -> str:
        outcome = cli(*line.split())
        assert outcome.returncode == 0, outcome.stderr
        return outcome.stdout

    return run


def write_latencies(space: Space, path: Path) -> LatencyData:
    """Latencies that are a sum over blocks, with noise."""
    rng = np.random.default_rng(0)
    archs = sample_architectures(space, NETS, rng)
    costs = np.append(rng.uniform(0.1, 1.0, len(space.instances)), 0.0)
    noise = rng.normal(1.0, 0.01, NETS)
    data = LatencyData(archs, np.full(NETS, 224), (2.0 + costs[archs.ids].sum(axis=1)) * noise, "board")
    write_latency_csv(path, data)
    return data


def test_what_is_measured_is_of_the_space(space: Space, good, folder: Path) -> None:
    good("measure --space own -n 2 --rounds 1 --metric mine --resolution 128 --no-log")
    (written,) = folder.glob("blockprof-data/*_lat_data.csv")
    assert written.name == "ofa_own_mine_lat_data.csv"
    assert read_latency_csv(written, space).space is space


def test_from_measured_networks_to_a_search_in_a_reduced_space(space: Space, good, folder: Path) -> None:
    write_latencies(space, folder / "nets.csv")
    shown = good("train-predictor nets.csv --space own --metric mine")
    assert "blockprof-own-mine" in shown
    stored = find_champion("own", "mine")
    assert stored is not None
    assert predictors.load_predictor(stored.folder).space == space
    assert "My space" in good("profile --space own -m mine --no-log")
    (folder / "small.yaml").write_text("space: own\ndrop: {everywhere: [e3k7]}\n")
    found = good("search --space own --minimize mine --maximize macs --reduction small.yaml --no-log")
    assert "e3k7" not in found


def test_numbers_mean_what_they_do_in_every_space(space: Space, good, refused) -> None:
    assert "flops" in good("profile --space own -m 1 --no-log")
    assert refused("profile", "--space", "own", "-m", "0", "--no-log").startswith(
        "there is no reference table 'accuracy' for own"
    )


def test_reductions_that_it_does_not_have(space: Space, refused) -> None:
    line = ("search", "--space", "own", "--minimize", "macs", "--no-log", "--reduction")
    assert refused(*line, "paper-npu").startswith("unknown reduction 'paper-npu': for own there are random")
    assert refused(*line, "random").startswith("random: own has no reduction to be as small as")


def test_a_released_predictors_maximum_is_asked_for(space: Space, refused) -> None:
    torch.save({"model": {}}, "best.pt")
    said = refused("import-predictor", "best.pt", "--space", "own", "--metric", "npu")
    assert "known of none of own: give it as --max-latency" in said


def test_the_i7_table_has_the_widths_of_width_1(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLOCKPROF_DATA", str(shared_data))
    wide, narrow = load_space("mbv3"), load_space("mbv3-w1.0")
    totals = []
    for space in (wide, narrow):
        (metric,) = load_metrics(space, ["i7-8700k"], 224, lambda _: None)
        totals.append(metric.evaluate(sample_architectures(space, 50, np.random.default_rng(0))))
    assert (totals[1] < totals[0]).all()
