"""A package that brings a space, a metric, a kind of predictors and an algorithm of its own, installed with pip: the
main job on them, command after command, in processes of their own.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import yaml

PLUGIN = Path(__file__).parents[1] / "plugin"
SIZE = ("--resolution", "96")
PREDICT = """
import mlflow, sys
try:
    import blockprof_tiny
    sys.exit("the package is installed here: the test shows nothing")
except ModuleNotFoundError:
    pass
rows = mlflow.pyfunc.load_model("models:/blockprof-tiny-board@champion")
import pandas as pd
rows.predict(pd.read_csv("blockprof-data/ofa_tiny_board_lat_data.csv")).to_csv("predicted.csv", index=False)
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a process for which the package is installed, in a folder of its own."""
    folder = tmp_path_factory.mktemp("plugin")
    source, target = folder / "source", folder / "installed"
    shutil.copytree(PLUGIN, source)
    install = ("install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target", target, source)
    done = subprocess.run([sys.executable, "-m", "pip", *install], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "BLOCKPROF_DATA"))}
    return {**kept, "PYTHONPATH": str(target), "COLUMNS": "100"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tiny")


@pytest.fixture(scope="module")
def blockprof(environment: dict[str, str], place: Path) -> Callable[..., str]:
    """Runs ``blockprof ARGUMENTS`` as a process, which must succeed; gives what it printed."""

    def run(*arguments: str) -> str:
        program = Path(sys.executable).with_name("blockprof")
        done = subprocess.run([program, *arguments], env=environment, cwd=place, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return " ".join(done.stdout.split())

    return run


def test_what_it_brings_conforms(environment: dict[str, str], place: Path) -> None:
    # Those of the copy: beside the repository's tests, `blockprof` would be their folder of that name.
    tests = Path(environment["PYTHONPATH"]).with_name("source") / "test_tiny.py"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", tests]
    done = subprocess.run(command, env=environment, cwd=place, capture_output=True, text=True)
    assert "4 passed" in done.stdout, done.stdout


def test_the_whole_loop(environment: dict[str, str], place: Path, blockprof: Callable[..., str]) -> None:
    quick = ("--rounds", "1", "--time-limit", "0.05", "--width", "50")
    said = blockprof("measure", "-s", "tiny", "-m", "board", "-n", "24", *quick, *SIZE)
    assert "24 networks of ProxylessNAS, cut down (tiny) at resolution 96" in said
    said = blockprof("train-predictor", "-s", "tiny", "-m", "board", "--model", "ridge")
    assert "registered blockprof-tiny-board version 1, it is the champion now" in said
    assert " ridge " in said

    said = blockprof("profile", "-s", "tiny", "-m", "board,depth", *SIZE, "--name", "profiled")
    assert "board (ms): predicted by blockprof-tiny-board v1" in said
    assert "Sampler paper, exact for the predictor, intervals" in said
    assert "random networks: 8.500 layers" in said
    assert "depth (layers)" in blockprof("profile", "-s", "tiny", *SIZE, "--no-log"), "its space's default metric"

    blockprof("reduce", "--from", "profiled", "--cost", "board")
    reduction = yaml.safe_load((place / "reduction-tiny-board.yaml").read_text())
    assert reduction["space"] == "tiny"

    small = ("--initial", "20", "--generations", "2", "--children", "20", "--algorithm", "climb")
    asked = ("--maximize", "depth", "--minimize", "board", "--reduction", "reduction-tiny-board.yaml")
    said = blockprof("search", "-s", "tiny", *asked, *small, *SIZE, "--name", "searched")
    assert "Search: climb, seed 0" in said

    blockprof("export", "network", "--run", "searched", "--pick", "1", "--out", "net.onnx", "--no-check")
    session = onnxruntime.InferenceSession(place / "net.onnx", providers=["CPUExecutionProvider"])
    assert session.get_inputs()[0].shape == [1, 3, 96, 96]
    assert "on 1,000 random networks" in blockprof("export", "predictor", "blockprof-tiny-board", "--out", "p.onnx")

    bare = {name: value for name, value in environment.items() if name != "PYTHONPATH"}
    done = subprocess.run([sys.executable, "-c", PREDICT], env=bare, cwd=place, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    predicted = np.loadtxt(place / "predicted.csv", delimiter=",", skiprows=1)
    assert predicted.shape == (24, 3)
    assert (predicted[:, 0] > 0).all()
