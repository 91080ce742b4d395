"""Run-times on the command line: which work, each in turn, and what fails."""

import re
import tempfile
from collections.abc import Callable
from pathlib import Path

import broken_runtimes
import pandas as pd
import pytest
from broken_runtimes import runtime

from blockprof.evaluators.runtimes import RUNTIMES, find_runtime, register_runtime

QUICK = ("-s", "pn", "-n", "2", "--resolution", "128", "--rounds", "1", "--time-limit", "0.1", "--no-log")


@pytest.fixture(autouse=True)
def own_lock(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = str(tmp_path_factory.mktemp("temporary"))
    monkeypatch.setenv("TMPDIR", temporary)
    monkeypatch.setattr(tempfile, "tempdir", temporary)


def only(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Let there be these run-times only."""
    monkeypatch.setattr(RUNTIMES, "names", lambda: names)


def test_one_that_fails_and_one_that_is_missing_leave_the_others(
    folder: Path, cli: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    crashing = register_runtime(runtime(broken_runtimes.Crashes))
    absent = register_runtime(runtime(broken_runtimes.Engine, name="absent", title="Absent", needs=("no_such_module",)))
    only(monkeypatch, "onnxruntime", crashing.name, absent.name)
    outcome = cli("measure", *QUICK, "--runtime", "all")
    assert outcome.returncode == 1
    assert "note: Absent is not installed: `pip install nothing`" in outcome.stderr
    assert "note: crashes is left out: Crashes on pn mbconv2" in outcome.stderr
    assert "its process ended by SIGABRT" in outcome.stderr
    assert outcome.stderr.splitlines()[-1] == "error: crashes could not be measured: the notes above say why"
    assert "onnxruntime │ 2 " in outcome.stdout
    record = pd.read_csv(folder / "blockprof-data" / "ofa_pn_onnxruntime_lat_data.record.csv")
    assert record[["runtime", "precision"]].drop_duplicates().to_numpy().tolist() == [["onnxruntime", "fp32"]]
    refused = cli("measure", *QUICK, "--runtime", "all", "--metric", "mine")
    assert (refused.returncode, "each run-time has a metric of its own" in refused.stderr) == (2, True)

    examined = cli("doctor")
    assert examined.returncode == 0, examined.stderr
    rows = {line.split()[0]: line for line in examined.stdout.splitlines() if "│" in line}
    assert "fp32, int8" in rows["onnxruntime"]
    assert find_runtime("onnxruntime").version() in rows["onnxruntime"]
    assert "nothing" in rows["absent"]
    assert f"data: {(folder / 'blockprof-data').absolute()}" in examined.stdout
    assert "MLflow store: sqlite:///" in examined.stdout


def test_int8_is_measured_under_its_own_name(folder: Path, cli: Callable) -> None:
    outcome = cli("measure", *QUICK, "--runtime", "onnxruntime", "--precision", "int8")
    assert outcome.returncode == 0, outcome.stderr
    assert "ONNX Runtime int8 CPU 1 thread" in outcome.stdout
    found = re.search(r"int8 logits of one network, .* by (0\.\d+) \(greatest difference (\d+) %", outcome.stdout)
    assert 0.8 < float(found[1]) < 1
    assert 1 < float(found[2]) < 100
    assert (folder / "blockprof-data" / "ofa_pn_onnxruntime-int8_lat_data.csv").exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--runtime", "tflite"), "unknown runtime 'tflite': there are"),
        (("--precision", "fp16"), "ONNX Runtime has no fp16 here: it has fp32, int8"),
        (("--runtime", "openvino", "--provider", "CUDAExecutionProvider"), "OpenVINO has no providers to choose from"),
    ],
)
def test_what_there_is_not_is_refused(folder: Path, cli: Callable, given: tuple[str, ...], said: str) -> None:
    outcome = cli("measure", *QUICK, *given)
    assert outcome.returncode == 2
    assert said in outcome.stderr
    assert not (folder / "blockprof-data").exists()


def test_doctor_installs_only_what_has_an_environment_of_its_own(
    folder: Path, cli: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLOCKPROF_RUNTIMES", str(folder / "runtimes"))
    for name, said in (
        ("openvino", "OpenVINO needs no environment of its own: `pip install 'blockprof[openvino]'`"),
        ("tflite", "unknown runtime 'tflite': there are"),
    ):
        outcome = cli("doctor", "--install", name)
        assert (outcome.returncode, said in outcome.stderr) == (2, True)
    outcome = cli("measure", *QUICK, "--runtime", "litert")
    assert outcome.returncode == 2
    assert "LiteRT is not installed (there is no ai_edge_litert, litert_torch)" in outcome.stderr
    assert "`blockprof doctor --install litert`" in outcome.stderr
    assert not (folder / "runtimes").exists()


def test_each_batch_is_a_metric_of_its_own(folder: Path, cli: Callable, refused: Callable) -> None:
    outcome = cli("measure", *QUICK, "--runtime", "onnxruntime", "--batch", "1,4")
    assert outcome.returncode == 0, outcome.stderr
    names = [f"ofa_pn_onnxruntime{suffix}_lat_data.csv" for suffix in ("", "-b4")]
    one, four = (pd.read_csv(folder / "blockprof-data" / name) for name in names)
    assert one["net_str"].tolist() == four["net_str"].tolist()
    assert (four["end-to-end lat"] > 1.5 * one["end-to-end lat"]).all()
    assert four["device"].str.endswith("1 thread batch 4").all()
    for text in ("0", "1,x", ""):
        assert refused("measure", *QUICK, "--batch", text).startswith("--batch '")
