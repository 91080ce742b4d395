"""Predictors of spaces that came from files."""

import json
from pathlib import Path

import numpy as np
import pytest
from known_spaces import OWN, write_own

from blockprof.foundation.errors import DataFileError
from blockprof.latency_data import LatencyData
from blockprof.predictors.blockwise import BlockwiseModel, load_blockwise
from blockprof.predictors.fitting import fit_sound_rows
from blockprof.spaces import Space, load_space, registered
from blockprof.spaces.sampling import sample_architectures

pytestmark = pytest.mark.usefixtures("own_spaces")


def trained(space: Space) -> BlockwiseModel:
    rng = np.random.default_rng(0)
    archs = sample_architectures(space, 40, rng)
    costs = np.append(rng.uniform(0.1, 1.0, len(space.instances)), 0.0)
    data = LatencyData(archs, np.full(40, 32), 2.0 + costs[archs.ids].sum(axis=1), "board")
    model = fit_sound_rows(data, "mine").model
    assert isinstance(model, BlockwiseModel)
    return model


def test_a_saved_predictor_carries_its_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLOCKPROF_CACHE", str(tmp_path / "cache"))
    plain = OWN.replace("operators: {mine: my_operators.py:build}\n", "").replace("operator: mine", "operator: conv")
    (tmp_path / "own.yaml").write_text(plain)
    space = load_space(str(tmp_path / "own.yaml"))
    model = trained(space)
    model.save(tmp_path / "saved")
    monkeypatch.delitem(registered._SPACES._things, "own")
    again = load_blockwise(tmp_path / "saved")
    assert again.space == space
    assert load_space("own") == space
    archs = sample_architectures(space, 5, np.random.default_rng(1))
    np.testing.assert_array_equal(again.predict(archs, 32).latency_ms, model.predict(archs, 32).latency_ms)
    monkeypatch.delitem(registered._SPACES._things, "own")
    (tmp_path / "own.yaml").write_text(plain.replace("channels: 16", "channels: 24"))
    load_space(str(tmp_path / "own.yaml"))
    with pytest.raises(DataFileError, match="of another definition of the space own"):
        load_blockwise(tmp_path / "saved")


def test_a_saved_predictor_brings_no_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLOCKPROF_CACHE", str(tmp_path / "cache"))
    trained(load_space(write_own(tmp_path))).save(tmp_path / "saved")
    facts = json.loads((tmp_path / "saved" / "model.json").read_text())
    assert facts["space_definition"] == ""
    monkeypatch.delitem(registered._SPACES._things, "own")
    with pytest.raises(DataFileError, match="of an unknown space"):
        load_blockwise(tmp_path / "saved")
    crafted = OWN.replace("my_operators.py:build", "os:system")
    (tmp_path / "saved" / "model.json").write_text(json.dumps({**facts, "space_definition": crafted}))
    with pytest.raises(DataFileError, match="of an unknown space"):
        load_blockwise(tmp_path / "saved")
