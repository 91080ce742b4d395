"""``train-predictor`` on a file with wrong rows."""

from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient

from blockprof import tracking
from blockprof.fetching.reference import reference_data
from blockprof.predictors import split_by_network
from blockprof.spaces import load_space

HEADER = "net_id,net_str,device,resolution,lat unit,end-to-end lat"
NUM_NETWORKS = 300


@pytest.fixture
def wrong(folder: Path) -> dict[str, int]:
    """Writes ``bad.csv``, whose rows have latencies in other units than they say: one training row, one test row."""
    data = reference_data(load_space("pn"), "npu", NUM_NETWORKS, seed=0)
    split = split_by_network(data, seed=0)
    wrong = {"training": int(split.train[7]), "test": int(split.test[3])}
    units = ["s" if row == wrong["training"] else "us" if row == wrong["test"] else "ms" for row in range(NUM_NETWORKS)]
    cells = zip(data.archs.to_strings(), units, data.latencies_ms.tolist(), strict=True)
    lines = [f"{row},{net},npu,224,{unit},{latency}" for row, (net, unit, latency) in enumerate(cells)]
    (folder / "bad.csv").write_text("\n".join([HEADER, *lines]))
    return wrong


def test_wrong_rows_are_named(wrong: dict[str, int], cli) -> None:
    outcome = cli(*["train-predictor", "-s", "pn", "bad.csv", "-m", "bad", "--name", "bad"])
    assert outcome.returncode == 0, outcome.stderr
    run = MlflowClient().get_run(tracking.find_run("bad").id)
    lines = {part: row + 2 for part, row in wrong.items()}
    told = outcome.stderr.splitlines()
    assert told[0] == "note: 1 of 240 training rows is left out of the fit, far from what the other rows predict"
    assert told[1].startswith(f"  row {lines['training']}: ")
    without = run.data.metrics["test.mape_percent_without_outliers"]
    assert told[2] == (
        "note: 1 of 30 test rows is far from the prediction; the test scores include it, "
        f"MAPE without it: {without:.2f} %"
    )
    assert told[3].startswith(f"  row {lines['test']}: ")
    assert without < 5 < 1000 < run.data.metrics["test.mape_percent"]
    assert run.data.metrics["num_left_out"] == run.data.metrics["test.num_outliers"] == 1
    assert run.data.tags["blockprof.outliers"] == (
        f"left out of the fit: row {lines['training']}; in the test scores: row {lines['test']}"
    )
    frame = tracking.load_frames(tracking.find_run("bad"))["outliers"]
    assert frame["row"].tolist() == list(lines.values())
    ratios = frame["latency_ms"] / frame["predicted_ms"]
    assert ratios.to_numpy() == pytest.approx([1000, 0.001], rel=0.1)
    assert "Outliers" in mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/report.html")


def test_latencies_that_have_nothing_to_do_with_networks_are_refused(wrong: dict[str, int], refused) -> None:
    rows = Path("bad.csv").read_text().splitlines()
    mixed = [row.replace(",ms,", f",{('us', 'ms', 's')[index % 3]},") for index, row in enumerate(rows)]
    Path("bad.csv").write_text("\n".join(mixed))
    line = refused("train-predictor", "-s", "pn", "bad.csv", "--no-log")
    assert line.startswith("bad.csv: half of the 240 latencies are ")
    assert "check the column of units" in line
