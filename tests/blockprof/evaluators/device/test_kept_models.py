"""Converted models are kept: by the network, and the versions of what converts it."""

import os
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import broken_runtimes
import pytest
from broken_runtimes import runtime

from blockprof.evaluators.device import MeasureSpec, kept_models
from blockprof.evaluators.device.kept_models import KeptModels
from blockprof.evaluators.device.process import RuntimeProcess
from blockprof.evaluators.runtimes import Runtime, find_runtime

QUICK = MeasureSpec(rounds=1, min_runs=6, max_runs=6, time_limit_s=0.2)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BLOCKPROF_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "models"


def counting(folder: Path, **changed: object) -> Runtime:
    """A run-time that leaves a file in ``folder`` for each conversion."""
    return runtime(broken_runtimes.Counts, converters=("numpy",), install=str(folder), **changed)


def keep(kept: KeptModels, network: bytes, folder: Path, size: int = 10) -> None:
    (folder / "part").mkdir(parents=True)
    (folder / "part" / "model").write_bytes(bytes(size))
    (folder / "network.onnx").write_bytes(network)
    kept.keep(network, folder / "part" / "model", folder)


def test_a_network_is_converted_once_by_all_processes(conv_model, cache, tmp_path, monkeypatch):
    monkeypatch.setenv("BLOCKPROF_TEST_COUNT", str(tmp_path / "count"))
    found = counting(tmp_path)

    def convert(changed, model):
        with RuntimeProcess(changed, QUICK) as running:
            running.load("network", "net", 1, lambda: model)
            assert len(running.time("network", "net")[1]) == 6
        return len((tmp_path / "count").read_text())

    first, second = conv_model(layers=1), conv_model(layers=2)
    assert [convert(found, model) for model in (first, first, second, first)] == [1, 1, 2, 2]
    assert convert(replace(found, converters=("onnx",)), first) == 3, "another converter"
    assert convert(replace(found, converters=()), first) == 4, "one that is not worth it"
    assert len(list(cache.glob("*.zip"))) == 3
    assert not list(cache.glob("*.lock"))


@pytest.mark.parametrize("name", ["mnn", "ncnn"])
def test_what_is_kept_gives_the_same(name, conv_model, cache):
    found = find_runtime(name)
    if found.missing:
        pytest.skip(f"{found.title} is not installed")
    made = []
    for _ in range(2):
        with RuntimeProcess(found, QUICK) as running:
            running.load("network", "net", 1, conv_model)
            made.append(running.outputs("network", "net")[0])
    (file,) = cache.glob("*.zip")
    assert version(found.distributions[0]) == found.version()
    assert (made[0] == made[1]).all()
    assert file.stat().st_size > 1000


def test_each_precision_and_converter_has_its_own(tmp_path):
    found = counting(tmp_path)
    keep(KeptModels(found, "fp32"), b"network", tmp_path / "made")
    model = KeptModels(found, "fp32").find(b"network", tmp_path / "again")
    assert model == tmp_path / "again" / "part" / "model"
    assert model.read_bytes() == bytes(10)
    assert sorted(path.name for path in (tmp_path / "again").iterdir()) == ["part"], "the network is not kept"
    for other in (KeptModels(found, "int8"), KeptModels(replace(found, name="another"), "fp32")):
        assert other.find(b"network", tmp_path / "none") is None
    assert KeptModels(found, "fp32").find(b"another network", tmp_path / "none") is None


def test_a_damaged_one_is_made_again(tmp_path, cache):
    kept = KeptModels(counting(tmp_path), "fp32")
    keep(kept, b"network", tmp_path / "made", size=5000)
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    for damaged in (b"", whole[:100], whole[:2000] + b"?" + whole[2001:]):
        file.write_bytes(damaged)
        assert kept.find(b"network", tmp_path / "again") is None
    keep(kept, b"network", tmp_path / "once more", size=5000)
    assert kept.find(b"network", tmp_path / "again") is not None


def test_those_that_were_used_longest_ago_go(tmp_path, cache, monkeypatch):
    kept = KeptModels(counting(tmp_path), "fp32")
    monkeypatch.setattr(kept_models, "MAX_BYTES", 3500)
    for number in range(3):
        keep(kept, bytes([number]), tmp_path / str(number), size=1000)
        (newest,) = set(cache.glob("*.zip")) - {path for path in cache.glob("*.zip") if path.stat().st_mtime < 1000}
        os.utime(newest, (number, number))
    assert kept.find(b"\0", tmp_path / "used") is not None  # so the second is the oldest now
    keep(kept, b"\3", tmp_path / "3", size=1000)
    there = [kept.find(bytes([number]), tmp_path / "there") is not None for number in range(4)]
    assert there == [True, False, True, True]


def test_a_folder_that_cannot_be_written_keeps_nothing(tmp_path, cache):
    cache.parent.mkdir()
    cache.write_text("a file")
    kept = KeptModels(counting(tmp_path), "fp32")
    keep(kept, b"network", tmp_path / "made")
    assert kept.find(b"network", tmp_path / "again") is None


def test_several_processes_keep_and_make_room_at_once(tmp_path, cache):
    script = (
        "import sys\nfrom pathlib import Path\nimport test_kept_models as test\n"
        "from blockprof.evaluators.device import kept_models\n"
        "kept_models.MAX_BYTES = 20_000\n"
        "kept = kept_models.KeptModels(test.counting(Path()), 'fp32')\n"
        "for number in range(60):\n"
        "    network, folder = bytes([number % 20]), Path(sys.argv[1]) / str(number)\n"
        "    test.keep(kept, network, folder, size=1500)\n"
        "    model = kept.find(network, folder / 'again')\n"
        "    assert model is None or model.read_bytes() == bytes(1500)\n"
    )
    path = os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path / str(each))], env=os.environ | {"PYTHONPATH": path}
        )
        for each in range(3)
    ]
    assert [process.wait() for process in processes] == [0, 0, 0]
    assert 1500 < sum(file.stat().st_size for file in cache.iterdir()) <= 20_000
