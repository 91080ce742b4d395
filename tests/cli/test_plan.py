"""``blockprof plan``: one network, measured as a user would."""

import tempfile
from collections import Counter
from pathlib import Path

import mlflow
import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest

import blockprof
from blockprof.api import planning
from blockprof.evaluators.precisions import PRECISIONS
from blockprof.networks.onnx.composing import piece_names

PN = blockprof.load_space("pn")
NET = "|".join(["mbconv2_e3_k7->mbconv2_e6_k3", *["mbconv2_e4_k3->mbconv2_e3_k5"] * 4, "mbconv2_e6_k3"])


@pytest.fixture(autouse=True)
def quick(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock of this test's own, and one short visit of each plan."""
    place = tmp_path_factory.mktemp("temporary")
    monkeypatch.setenv("TMPDIR", str(place))
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    monkeypatch.setattr(planning, "ROUNDS", 1)
    monkeypatch.setattr(planning, "TIME_LIMIT_S", 0.05)


def test_a_network_is_planned_written_logged_and_not_measured_again(cli, folder: Path) -> None:
    asked = ("plan", NET, "-s", "pn", "--resolution", "128", "-n", "40", "--out", "mixed.onnx")
    outcome = cli(*asked, "--name", "planned")
    assert outcome.returncode == 0, outcome.stderr
    assert "fitted to 40 measured plans, each predicted from the others to" in outcome.stdout
    assert "accuracy is not looked at; the weights are random" in outcome.stdout
    (run,) = mlflow.search_runs(search_all_experiments=True, output_format="list")
    assert run.info.run_name == "planned"
    table = pd.read_csv(mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="plan.csv"))
    arch = blockprof.Architectures.from_strings(PN, [NET])
    assert table["piece"].tolist() == piece_names(arch, 0)
    quantizing = Counter(
        node.name.split("/")[0] for node in onnx.load("mixed.onnx").graph.node if node.op_type == "QuantizeLinear"
    )
    assert set(quantizing) == set(table["piece"][table["precision"] == "int8"])
    session = onnxruntime.InferenceSession("mixed.onnx", providers=["CPUExecutionProvider"])
    (logits,) = session.run(None, {"image": np.zeros((1, 3, 128, 128), np.float32)})
    assert logits.shape == (1, 1000)
    assert np.isfinite(logits).all()
    metrics = run.data.metrics
    assert metrics["fastest.predicted_ms"] <= min(metrics["all_fp32.predicted_ms"], metrics["all_int8.predicted_ms"])
    again = cli(*asked, "--no-log")
    assert "resuming what was measured before; remove it to measure again" in again.stderr
    assert again.stdout.splitlines()[:20] == outcome.stdout.splitlines()[:20]


def test_what_is_verified_is_measured_and_drawn(folder: Path) -> None:
    found = blockprof.plan("pn", NET, resolution=128, num_plans=40, verify=True)
    frame = found.comparison_frame()
    assert frame["plan"].tolist() == ["fastest", "all fp32", "all int8"]
    assert (frame["measured_ms"] > 0).all()
    errors = 100 * (frame["predicted_ms"] / frame["measured_ms"] - 1)
    np.testing.assert_allclose(frame["error_percent"], errors)
    assert set(found.to_pandas()["precision"]) <= set(PRECISIONS)
    (axes,) = found.plot().axes
    assert [label.get_text() for label in axes.get_xticklabels()] == list(found.pieces)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((NET, "--runtime", "ncnn"), "ncnn has no int8 here: it has"),
        ((NET, "-n", "20"), "--num-plans 20: give at least 40"),
        ((NET, "--resolution", "100"), "resolution 100: pn takes 128 to 256"),
        (("nosuch",), "1 units, but pn has 6"),
    ],
)
def test_what_cannot_be_planned(arguments: tuple[str, ...], message: str, refused) -> None:
    assert message in refused("plan", *arguments, "-s", "pn")


def test_several_networks(refused, folder: Path) -> None:
    (folder / "nets.txt").write_text(f"{NET}\n{NET.replace('k7', 'k5')}\n")
    assert refused("plan", "nets.txt", "-s", "pn") == "2 networks: give one"
