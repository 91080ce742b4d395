"""Which version becomes champion: decided on networks that neither was made from, or by a rule that is stated."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mlflow import MlflowClient

from blockprof import tracking
from blockprof.fetching.reference import reference_data
from blockprof.latency_data import LatencyData, write_latency_csv
from blockprof.spaces import load_space

PN = load_space("pn")
Train = Callable[..., str]
Champion = Callable[[], int]


def networks(start: int, end: int) -> LatencyData:
    """Some of 400 networks of the reference table."""
    return reference_data(PN, "npu", 400, seed=0).select(np.arange(start, end))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose store all tests here share, each with a metric of its own: a store takes a second to make."""
    return tmp_path_factory.mktemp("champions")


@pytest.fixture
def metric(request: pytest.FixtureRequest) -> str:
    return str(request.node.name)[:50]


@pytest.fixture
def train(folder: Path, store: Path, metric: str, cli: Callable, monkeypatch: pytest.MonkeyPatch) -> Train:
    """Trains on a CSV of the rows given; gives what is said, in one line."""
    monkeypatch.chdir(store)

    def run(data: LatencyData, *arguments: str) -> str:
        write_latency_csv("nets.csv", data)
        outcome = cli("train-predictor", "nets.csv", "--space", "pn", "--metric", metric, *arguments)
        assert outcome.returncode == 0, outcome.stderr
        return " ".join(outcome.stdout.split())

    return run


@pytest.fixture
def champion(metric: str) -> Callable[[], int]:
    """Which version is the champion."""
    return lambda: tracking.find_predictor(f"blockprof-pn-{metric}").version


def test_a_run_says_what_each_network_was_used_for(train: Train) -> None:
    said = train(networks(0, 60), "--name", "first", "--train-size", "30")
    assert "version 1, it is the champion now: there was none before" in said
    run = tracking.find_run("first")
    rows = tracking.load_frame(run, "networks")
    assert rows.columns.tolist() == ["net", "resolution", "part"]
    assert rows["part"].value_counts().to_dict() == {"train": 30, "dev": 6, "test": 6}
    tested = tracking.load_frame(run, "test_predictions")["net"]
    assert set(rows["net"][rows["part"] == "test"]) == set(tested)
    assert MlflowClient().get_run(run.id).data.metrics["test.num_networks"] == 6
    assert run.tags["blockprof.became_champion"] == "True"
    assert run.tags["blockprof.champion_reason"] == "there was none before"
    assert "cv_predictions" not in tracking.list_frames(run)


def test_few_networks_are_compared_by_leaving_each_out(train: Train, champion: Champion, metric: str) -> None:
    said = train(networks(0, 30), "--name", "folds")
    run = MlflowClient().get_run(tracking.find_run("folds").id)
    scores = run.data.metrics
    assert scores["cv.num_networks"] == 30
    assert f"10 folds │ {scores['cv.mape_percent']:.2f} │" in said
    assert f"the others; {scores['cv.interval.coverage_percent']:.1f} % lie inside" in said
    assert len(tracking.load_frame(tracking.find_run("folds"), "cv_predictions")) == 30

    again = train(networks(0, 30), "--seed", "3", "--name", "second")
    assert champion() == 1
    assert "version 2, the champion stays: no difference beyond the noise between" in again
    assert "apart by 0.00 (0.00 to 0.00), on 30 networks, each left out in turn; within noise, the alias moves" in again
    reason = tracking.find_run("second").tags["blockprof.champion_reason"]
    assert reason in again
    assert tracking.find_predictor(f"blockprof-pn-{metric}/2").tags["champion_reason"] == reason
    assert again.split("all the same: ")[1].startswith("python -c ")

    grown = train(networks(0, 60))
    assert "it is the champion now: the new version is better than version 1: MAPE" in grown
    assert "on 30 networks, each left out in turn" in grown
    assert champion() == 3


def test_more_networks_need_only_a_lower_error_where_they_hold_the_champions(train: Train, champion: Champion) -> None:
    train(networks(0, 66))
    grown = train(networks(0, 68))
    assert champion() == 2
    assert "it is the champion now: no difference beyond the noise between the new version and version 1: MAPE" in grown
    assert "on 66 networks, each left out in turn; it is trained on 54 networks instead of 52, from data that" in grown


def test_all_networks_may_be_new_to_the_champion(train: Train, champion: Champion) -> None:
    train(networks(0, 24))
    said = train(networks(100, 160))
    assert "it is the champion now: the new version is better than version 1: MAPE" in said
    assert "on 60 networks new to version 1, each left out of the new version in turn" in said
    assert champion() == 2


def test_more_networks_alone_are_not_enough(train: Train, champion: Champion) -> None:
    """With --train-size there is no cross-validation, and so nothing to compare on."""
    train(networks(0, 40), "--train-size", "32")
    for start, end in ((100, 160), (0, 60)):
        said = train(networks(start, end), "--train-size", "48")
        assert "the champion stays: fewer than 10 test networks are known to be new to version 1" in said
    assert champion() == 1


def test_on_enough_networks_the_better_one_beyond_the_noise_takes_over(
    train: Train, champion: Champion, store: Path
) -> None:
    train(networks(0, 30), "--train-size", "24")
    better = train(networks(100, 400), "--name", "better")
    assert "it is the champion now: the new version is better than version 1: MAPE" in better
    assert champion() == 2
    worse = train(networks(100, 400), "--train-size", "30")
    assert "the champion stays: version 2 is better than the new version: MAPE" in worse
    assert "on 30 test networks that neither was trained on to make it the champion" in worse

    (logged,) = store.glob(f"mlruns/*/{tracking.find_run('better').id}/artifacts/networks.csv")
    logged.unlink()  # as in runs before it was logged: only their test rows are known
    same = train(networks(100, 400), "--train-size", "239")
    assert "the champion stays: no difference beyond the noise between" in same
    assert "on 30 test networks that neither was trained on; within noise" in same
    assert "fewer than 10 test networks are known to be new" in train(networks(50, 400), "--seed", "1")
    assert champion() == 2


def test_a_champion_that_cannot_be_asked_stays(train: Train, champion: Champion, store: Path) -> None:
    before = set(store.rglob("costs.npz"))
    train(networks(0, 30), "--train-size", "24")
    (costs,) = set(store.rglob("costs.npz")) - before
    other = replace(networks(100, 130), resolutions=np.full(30, 160))
    assert "new to version 1, at resolutions that it knows; within noise" in train(other, "--train-size", "24")
    costs.unlink()
    assert "the champion stays: it cannot be asked: loading" in train(networks(100, 130), "--train-size", "24")
    assert champion() == 1
