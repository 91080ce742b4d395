"""Files of others are read as numbers and text: no pickle and no tag of YAML in them is run."""

import ast
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from codes import coded

from blockprof import predictors
from blockprof.fetching.reference import reference_data
from blockprof.foundation.errors import DataFileError
from blockprof.metrics.lookup import _read_table
from blockprof.predictors.gru import training
from blockprof.spaces import load_space

REPOSITORY = Path(__file__).parents[2]
UNSAFE = {
    "eval",
    "exec",
    "compile",
    "pickle.load",
    "pickle.loads",
    "pd.read_pickle",
    "yaml.unsafe_load",
    "yaml.full_load",
}


class Touch:
    """What makes a folder where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    return tmp_path / "ran"


def test_the_canary_works(canary: Path) -> None:
    pickle.loads(pickle.dumps(Touch(canary)))
    assert canary.exists()


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.mkdir", "!!python/object/new:os.mkdir"])
def test_a_tag_in_a_look_up_table(canary: Path, tmp_path: Path, tag: str) -> None:
    table = tmp_path / "table.yaml"
    table.write_text(f"block: {{mean: {tag} [{canary}]}}\n")
    with pytest.raises(DataFileError, match=str(table)):
        _read_table(table)
    assert not canary.exists()


def test_a_pickle_in_a_predictor(canary: Path, tmp_path: Path) -> None:
    data = reference_data(load_space("pn"), "npu", 40, seed=0)
    predictors.fit_blockwise(data, "npu", data.resolutions).save(tmp_path / "model")
    with np.load(tmp_path / "model" / "costs.npz") as file:
        arrays = dict(file)
    arrays["costs_ms"] = np.array([Touch(canary)], dtype=object)
    np.savez(tmp_path / "model" / "costs.npz", allow_pickle=True, **arrays)
    with pytest.raises(DataFileError, check=coded("not-a-predictor")):
        predictors.load_predictor(tmp_path / "model")
    assert not canary.exists()


def test_a_pickle_in_a_checkpoint_of_the_gru(canary: Path, tmp_path: Path) -> None:
    checkpoint = tmp_path / "gru.checkpoint"
    torch.save({"fingerprint": Touch(canary)}, checkpoint)
    data = reference_data(load_space("pn"), "npu", 40, seed=0)
    with pytest.raises(DataFileError, check=coded("not-a-journal")):
        training.fit_gru(data.select(np.arange(30)), data.select(np.arange(30, 40)), "npu", checkpoint=checkpoint)
    assert not canary.exists()


def _calls() -> list[tuple[Path, ast.Call]]:
    return [
        (file, node)
        for package in ("blockprof", "cli", "predictors")
        for file in (REPOSITORY / package).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call)
    ]


def test_nothing_that_could_run_code_is_called() -> None:
    """Each reader that could is called such that it does not."""
    needed = {"torch.load": "weights_only=True", "np.load": "allow_pickle=False", "yaml.load": "Loader="}
    seen = set()
    for file, call in _calls():
        name = ast.unparse(call.func)
        assert name not in UNSAFE, (file, name)
        # ncnn's method of that name reads weights.
        assert not name.endswith("load_model") or file.name in ("asking.py", "ncnn.py"), (file, "code of a registry")
        if name in needed:
            seen.add(name)
            assert needed[name] in ast.unparse(call), (file, ast.unparse(call))
    assert seen == needed.keys()
