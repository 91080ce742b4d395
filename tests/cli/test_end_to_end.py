"""The main job, command after command, as a user does it."""

import time
from pathlib import Path

import mlflow
import numpy as np
import onnxruntime
import pandas as pd
import pytest
from mlflow import MlflowClient

from blockprof import tracking
from blockprof.latency_data import read_latency_csv
from blockprof.spaces import load_space
from blockprof.spaces.sampling import sample_architectures

PN = load_space("pn")
HEADER = "net_id,net_str,device,resolution,lat unit,end-to-end lat"


@pytest.fixture
def good(cli):
    """Runs a command that must succeed and say nothing on stderr but what to run next; gives what it printed."""

    def run(line: str) -> str:
        outcome = cli(*line.split())
        assert (outcome.returncode, outcome.stderr) == (0, ""), outcome
        assert outcome.hints.splitlines()[-1].startswith("next: "), outcome
        return outcome.stdout

    return run


def logged(name: str) -> mlflow.entities.Run:
    return MlflowClient().get_run(tracking.find_run(name).id)


def test_fetched_data_says_that_it_is_reference(in_trained: Path) -> None:
    data = read_latency_csv("blockprof-data/ofa_pn_npu_reference.csv", PN)
    assert len(data) == 300
    assert data.device == "reference-npu"
    runs = mlflow.search_runs(
        search_all_experiments=True, filter_string="tags.`blockprof.command` = 'fetch-data' AND status = 'FINISHED'"
    )
    assert runs["tags.blockprof.data_origin"].iloc[-1] == "reference"
    assert runs["params.source"].iloc[-1] == "reference"


def test_a_profile_after_training_uses_the_champion_and_says_on_what_it_was_trained(good, in_trained: Path) -> None:
    shown = good("profile --space pn --no-log")
    source = "predicted by blockprof-pn-npu v1, trained on 240 networks of reference-npu"
    assert f"npu (ms): {source}; mean error" in shown
    assert "Sampler paper, exact for the predictor, intervals" in shown
    run = logged("profiled")
    assert run.data.tags["blockprof.data_origin"] == "predicted,reference"
    assert run.data.tags["blockprof.source.npu"] == run.data.tags["blockprof.predictor"] == source
    assert run.data.params["num_archs"] == "exact,exact"
    frames = tracking.load_frames(tracking.find_run("profiled"))
    assert len(frames["placements"]) == 2 * 189
    assert not any(".effect/" in name for name in run.data.metrics), "they are in tables: each would be a chart"
    assert len(run.data.metrics) == 1 + 2 * (1 + 9)
    note = run.data.tags["mlflow.note.content"]
    assert note.startswith("**npu (ms), predicted; random networks: ")
    assert "- avoid u6.l1.e6k7 (+" in note
    assert note.splitlines()[-1].startswith("    "), "the command"
    (used,) = run.inputs.model_inputs
    assert MlflowClient().get_logged_model(used.model_id).name == "blockprof-pn-npu"
    table = MlflowClient().load_table(run.info.experiment_id, "placements.json", [run.info.run_id])
    assert table["contrast"].tolist() == pytest.approx(frames["placements"]["contrast"].tolist())
    for row in frames["responses"].itertuples():
        assert run.data.metrics[f"{row.metric}.response/{row.block}"] == pytest.approx(row.response)


def test_several_metrics_sampled(good, in_trained: Path) -> None:
    blocks = "u1.l1.e3k3,u2.l1.e6k7,u2.l3.e4k5"
    line = f"profile -s pn -m npu,accuracy -m cpu -b {blocks} --num-archs 50 --sampler upstream --seed 3 --name sampled"
    shown = good(line)
    for label in ("npu (ms): predicted", "accuracy (%): reference table", "cpu (ms): reference table"):
        assert label in shown
    assert shown.count("Sampler upstream, 50 networks a placement.") == 3
    assert shown.count("(95 % interval)") == 3
    assert shown.count(" ± ") == 3 * (1 + 3)
    run = logged("sampled")
    assert run.data.tags["blockprof.data_origin"] == "predicted,reference"
    assert run.data.tags["blockprof.sampler"] == run.data.params["sampler"] == "upstream"
    placements = tracking.load_frames(tracking.find_run("sampled"))["placements"]
    assert placements["placement"].tolist() == 3 * blocks.split(",")
    assert placements["metric"].unique().tolist() == ["npu", "accuracy", "cpu"]
    assert (placements["n"] == 50).all()
    assert (placements["effect_lower"] < placements["effect_upper"]).all()


