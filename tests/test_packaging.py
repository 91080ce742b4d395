"""What an installation holds."""

import tomllib
from importlib import metadata
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]


def test_every_folder_with_code_is_a_listed_package() -> None:
    listed = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    found = {
        ".".join(("blockprof",) * (top != "blockprof") + file.parent.relative_to(REPOSITORY).parts)
        for top in ("blockprof", "cli", "predictors")
        for file in (REPOSITORY / top).rglob("__init__.py")
    }
    assert set(listed) == found


def test_the_command_is_installed() -> None:
    (entry,) = metadata.entry_points(group="console_scripts", name="blockprof")
    assert callable(entry.load())


def test_importing_blockprof_imports_nothing_heavy() -> None:
    import subprocess
    import sys

    code = (
        "import sys, blockprof, blockprof.cli.app\n"
        "print(sorted(set(sys.modules) & {'torch', 'mlflow', 'pandas', 'numpy', 'matplotlib', 'scipy'}))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_the_librarys_front_door() -> None:
    import blockprof

    for name in blockprof.__all__:
        assert getattr(blockprof, name) is not None
    result = blockprof.profile("pn", ["accuracy"], blocks=["u1.l1.e3k3"])
    assert result.placement_frame()["placement"].tolist() == ["u1.l1.e3k3"]
