"""The cache of pieces: on disk, damaged, not writable, shared."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from blockprof.networks.onnx import FragmentStore, compose_bytes
from blockprof.spaces import ABSENT, Architectures, Space, load_space

RESOLUTION = 128


def smallest(space: Space) -> Architectures:
    depths = np.array([min(unit.depths) for unit in space.units])
    return Architectures(space, np.where(space.slot_layer < depths[space.slot_unit], 0, ABSENT)[None])


def make(space: Space, seed: int = 0) -> bytes:
    return compose_bytes(FragmentStore(space, seed), smallest(space), resolution=RESOLUTION)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BLOCKPROF_CACHE", str(tmp_path))
    return tmp_path


def kept_files(folder: Path) -> dict[str, Path]:
    return {path.name: path for path in folder.rglob("*") if path.is_file()}


def test_pieces_are_kept_and_read_back(folder: Path) -> None:
    space = load_space("pn")
    first = make(space)
    kept = kept_files(folder)
    assert {"stem.fragment", "head.fragment", "u1.first.e3k3.fragment", "u5.rest.e3k3.fragment"} < kept.keys()
    (cached,) = (folder / "onnx").iterdir()
    assert all(part in cached.name for part in ("pn", "seed0", "torch", "ofa", "onnx"))
    written = {name: path.stat().st_mtime_ns for name, path in kept.items()}
    assert make(space) == first
    assert {name: path.stat().st_mtime_ns for name, path in kept_files(folder).items()} == written


def test_damaged_pieces_are_exported_again(folder: Path) -> None:
    space = load_space("pn")
    first = make(space)
    kept = kept_files(folder)
    emptied, cut, flipped = (kept[f"{name}.fragment"] for name in ("stem", "u3.first.e3k3", "u5.rest.e3k3"))
    contents = {path: path.read_bytes() for path in (emptied, cut, flipped)}
    emptied.write_bytes(b"")
    cut.write_bytes(contents[cut][:-1])
    middle = len(contents[flipped]) // 2
    content = bytearray(contents[flipped])
    content[middle] ^= 1
    flipped.write_bytes(content)
    assert make(space) == first
    assert {path: path.read_bytes() for path in contents} == contents


def test_a_cache_that_cannot_be_written_only_costs_time(folder: Path) -> None:
    space = load_space("pn")
    (folder / "onnx").write_text("a file where the folder should be")
    with pytest.warns(UserWarning, match="cannot keep ONNX pieces .* exported again each time"):
        found = make(space)
    (folder / "onnx").unlink()
    assert make(space) == found


def test_weights_follow_from_seed_and_piece_alone(folder: Path) -> None:
    space = load_space("pn")
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    first = make(space)
    assert torch.equal(torch.rand(3), expected), "the caller's random numbers are left alone"
    assert make(space, seed=1) != first
    whole = FragmentStore(space)
    for path in folder.rglob("*.fragment"):
        path.unlink()
    # Another network now brings the block instances into being.
    stem_first = whole.fragment("stem")
    assert compose_bytes(whole, smallest(space), resolution=RESOLUTION) == first
    assert stem_first.weights == FragmentStore(space).fragment("stem").weights


PROGRAM = """
import hashlib, sys
from blockprof.networks.onnx import FragmentStore, compose_bytes
from blockprof.spaces import Architectures, load_space

archs = Architectures.from_strings(load_space("pn"), [sys.argv[1]])
network = compose_bytes(FragmentStore(archs.space), archs, resolution=128)
print(hashlib.sha256(network).hexdigest(), "torch" in sys.modules)
"""


def test_processes_at_once(folder: Path) -> None:
    """Two processes fill one cache; a third reads it, and needs no torch for that."""
    command = [sys.executable, "-W", "error", "-c", PROGRAM, smallest(load_space("pn")).to_strings()[0]]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    first, second = (subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(2))
    outputs = [first.communicate()[0].split(), second.communicate()[0].split()]
    third = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    assert third == [third[0], "False"]
    assert [output[0] for output in outputs] == [third[0], third[0]]
    assert all(name.endswith(".fragment") for name in kept_files(folder))