def test_joint_placements_alone(good, in_trained: Path) -> None:
    """No block has a response then: the run has no table or figure of responses."""
    joint = "u2.l1.e6k7+u3.l1.e3k3+u4.l2.e3k5+u5.l4.e6k7+u6.l1.e3k3"
    shown = good(f"profile --space pn --blocks {joint} --name joint")
    assert joint in shown
    assert "response of a block" not in shown
    run = logged("joint")
    assert {file.path for file in MlflowClient().list_artifacts(run.info.run_id)} == {
        "about.txt", "placements.csv", "placements.json", "random.csv", "report.html", "slowdowns.csv",
    }  # fmt: skip
    good(f"profile --space pn --blocks {joint} --name with-effects --log-effects")
    assert f"npu.effect/{joint.replace('+', ' ')}" in logged("with-effects").data.metrics


def test_no_log_leaves_no_file(good, folder: Path) -> None:
    good("profile --space mbv3 --metrics npu,accuracy --num-archs 20 --no-log")
    assert not list(folder.iterdir())


def test_training_without_logging_leaves_no_file(good, in_trained: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    shown = good(f"train-predictor --space pn {in_trained}/blockprof-data/ofa_pn_npu_reference.csv --no-log")
    assert "trained on 240 networks" in shown
    assert "registered" not in shown
    assert not list(tmp_path.iterdir())


def test_a_metric_of_ones_own(good, in_trained: Path) -> None:
    """In microseconds, from a folder fetched."""
    data = read_latency_csv("blockprof-data/ofa_pn_npu_reference.csv", PN)
    Path("measured").mkdir()
    nets = zip(data.archs.to_strings(), data.latencies_ms.tolist(), strict=True)
    rows = [f"{number},{net},pixel 9,224,us,{2000 * latency}" for number, (net, latency) in enumerate(nets)]
    Path("measured/mine.csv").write_text("\n".join([HEADER, *rows]))
    assert "300 networks, device pixel 9" in good("fetch-data --space pn --source measured")
    shown = good("train-predictor --space pn --metric pixel9 blockprof-data/measured/mine.csv")
    assert "registered blockprof-pn-pixel9 version 1, it is the champion now: there was none before" in shown
    shown = good("profile --space pn --metrics pixel9,npu --name own")
    assert "pixel9 (ms): predicted by blockprof-pn-pixel9 v1, trained on 240 networks of pixel 9; mean error" in shown
    means = tracking.load_frames(tracking.find_run("own"))["random"].set_index("metric")["mean"]
    assert means["pixel9"] == pytest.approx(2 * means["npu"], rel=0.01)


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_a_runs_tables_as_files(file_format: str, good, in_trained: Path, tmp_path: Path) -> None:
    folder = tmp_path / "tables"
    shown = good(f"export run profiled --format {file_format} --out {folder}")
    frames = tracking.load_frames(tracking.find_run("profiled"))
    assert set(frames) == {"placements", "random", "responses", "slowdowns", "trades"}
    assert shown.split() == [word for frame in frames for word in ("wrote", f"{folder}/{frame}.{file_format}")]
    for frame, expected in frames.items():
        path = folder / f"{frame}.{file_format}"
        read = pd.read_csv(path) if file_format == "csv" else pd.read_parquet(path)
        pd.testing.assert_frame_equal(read, expected, check_exact=True)


def test_a_run_is_exported_into_a_folder_of_its_name_by_its_id(good, in_trained: Path) -> None:
    good(f"export run {tracking.find_run('profiled').id}")
    files = {path.name for path in (in_trained / "profiled").iterdir()}
    assert files == {"placements.csv", "random.csv", "responses.csv", "slowdowns.csv", "trades.csv"}


def test_a_runs_name_does_not_lead_out_of_the_folder(good, in_trained: Path) -> None:
    good("fetch-data --space pn --num-nets 20 --out few --name ../elsewhere")
    good("export run ../elsewhere")
    assert not (in_trained.parent / "elsewhere").exists()
    assert (in_trained / tracking.find_run("../elsewhere").id / "files.csv").exists()


def test_a_predictor_as_onnx_equals_the_registered_model(good, in_trained: Path) -> None:
    shown = good("export predictor blockprof-pn-npu --out npu.onnx")
    assert shown.startswith("wrote npu.onnx\nequal to blockprof-pn-npu version 1 on 1,000 random networks")
    nets = sample_architectures(PN, 50, np.random.default_rng(5))
    session = onnxruntime.InferenceSession("npu.onnx", providers=["CPUExecutionProvider"])
    inputs = {"blocks": nets.blocks.astype(np.int64), "resolution": np.full(50, 224)}
    from_onnx = dict(zip([output.name for output in session.get_outputs()], session.run(None, inputs), strict=True))
    model = mlflow.pyfunc.load_model("models:/blockprof-pn-npu@champion")
    by_name = model.predict(pd.DataFrame({"net": nets.to_strings(), "resolution": np.full(50, 224)}))
    for column in ("latency_ms", "lower_ms", "upper_ms"):
        np.testing.assert_allclose(from_onnx[column], by_name[column], rtol=1e-9)


def test_the_default_name_of_an_onnx_file(good, in_trained: Path) -> None:
    assert "wrote blockprof-pn-npu-1.onnx" in good("export predictor blockprof-pn-npu/1")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("export run profiled --out file", "cannot write to the folder file"),
        ("export run profiled --out file/tables", "cannot write to the folder file/tables"),
        ("export predictor blockprof-pn-npu --out file/npu.onnx", "cannot write to the folder"),
        ("export predictor blockprof-pn-npu --out measurements", "cannot write to the folder"),
        ("export predictor blockprof-pn-npu/7", "'blockprof-pn-npu' has no such version or alias"),
        ("export predictor blockprof-pn-gpu", "no predictor 'blockprof-pn-gpu': there are blockprof-pn-"),
        ("export run 0123456789abcdef0123456789abcdef", "no run has the id or name"),
        ("profile --space pn --resolution 192", "blockprof-pn-npu v1 knows resolution 224, not 192"),
    ],
)
def test_bad_input_where_there_is_a_store(line: str, said: str, cli, in_trained: Path) -> None:
    Path("file").touch()
    Path("measurements").mkdir(exist_ok=True)
    runs = len(mlflow.search_runs(search_all_experiments=True))
    outcome = cli(*line.split())
    assert (outcome.returncode, outcome.stdout) == (2, "")
    assert outcome.stderr.startswith("error: ")
    assert outcome.stderr.count("\n") == 1
    assert said in outcome.stderr
    assert len(mlflow.search_runs(search_all_experiments=True)) == runs
    assert Path("file").read_text() == ""


def test_a_download_that_fails_is_a_failed_run(cli, in_trained: Path) -> None:
    start = time.monotonic()
    outcome = cli(
        *["fetch-data", "-s", "pn", "--name", "download", "--source", "http://127.0.0.1:9/x.csv", "--sha256"], "0" * 64
    )
    assert time.monotonic() - start < 15
    assert outcome.returncode == 1
    assert outcome.stderr.startswith("error: http://127.0.0.1:9/x.csv: ")
    run = logged("download")
    assert run.info.status == "FAILED"
    assert "http://127.0.0.1:9/x.csv" in run.data.tags["blockprof.failure"]


def test_files_of_both_spaces_may_be_fetched_as_a_folder(cli, folder: Path, shared_data: Path) -> None:
    outcome = cli("fetch-data", "--space", "pn", "--source", shared_data / "kirin", "--no-log")
    assert (outcome.returncode, outcome.stderr.count("\n")) == (0, 1)
    assert "kirin: not understood and left out: LICENSE (files that end in .csv" in outcome.stderr
    shown = outcome.stdout
    assert "ofa_mbv3_npu_lat_data.csv, 5,000 networks" in shown
    assert "ofa_pn_npu_lat_data.csv, 5,000 networks" in shown
