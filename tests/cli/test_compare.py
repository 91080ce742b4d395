"""``blockprof compare``, on predictors and profiles of the reference tables."""

import re
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from mlflow import MlflowClient

from blockprof import tracking

DATA = "blockprof-data/ofa_pn_npu_reference.csv"
HEADER = "net_id,net_str,device,resolution,lat unit,end-to-end lat"


@pytest.fixture(scope="module")
def compared(trained: Path, cli, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder ``trained``, with a second predictor, of fewer networks, and two more profiles."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(trained)
        for line in (
            "train-predictor -s pn --train-size 30 --name few",
            "train-predictor -s pn --seed 5 --name split",
            "profile -s pn -m cpu --name on_cpu",
            "profile -s pn -m npu,accuracy -n 50 --sampler upstream --name sampled_npu",
        ):
            outcome = cli(*line.split())
            assert outcome.returncode == 0, outcome.stderr
    return trained


@pytest.fixture
def in_compared(compared: Path, in_trained: Path) -> Path:
    return compared


def run_of(name: str) -> mlflow.entities.Run:
    return MlflowClient().get_run(tracking.find_run(name).id)


def files_of(run: mlflow.entities.Run) -> set[str]:
    files = MlflowClient().list_artifacts(run.info.run_id) + MlflowClient().list_artifacts(run.info.run_id, "figures")
    return {file.path for file in files if not file.is_dir}


def test_predictors_of_few_networks_on_those_that_each_left_out_in_turn(folder: Path, rows: list[str], cli) -> None:
    """Their test networks, three each, are too few."""
    for name, count in (("less", 24), ("more", 30)):
        Path("few.csv").write_text("\n".join([HEADER, *rows[:count]]))
        assert cli("train-predictor", "-s", "pn", "few.csv", "--metric", "few", "--name", name).returncode == 0
    outcome = cli("compare", "less", "more", "--no-log")
    assert outcome.returncode == 0, outcome.stderr
    assert "24 networks" in outcome.stdout


def test_a_run_and_a_version_on_their_common_test_rows(cli, in_compared: Path) -> None:
    outcome = cli("compare", "few", "blockprof-pn-npu@champion", "--name", "rows")
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert outcome.stdout.startswith("30 rows of 30 networks, the same for all\n")
    run = run_of("rows")
    few, champion = (run_of("few").data.metrics["test.mape_percent"], run.data.metrics["predictor_2.mape_percent"])
    assert f"blockprof-pn-npu v1 is better than few: MAPE {champion:.2f} % against {few:.2f} %" in outcome.stdout
    assert run.data.metrics["predictor_1.mape_percent"] == pytest.approx(few)
    assert run.data.metrics["predictor_2_minus_1.mape_percent"] == pytest.approx(champion - few)
    assert run.data.metrics["predictor_2_minus_1.mape_percent_upper"] < 0
    assert run.data.tags["blockprof.command"] == "compare"
    assert run.data.params["predictor_2"] == "blockprof-pn-npu v1"
    assert files_of(run) == {"scores.csv", "differences.csv", "rows.csv", "verdict.txt", "figures/errors.png"}


def test_on_given_rows_runs_stand_for_what_they_registered(cli, in_compared: Path) -> None:
    outcome = cli("compare", "few", "split", "--data", DATA, "--no-log")
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert outcome.stdout.startswith("300 rows of 300 networks, the same for all\n")
    assert "split is better than few" in outcome.stdout
    by_version = cli("compare", "blockprof-pn-npu/2", "blockprof-pn-npu/3", "--data", DATA, "--no-log")
    assert re.findall(r"\d+\.\d+", by_version.stdout) == re.findall(r"\d+\.\d+", outcome.stdout)


def test_profiles_of_two_devices(cli, in_compared: Path) -> None:
    outcome = cli("compare", "profiled", "on_cpu", "--name", "devices")
    assert (outcome.returncode, outcome.stderr) == (
        0,
        "note: profiled accuracy is not compared: on_cpu has no other metric in %\n",
    )
    assert "profiled npu and on_cpu cpu: rank correlation of 189 effects" in outcome.stdout
    assert "accuracy and on_cpu" not in outcome.stdout
    assert "regret: the most accurate network for one target within a limit" in outcome.stdout
    run = run_of("devices")
    assert run.data.params["pair_1"] == "profiled npu, on_cpu cpu"
    frames = tracking.load_frames(tracking.find_run("devices"))
    assert set(frames) == {"pairs", "placements", "places", "blocks", "regret"}
    assert run.data.metrics["pair_1.effects_spearman"] == pytest.approx(frames["pairs"]["effects_spearman"][0])
    assert len(frames["placements"]) == len(frames["places"]) == 189
    figures = {"figures/pair_1.png", "figures/places.png", "figures/regret.png"}
    assert {*figures, "report.html", "verdict.txt"} <= files_of(run)
    # What npu's predictor leaves open is in the regret on npu, and nothing is open of the reference table.
    on = frames["regret"].set_index("run_on")
    assert on["lost_ms_lower"]["npu"] < on["lost_ms"]["npu"] < on["lost_ms_upper"]["npu"]
    assert on["lost_ms_lower"]["cpu"] == on["lost_ms"]["cpu"] == on["lost_ms_upper"]["cpu"] > 0
    assert run.data.metrics["regret_points/cpu_on_npu"] == pytest.approx(on["points"]["npu"])
    effects = tracking.load_frame(tracking.find_run("on_cpu"), "placements").set_index("placement")["effect"]
    pd.testing.assert_series_equal(
        frames["placements"].set_index("name")["second"], effects, check_names=False, check_exact=True
    )


def test_metrics_of_unlike_kind_are_compared_where_they_are_named(cli, in_compared: Path) -> None:
    outcome = cli("compare", "profiled", "on_cpu", "--metric", "accuracy", "cpu", "--no-log")
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert "profiled accuracy and on_cpu cpu: rank correlation of 189 effects" in outcome.stdout
    assert "regret" not in outcome.stdout


def test_targets_by_name(cli, in_compared: Path) -> None:
    outcome = cli("compare", "npu", "gpu", "-s", "pn", "--limit", "gpu=4.2", "--no-log")
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert "on gpu it does not matter which block is at a place" in outcome.stdout
    assert re.search(r"\nlimits: npu 12\.\d+ ms, gpu 4\.2 ms\n", outcome.stdout)
    rows = [line.split("│") for line in outcome.stdout.splitlines() if line.startswith(("npu  ", "gpu  "))]
    assert [[cell.strip() for cell in row[:2]] for row in rows] == [["npu", "gpu"], ["gpu", "npu"]]


def test_the_same_metrics_twice_and_unlike_settings_are_told(cli, in_compared: Path) -> None:
    outcome = cli("compare", "profiled", "sampled_npu", "--name", "twice")
    assert outcome.returncode == 0
    assert outcome.stderr == (
        "note: the profiles differ in sampler (profiled paper, sampled_npu upstream): so may their effects\n"
    )
    assert "random networks: sampled_npu npu minus profiled npu is" in outcome.stdout
    assert "of 189 effects differ beyond their intervals (9 would by chance)" in outcome.stdout
    differences = tracking.load_frame(tracking.find_run("twice"), "differences")
    assert len(differences) == 2 * (1 + 9 + 189)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("profiled few", "profiled is a profile and few a predictor: compare profiles with profiles, or predictors"),
        ("few", "compare needs at least two runs or registered predictors"),
        ("few few", "few is few, which is given already: name another one"),
        ("few blockprof-pn-npu/9", "'blockprof-pn-npu' has no such version or alias"),
        ("few nothing", "no run has the id or name 'nothing'"),
        ("profiled on_cpu --data x.csv", "--data is for predictors: leave it out"),
        ("few split --data x.csv", "x.csv: there is no such file"),
        ("few split", "few and split left out"),
        ("few split --verify", "--verify is for profiles and targets"),
        ("profiled on_cpu --metric gpu cpu", "unknown metric of profiled 'gpu'"),
        ("npu gpu -s pn --verify", "none of npu, gpu is measured on this machine: leave --verify out"),
        ("npu gpu -s pn --limit gpu=1", "--limit gpu=1: no network takes less than 3.459"),
        ("npu gpu -s pn --limit cpu=100", "cpu is none of the targets (npu, gpu)"),
        ("npu what -s pn", "unknown metric 'what' for pn"),
        ("npu gpu -s pn --metric npu gpu", "--metric is for profiles"),
    ],
)
def test_what_cannot_be_compared_is_one_line_and_no_run(line: str, said: str, cli, in_compared: Path) -> None:
    runs = len(mlflow.search_runs(search_all_experiments=True))
    outcome = cli("compare", *line.split())
    assert (outcome.returncode, outcome.stdout) == (2, "")
    assert outcome.stderr.startswith("error: ")
    assert outcome.stderr.count("\n") == 1
    assert said in outcome.stderr
    assert len(mlflow.search_runs(search_all_experiments=True)) == runs


