"""Import torchvision beside a CPU-only torch.

The registry's torchvision is built for CUDA. Beside a CPU-only torch its C++ operators do not load, and the import ends
with ``operator torchvision::nms does not exist``. Only its pure-Python parts are needed here, so the two operators that
its import registers implementations for are declared, and it is imported again.
"""

import importlib
import sys
from types import ModuleType

import torch

_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_MISSING = "operator torchvision::nms does not exist"
_libraries: list[torch.library.Library] = []
"""Declared schemas live as long as their library object."""


def import_torchvision() -> ModuleType:
    """Import and return torchvision; where it imports by itself, do nothing else."""
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if _MISSING not in str(error):
            raise
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    _libraries.append(library)
    for schema in _SCHEMAS:
        library.define(schema)  # type: ignore[no-untyped-call]
    return importlib.import_module("torchvision")
