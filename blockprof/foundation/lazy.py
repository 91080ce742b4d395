"""Modules that are imported when they are first used, so that nobody waits for torch, MLflow or pandas in vain.

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_import("torch")
"""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any


class LazyModule(ModuleType):
    """Stands for a module, which is imported as soon as anything of it is asked for.

    What is asked for is looked up each time, as in the module itself.
    """

    def __getattr__(self, name: str) -> Any:
        module = import_module(self.__name__)
        try:
            return getattr(module, name)
        except AttributeError:
            submodule = f"{self.__name__}.{name}"
            try:
                return import_module(submodule)
            except ModuleNotFoundError as error:
                if error.name != submodule:
                    raise
            raise


def lazy_import(name: str) -> Any:
    """The module of a full name, and of it any submodule, imported when it is first used."""
    return LazyModule(name)


def lazy_names(package: str, names: Mapping[str, Sequence[str]]) -> Callable[[str], object]:
    """A package's ``__getattr__``, which imports each of its names from its module when it is first used.

    Args:
        package: its full name.
        names: of each module, by its full name, what comes from there.
    """
    module_of = {name: module for module, its in names.items() for name in its}

    def find(name: str) -> object:
        if name not in module_of:
            raise AttributeError(f"module '{package}' has no attribute '{name}'")
        return getattr(import_module(module_of[name]), name)

    return find
