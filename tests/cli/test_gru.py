"""The paper's predictor from the command line: trained, resumed, profiled, exported, imported."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import torch

from blockprof import tracking
from blockprof.latency_data import read_latency_csv
from blockprof.predictors.gru.network import GruNetwork, NetworkSpec
from blockprof.spaces import load_space

BASE = ("train-predictor", "--space", "pn", "--model", "gru", "--fast", "--epochs", "10", "--train-size", "80")


@pytest.fixture(scope="module")
def gru_folder(tmp_path_factory: pytest.TempPathFactory, cli: Callable) -> Path:
    """A folder in which a gru of pn's npu was trained for ten epochs on 80 reference networks, at the paper's size."""
    place = tmp_path_factory.mktemp("gru")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.setenv("COLUMNS", "80")
        patch.chdir(place)
        for line in (("fetch-data", "-n", "100", "--space", "pn"), (*BASE, "--name", "gru")):
            outcome = cli(*line)
            assert outcome.returncode == 0, outcome.stderr
        (place / "said.txt").write_text(outcome.stdout)
    return place


@pytest.fixture
def in_gru_folder(gru_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(gru_folder)
    return gru_folder


def test_it_is_logged_and_registered_and_leaves_no_checkpoint(in_gru_folder: Path) -> None:
    said = (in_gru_folder / "said.txt").read_text()
    assert "\ngru " in said
    assert "registered blockprof-pn-npu version 1, it is the champion now: there was none before" in said
    assert [path.name for path in (in_gru_folder / "blockprof-data").iterdir()] == ["ofa_pn_npu_reference.csv"]
    frames = tracking.load_frames(tracking.find_run("gru"))
    assert len(frames["epochs"]) == 10
    assert "costs" not in frames


def test_its_profile_is_sampled(in_gru_folder: Path, cli: Callable) -> None:
    line = ("profile", "--space", "pn", "--metrics", "npu", "-n", "20", "-b", "u2.l1.e6k7", "--name", "profiled")
    outcome = cli(*line)
    assert outcome.returncode == 0, outcome.stderr
    assert "predicted by blockprof-pn-npu v1" in " ".join(outcome.stdout.split())
    placements: pd.DataFrame = tracking.load_frames(tracking.find_run("profiled"))["placements"]
    assert placements["method"].tolist() == ["sampled"]


def test_it_is_exported_as_onnx(in_gru_folder: Path, cli: Callable) -> None:
    outcome = cli("export", "predictor", "blockprof-pn-npu/1", "--out", "gru.onnx")
    assert outcome.returncode == 0, outcome.stderr
    assert "equal to blockprof-pn-npu version 1 on 1,000 random networks" in outcome.stdout


def test_a_blockwise_one_is_better_and_becomes_champion(in_gru_folder: Path, cli: Callable) -> None:
    outcome = cli("train-predictor", "--space", "pn")
    assert outcome.returncode == 0, outcome.stderr
    assert "it is the champion now" in " ".join(outcome.stdout.split())


def test_an_imported_one(in_gru_folder: Path, cli: Callable) -> None:
    names = {
        "operators": "embed_layer.op_embed_layer",
        "shapes": "embed_layer.shape_embed_layer",
        "output": "regressor",
    }
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = GruNetwork(NetworkSpec(9))
        network.begin_small(0.4)
    state = {}
    for name, value in network.state_dict().items():
        part, rest = name.split(".")
        state[f"{names.get(part, 'encoder.rnn')}.{rest}"] = value
    torch.save({"model": state}, "ours_best.pt")
    outcome = cli("import-predictor", "ours_best.pt", "--space", "pn", "--metric", "npu", "--name", "imported")
    assert outcome.returncode == 0, outcome.stderr
    said = " ".join(outcome.stdout.split())
    assert "imported from ours_best.pt" in said
    told = " ".join(outcome.stderr.split())
    csv = "blockprof-data/ofa_pn_npu_reference.csv"
    greatest = read_latency_csv(csv, load_space("pn")).latencies_ms.max()
    assert "note: the greatest latency it was trained on is not in its file: " in told
    assert all(f"{ms:.6g} ms" in told for ms in (32.529526315789475, greatest))
    assert f"with which it predicts {csv} to " in told
    wrong = cli("import-predictor", "ours_best.pt", "-s", "pn", "-m", "npu", "--max-latency", "70", "--no-log")
    assert wrong.returncode == 2
    assert "% (MAPE), and their mean alone one of " in wrong.stderr
    assert "or its greatest latency was not 70 ms (--max-latency)" in wrong.stderr
    assert "registered blockprof-pn-npu version 3, the champion stays: version 2 is better than the new version" in said
    assert "10 test networks that neither was trained on (as far as is known of an imported one)" in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--fast",), "--fast: a blockwise predictor is not trained by it: give --model gru, or leave --fast out"),
        (("--epochs", "3"), "--epochs: a blockwise predictor is not trained by it"),
        (("--model", "lstm"), "unknown predictor 'lstm': there are blockwise, gru"),
        (("--model", "gru", "--device", "cuda:99"), "--device cuda:99: torch cannot use it"),
    ],
)
def test_what_is_refused(
    rows: list[str], folder: Path, refused: Callable[..., str], arguments: tuple[str, ...], message: str
) -> None:
    head = "net_id,net_str,device,resolution,lat unit,end-to-end lat"
    (folder / "nets.csv").write_text("\n".join([head, *rows]))
    assert message in refused("train-predictor", "nets.csv", "--space", "pn", *arguments)


def test_files_that_are_not_imported(rows: list[str], folder: Path, refused: Callable[..., str]) -> None:
    head = "net_id,net_str,device,resolution,lat unit,end-to-end lat"
    (folder / "nets.csv").write_text("\n".join([head, *rows]))
    (folder / "empty.pt").write_bytes(b"")
    line = ("import-predictor", "empty.pt", "nets.csv", "--space", "pn", "--metric")
    assert "empty.pt: is cut off, or not a file that torch saved" in refused(*line, "npu")
    assert "give it as --max-latency" in refused(*line, "pixel9")
    for value in ("0", "-1", "nan", "inf"):
        message = refused(*line, "npu", "--max-latency", value)
        assert message == f"--max-latency {value}: give the greatest latency it was trained on, in ms, above 0"
    (folder / "few.csv").write_text("\n".join([head, *rows[:15]]))
    assert refused("import-predictor", "empty.pt", "few.csv", "--space", "pn", "--metric", "npu").startswith(
        "few.csv: 15 different networks are too few"
    )