def test_a_resolution_that_a_predictor_does_not_know(cli, in_compared: Path) -> None:
    lines = Path(DATA).read_text().splitlines()
    Path("other.csv").write_text("\n".join(lines[:1] + [line.replace(",224,", ",192,") for line in lines[1:30]]))
    outcome = cli("compare", "few", "split", "--data", "other.csv")
    assert outcome.returncode == 2
    assert "blockprof-pn-npu version 2: the npu predictor was trained on resolution 224, not on 192" in outcome.stderr


def test_runs_of_other_commands_hold_nothing_to_compare(cli, in_compared: Path) -> None:
    run = mlflow.search_runs(search_all_experiments=True, filter_string="tags.`blockprof.command` = 'fetch-data'")[
        "run_id"
    ].iloc[-1]
    outcome = cli("compare", run, "few")
    assert outcome.returncode == 2
    assert f"run '{run}' is of `blockprof fetch-data` (FINISHED) and holds no profile" in outcome.stderr


def test_a_comparison_of_profiles_is_no_profile(cli, in_compared: Path) -> None:
    assert cli("compare", "profiled", "on_cpu", "--name", "comparison").returncode == 0
    outcome = cli("compare", "profiled", "comparison")
    assert (outcome.returncode, outcome.stdout) == (2, "")
    assert outcome.stderr == (
        "error: run 'comparison' is of `blockprof compare` (FINISHED) and holds no profile and no predictor's test "
        "rows: compare runs of profile, train-predictor or import-predictor\n"
    )


def test_without_a_store(refused) -> None:
    assert "nothing is logged here yet" in refused("compare", "a", "b")
    assert "none is registered yet" in refused("compare", "blockprof-pn-npu/1", "blockprof-pn-npu/2")
