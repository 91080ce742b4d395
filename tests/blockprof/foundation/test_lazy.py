"""Modules that are imported when they are first used."""

import subprocess
import sys
from pathlib import Path

import pytest

from blockprof.foundation.lazy import lazy_import, lazy_names

HEAVY = ("torch", "mlflow", "matplotlib", "scipy", "sklearn", "pandas", "onnx", "onnxruntime")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package with a submodule, and one that lacks what it needs."""
    folder = tmp_path / "made_up_package"
    folder.mkdir()
    (folder / "__init__.py").write_text("VALUE = 1\n")
    (folder / "part.py").write_text("def say():\n    return 'said'\n")
    (folder / "broken.py").write_text("import not_there_at_all\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield folder.name
    for name in [name for name in sys.modules if name.startswith(folder.name)]:
        del sys.modules[name]


def test_it_is_imported_when_it_is_used(package: str) -> None:
    module = lazy_import(package)
    assert package not in sys.modules
    assert module.VALUE == 1
    assert package in sys.modules
    assert module.part.say() == "said"


def test_what_is_changed_in_the_module_is_seen(package: str) -> None:
    module = lazy_import(package)
    assert module.VALUE == 1
    sys.modules[package].VALUE = 2
    assert module.VALUE == 2


def test_what_is_not_there(package: str) -> None:
    module = lazy_import(package)
    with pytest.raises(AttributeError, match="'made_up_package' has no attribute 'nothing'"):
        _ = module.nothing
    with pytest.raises(ModuleNotFoundError) as error:
        _ = module.broken
    assert error.value.name == "not_there_at_all"
    with pytest.raises(ModuleNotFoundError):
        _ = lazy_import("not_there_at_all").anything


@pytest.mark.parametrize("module", ["blockprof", "blockprof.cli.app"])
def test_what_is_heavy_is_not_imported_with_the_package(module: str) -> None:
    code = f"import sys, {module}; print(*sorted(set({HEAVY!r}) & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "\n"


def test_names_of_a_package_come_from_their_modules(package: str) -> None:
    find = lazy_names(package, {f"{package}.part": ("say",)})
    assert f"{package}.part" not in sys.modules
    assert find("say")() == "said"
    with pytest.raises(AttributeError, match=f"module '{package}' has no attribute 'shout'"):
        find("shout")


def test_the_process_of_a_run_time_imports_little() -> None:
    """It may run in an environment of its own, with other packages than blockprof's."""
    script = "import sys, blockprof.evaluators.device.worker; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert {"pandas", "torch", "mlflow", "onnxruntime", "pyarrow"}.isdisjoint(done.stdout.split())
