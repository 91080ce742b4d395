"""``train-predictor --learning-curve``."""

from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient

from blockprof import tracking

HEADER = "net_id,net_str,device,resolution,lat unit,end-to-end lat"


def test_a_curve_is_logged_by_number_of_networks_and_told(cli, in_trained: Path, rows: list[str]) -> None:
    Path("few.csv").write_text("\n".join([HEADER, *rows]))
    line = "train-predictor -s pn few.csv --metric curve --learning-curve --name curve"
    outcome = cli(*line.split())
    assert outcome.returncode == 0
    assert outcome.stderr == (
        "note: scores and coverage of only 3 test networks are rough: the 10 folds, of all 30, tell more\n"
    )
    assert "error of blockwise by number of training networks, 5 draws" in outcome.stdout
    run = MlflowClient().get_run(tracking.find_run("curve").id)
    history = MlflowClient().get_metric_history(run.info.run_id, "learning_curve.mape_percent")
    assert [point.step for point in history] == [10, 24]
    assert history[-1].value == run.data.metrics["test.mape_percent"]
    assert run.data.tags["blockprof.advice"] in outcome.stdout
    frame = tracking.load_frames(tracking.find_run("curve"))["learning_curve"]
    assert frame.groupby("num_train")["mape_percent"].median().tolist() == [point.value for point in history]
    files = {file.path for file in MlflowClient().list_artifacts(run.info.run_id, "figures")}
    assert "figures/learning_curve.png" in files
    report = mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/report.html")
    assert report.count("</svg>") == 4
    assert run.data.tags["blockprof.advice"][1:] in report
    assert f"Made by <code>blockprof {line}</code>" in report


@pytest.mark.parametrize("size", ["10", "19"])
def test_too_few_networks_are_refused_before_any_is_trained_on(size: str, cli, in_trained: Path) -> None:
    runs = len(mlflow.search_runs(search_all_experiments=True))
    outcome = cli("train-predictor", "-s", "pn", "--train-size", size, "--learning-curve")
    assert (outcome.returncode, outcome.stdout) == (2, "")
    assert f"{size} training networks are too few for a learning curve: train on at least 20" in outcome.stderr
    assert len(mlflow.search_runs(search_all_experiments=True)) == runs
