"""A base installation: what torch, torchvision, ofa, torchprofile, onnx and run-times are not needed for."""

import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from blockprof.foundation import extras
from blockprof.foundation.extras import EXTRAS

ABSENT = ("torch", "torchvision", "ofa", "torchprofile", "onnx", "onnxruntime", "openvino", "MNN", "_tools", "ncnn")

# In a process of its own: neither the modules nor what is known of their packages can be found.
BASE = f"""
import importlib.metadata, sys
ABSENT = {ABSENT}

class Without:
    def __init__(self, finder):
        self.finder = finder
    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] in ABSENT else self.finder.find_spec(name, path, target)
    def __getattr__(self, name):
        return getattr(self.finder, name)

sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
found = importlib.metadata.Distribution.from_name.__func__

def from_name(cls, name):
    if name in ABSENT:
        raise importlib.metadata.PackageNotFoundError(name)
    return found(cls, name)

importlib.metadata.Distribution.from_name = classmethod(from_name)
from blockprof.cli import app

for line in sys.argv[1:]:
    sys.argv = ["blockprof", *line.split()]
    try:
        app.main()
    except SystemExit as end:
        if end.code:
            raise
assert not set(ABSENT) & {{name.partition(".")[0] for name in sys.modules}}
"""


@pytest.fixture
def base(folder: Path) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Runs commands, one after the other, where only the base installation is."""

    def run(*lines: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run([sys.executable, "-c", BASE, *lines], capture_output=True, text=True, timeout=300)

    return run


def test_the_base_installation_trains_profiles_reduces_and_searches(base: Callable) -> None:
    done = base(
        "fetch-data -s pn -n 100",
        "train-predictor -s pn",
        "profile -s pn -m npu,accuracy,flops,params,conv_macs -q",
        "profile -s resnet50 --no-log -q",
        "profile -s mbv3 -m macs --no-log -q",
        "reduce --from latest --cost npu -q",
        "search -s pn --initial 20 --generations 1 --children 5 --out front.csv -q",
        "predict front.csv -s pn -m npu,flops -q",
        "runs -q",
        "predictors -q",
        "doctor -q",
        "fetch-data --list -q",
        "export run latest -q",
    )
    assert done.returncode == 0, done.stderr
    assert "registered blockprof-pn-npu version 1" in done.stdout


@pytest.mark.parametrize(
    ("line", "what", "extra"),
    [
        ("measure -s pn", "measuring needs onnx", "measure"),
        ("measure -s pn --blocks", "measuring needs onnx", "measure"),
        ("measure -s pn --runtime all", "measuring needs onnx", "measure"),
        ("profile -s pn -m ort-cpu", "measuring ort-cpu needs onnx", "measure"),
        ("profile -s pn -m openvino-int8", "measuring openvino-int8 needs onnx", "measure"),
        ("search -s pn --verify 2", "measuring what is found needs onnx", "measure"),
        ("export networks -s pn -o x", "writing ONNX needs onnx", "measure"),
        ("export predictor blockprof-pn-npu", "writing ONNX needs onnx", "measure"),
        ("train-predictor -s pn --model gru", "training a gru needs torch", "gru"),
        ("import-predictor x.pt -s pn -m npu", "reading BlockProfile's predictors needs torch", "gru"),
        ("profile -s pn -m accuracy --data x", "accuracy in the supernet needs torch", "supernet"),
        ("cache-imagenet --data x", "caching images needs torch", "supernet"),
    ],
)
def test_a_command_that_needs_an_extra_says_which_before_any_work(
    line: str, what: str, extra: str, refused: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = extras.find_spec
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name in ABSENT else find(name))
    assert refused(*line.split()) == f"{what}, which is not installed: `pip install 'blockprof[{extra}]'`"


def test_the_extras_are_those_of_the_package() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    declared = {name: " ".join(needs) for name, needs in project["optional-dependencies"].items()}
    for extra, modules in EXTRAS.items():
        assert all(module in declared[extra] for module in modules)
    base = " ".join(project["dependencies"])
    assert not any(module in base for modules in EXTRAS.values() for module in modules)
    assert all(extra in declared["all"] for extra in (*EXTRAS, "runtimes", "sklearn"))
    assert "blockprof[all]" in declared["dev"]
