"""Modules that are imported when they are first used, so that nobody waits for torch, MLflow or pandas in vain.

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_import("torch")
"""

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
