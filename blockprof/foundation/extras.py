"""What a plain installation lacks: packages that some commands need, each with the extra that brings it."""

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from blockprof.foundation.errors import InputError

EXTRAS: Mapping[str, tuple[str, ...]] = {
    "measure": ("onnx", "onnxruntime", "torch", "torchvision", "ofa", "torchprofile"),
    "supernet": ("torch", "torchvision", "ofa"),
    "gru": ("torch",),
}
"""The modules of each extra in ``pyproject.toml``; ``measure`` also counts the multiply-adds of spaces of one's own."""


def check_extra(extra: str, what: str) -> None:
    """Refuse, before any work, ``what`` cannot be done without an extra that is not installed.

    Raises:
        InputError: a module of the extra is missing; the message says what installs it.
    """
    if missing := [module for module in EXTRAS[extra] if find_spec(module) is None]:
        raise lacking(extra, what, missing[0])


def extra_with(module: str) -> str | None:
    """The first extra that brings a module, by its full name; None where none does."""
    top = module.partition(".")[0]
    return next((extra for extra, modules in EXTRAS.items() if top in modules), None)


def installed_version(package: str) -> str:
    """Of a package; empty where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def lacking(extra: str, what: str, module: str) -> InputError:
    """What is raised where a module is missing."""
    return InputError(
        f"{what} needs {module}, which is not installed",
        remedy=f"`pip install 'blockprof[{extra}]'`",
        code="missing-extra",
    )
