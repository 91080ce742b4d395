"""Multiply-adds of torch modules, by the two rules that are in use."""

import warnings
from typing import TYPE_CHECKING, cast

from blockprof.foundation.errors import BlockprofError
from blockprof.foundation.lazy import lazy_import

if TYPE_CHECKING:
    import torch
    import torchprofile
else:
    torch = lazy_import("torch")
    torchprofile = lazy_import("torchprofile")

FREE_OPERATORS = frozenset(
    f"aten::{name}" for name in ("relu6", "relu6_", "hardtanh", "hardtanh_", "hardsigmoid", "hardswish")
)
"""Activations that torchprofile does not list, and that cost no multiply-add. Any other is an error."""


def count_macs(module: "torch.nn.Module", inputs: "torch.Tensor") -> int:
    """Torchprofile's MACs of a module.

    Raises:
        BlockprofError: an operator that torchprofile skips, other than activations known to be free.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        macs = cast("int", torchprofile.profile_macs(module, inputs))
    for message in (str(warning.message) for warning in caught):
        if "No handlers found" in message and message.split('"')[1] not in FREE_OPERATORS:
            raise BlockprofError(f"torchprofile cannot count {message.split(chr(34))[1]}", code="operator-not-counted")
    return macs


def count_conv_macs(module: "torch.nn.Module", inputs: "torch.Tensor") -> int:
    """Multiply-adds of a module's convolutions and linear layers, as fvcore counts these.

    A convolution has one for each output, kernel position and input channel of its group, a linear layer one for each
    output and input; biases have none.
    """
    counted = 0

    def add(part: torch.nn.Module, _: object, outputs: torch.Tensor) -> None:
        nonlocal counted
        assert isinstance(part.weight, torch.Tensor)
        counted += outputs.numel() * part.weight[0].numel()

    parts = [
        part
        for part in module.modules()
        if isinstance(part, torch.nn.Conv1d | torch.nn.Conv2d | torch.nn.Conv3d | torch.nn.Linear)
    ]
    hooks = [part.register_forward_hook(add) for part in parts]
    try:
        with torch.no_grad():
            module(inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return counted
