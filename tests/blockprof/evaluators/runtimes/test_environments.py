"""An environment of its own: what is installed into it comes first, and blockprof runs in it."""

import subprocess
import sys
import zipfile
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import broken_runtimes
import pytest

from blockprof.evaluators.device import MeasureSpec
from blockprof.evaluators.device.process import RuntimeProcess
from blockprof.evaluators.runtimes import Runtime, find_runtime
from blockprof.foundation.errors import BlockprofError, InputError

ENGINE = """
import filelock, sys
from pathlib import Path
from blockprof.evaluators.runtimes import Loaded

class Engine:
    def __init__(self, settings):
        pass

    def convert(self, network, shapes, folder):
        return network

    def load(self, model, feeds):
        import numpy
        version = float(filelock.OWN)
        return Loaded(run=lambda: None, read=lambda _: [numpy.array([version, sys.prefix == PREFIX])])
"""


def wheel(folder: Path, name: str, number: str, files: dict[str, str]) -> str:
    """A package as pip takes it without asking an index."""
    about = f"{name}-{number}.dist-info"
    files = files | {
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {number}\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{about}/RECORD"] = "".join(f"{each},,\n" for each in files)
    path = folder / f"{name}-{number}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for each, text in files.items():
            archive.writestr(each, text)
    return str(path)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runtime:
    """A run-time that needs another ``filelock`` than blockprof."""
    monkeypatch.setenv("BLOCKPROF_RUNTIMES", str(tmp_path / "runtimes"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    needed = [
        wheel(tmp_path, "filelock", "99.0", {"filelock.py": "OWN = '99.0'\n"}),
        wheel(tmp_path, "odd_engine", "1.0", {"odd_engine.py": f"PREFIX = {sys.prefix!r}\n{ENGINE}"}),
    ]
    return replace(
        broken_runtimes.runtime(broken_runtimes.Engine, name="own", title="Own", needs=("odd_engine",)),
        engine="odd_engine:Engine",
        distributions=("filelock",),
        environment=tuple(needed),
        converters=("filelock", "numpy"),
    )


def test_it_is_made_once_and_the_engine_runs_in_it(own: Runtime, conv_file: Path, tmp_path: Path) -> None:
    assert (own.missing, own.version()) == (("odd_engine",), version("filelock"))
    with pytest.raises(InputError, match="Own is not installed"):
        own.check_installed()
    own.install_environment()
    assert (own.missing, own.version()) == ((), "99.0")
    assert own.converter_versions() == ("filelock==99.0", f"numpy=={version('numpy')}"), "numpy is blockprof's"
    with RuntimeProcess(own, MeasureSpec()) as process:
        process.load("network", "conv", 1, lambda: conv_file)
        ((number, is_blockprofs),) = process.outputs("network", "conv")
    assert (number, is_blockprofs) == (99.0, 0.0)
    before = own.python.stat().st_mtime_ns
    own.install_environment()
    assert own.python.stat().st_mtime_ns == before
    assert {path.name for path in (tmp_path / "runtimes").iterdir()} == {own.folder.name}
    said = subprocess.run([own.python, "-c", "import torch; print(torch.__file__)"], capture_output=True, text=True)
    assert Path(said.stdout.strip()).exists(), "torch is not installed twice"
    assert not Path(said.stdout.strip()).is_relative_to(own.folder)


def test_what_pip_cannot_install_leaves_nothing(own: Runtime, tmp_path: Path) -> None:
    lacking = replace(own, environment=("no-such-package-of-blockprof==1",))
    with pytest.raises(BlockprofError, match=r"^cannot install it: ERROR: .*no-such-package-of-blockprof==1") as caught:
        lacking.install_environment()
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "runtimes").iterdir()) == []


def test_one_without_says_what_installs_it() -> None:
    with pytest.raises(InputError, match=r"OpenVINO needs no environment of its own: `pip install 'blockprof\[openvi"):
        find_runtime("openvino").install_environment()
