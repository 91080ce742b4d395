"""Environments of their own, for run-times whose packages would not go with blockprof's.

Each is a virtual environment on top of the one that blockprof runs in: what is missing there, or is wanted in another
version, is installed in it and comes first; all else, torch among it, is found where blockprof finds it.
"""

import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from hashlib import sha256
from importlib.metadata import distributions
from pathlib import Path

from blockprof.foundation.errors import BlockprofError
from blockprof.foundation.files import staged
from blockprof.foundation.locks import locked
from blockprof.foundation.paths import runtimes_folder

_BELOW = "blockprof_below.pth"
"""Python runs it when it starts in the environment: it adds blockprof's packages behind the environment's own."""
_DIGITS = 12


def environment_folder(name: str, requirements: Sequence[str]) -> Path:
    """Where the environment of a run-time is, or would be.

    Its name follows from the requirements, from Python's version, and from the environment that it is on top of.
    """
    below = [*requirements, sys.prefix, f"{sys.version_info.major}.{sys.version_info.minor}"]
    return runtimes_folder() / f"{name}-{sha256(os.fsencode(chr(10).join(below))).hexdigest()[:_DIGITS]}"


def python_of(environment: Path) -> Path:
    """The interpreter of an environment; there is none where the environment is not."""
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def versions_in(environment: Path) -> dict[str, str]:
    """The version of each package that is installed in an environment itself, by its name in lower case."""
    return {found.name.lower(): found.version for found in distributions(path=[str(_packages(environment))])}


def make_environment(name: str, requirements: Sequence[str]) -> Path:
    """Install a run-time's packages into an environment of its own, which appears whole or not at all.

    It takes minutes, and asks the package index that pip is set up for. One that is there stays as it is.

    Returns:
        Its folder.

    Raises:
        BlockprofError: Python cannot make an environment, or pip cannot install the packages.
        InputError: the folder cannot be written to.
    """
    folder = environment_folder(name, requirements)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder.with_name(f"{folder.name}.lock")):
        if not folder.exists():
            with staged(folder.parent) as stage:
                made = stage / folder.name
                _run(sys.executable, "-m", "venv", str(made), what="make an environment")
                (_packages(made) / _BELOW).write_text("".join(_lines_below()), encoding="utf-8")
                _run(str(python_of(made)), "-m", "pip", "install", "--quiet", *requirements, what="install it")
    return folder


def _packages(environment: Path) -> Path:
    return Path(sysconfig.get_path("purelib", "venv", {"base": str(environment), "platbase": str(environment)}))


def _lines_below() -> Iterator[str]:
    """What makes Python find the packages of this environment, and those that its own ``.pth`` files bring."""
    for folder in dict.fromkeys(sysconfig.get_path(kind) for kind in ("purelib", "platlib")):
        yield f"import site; site.addsitedir({folder!r})\n"


def _run(*command: str, what: str) -> None:
    done = subprocess.run(
        command,
        env=_environment(),
        capture_output=True,
        text=True,
        errors="replace",
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        said = next((line for line in lines if line.startswith("ERROR")), lines[-1] if lines else "it says nothing")
        raise BlockprofError(f"cannot {what}: {said}")


def _environment() -> dict[str, str]:
    """Without what would make Python look elsewhere."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
