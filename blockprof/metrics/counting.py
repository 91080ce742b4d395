"""MACs, FLOPs and parameters, counted once for each block instance and kept on disk.

There are two rules for multiply-adds. torchprofile's counts all operators, batch normalisation, pooling and the scaling
of squeeze-and-excite too: ``macs``, and ``flops``, which are twice that. fvcore's and OFA's counts convolutions and
linear layers only: ``conv_macs``, 0.3 (``resnet50``) to 2.8 % (``mbv3``) less. A network's count is the sum over its
instances plus the fixed parts, exactly: both add up operators, and no operator of these networks spans two blocks.
"""

import warnings
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from blockprof.foundation.arrays import FloatArray
from blockprof.foundation.errors import BlockprofError
from blockprof.foundation.lazy import lazy_import
from blockprof.foundation.paths import cache_folder
from blockprof.metrics.kept_counts import read_counts, write_counts
from blockprof.metrics.metric import AdditiveMetric, MetricInfo
from blockprof.spaces import Space, network_holding
from blockprof.spaces.instances import IMAGE_CHANNELS

if TYPE_CHECKING:
    import torch
    import torchprofile

    from blockprof.networks import modules
else:
    modules = lazy_import("blockprof.networks.modules")
    torch = lazy_import("torch")
    torchprofile = lazy_import("torchprofile")

COUNTED = ("macs", "conv_macs", "flops", "params")
_KEPT = ("macs", "conv_macs", "params")

FREE_OPERATORS = frozenset({"aten::relu6", "aten::relu6_", "aten::hardtanh", "aten::hardtanh_"})
"""Activations that torchprofile does not list, and that cost no multiply-add. Any other is an error."""

CACHE_FORMAT = 2
"""In the name of a file of kept counts: another number where it holds other things."""

_MILLION = 1e6


def load_count(space: Space, name: str, resolution: int) -> AdditiveMetric:
    """Load a count: ``macs``, ``conv_macs``, ``flops`` (millions, 2 x ``macs`` as in the paper) or ``params``.

    Args:
        space: the design space.
        name: one of ``COUNTED``.
        resolution: of the input, in pixels.

    Raises:
        BlockprofError: torchprofile met an operator that it cannot count.
    """
    counts = _cached_counts(space, resolution)
    what = "macs" if name == "flops" else name
    factor = 2 / _MILLION if name == "flops" else 1.0
    return AdditiveMetric(
        info=MetricInfo(
            name=name,
            unit={"flops": "MFLOPs", "params": "parameters"}.get(name, "MACs"),
            higher_is_better=False,
            origin="counted",
            source=f"{_rule(name)} at {resolution} x {resolution}",
        ),
        space=space,
        base=counts[f"{what}_base"][0] * factor,
        costs=counts[what] * factor,
        resolution=None if name == "params" else resolution,
    )


def _rule(name: str) -> str:
    """How a count comes about, in words."""
    if name == "params":
        return "counted from the modules"
    if name == "conv_macs":
        return "counted of convolutions and linear layers only, as OFA and fvcore count,"
    return (
        f"counted by torchprofile {version('torchprofile')}, with batch norm, pooling and squeeze-and-excite (up to "
        "3 % above conv_macs, which is OFA's and fvcore's count),"
    )


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


def is_counted(space: Space, resolution: int) -> bool:
    """Whether the counts are kept on disk; else :func:`load_count` takes seconds."""
    return read_counts(_counts_file(space, resolution), _shapes(space)) is not None


def _cached_counts(space: Space, resolution: int) -> dict[str, FloatArray]:
    path = _counts_file(space, resolution)
    counts = read_counts(path, _shapes(space))
    if counts is None:
        counts = count_instances(space, resolution)
        write_counts(path, counts)
    return counts


def _shapes(space: Space) -> dict[str, tuple[int, ...]]:
    return dict.fromkeys(_KEPT, (len(space.instances),)) | {f"{key}_base": (1,) for key in _KEPT}


def _counts_file(space: Space, resolution: int) -> Path:
    versions = "-".join(f"{package}{version(package)}" for package in ("torchprofile", "ofa", "torch"))
    return cache_folder() / "counts" / f"{space.name}-{space.digest}-r{resolution}-v{CACHE_FORMAT}-{versions}.json"


def count_instances(space: Space, resolution: int) -> dict[str, FloatArray]:
    """Count each instance by both rules, its parameters too (K,), and the fixed parts (1,): ``macs_base`` and so on.

    Each instance's module comes from a network that holds it. The fixed parts are stem and head, 0 where these vary and
    so are instances themselves.
    """
    counts = np.full((len(_KEPT), len(space.instances)), np.nan)
    base, absent = np.zeros((len(_KEPT), 1)), len(space.instances)
    for instance in range(len(space.instances)):
        if not np.isnan(counts[0, instance]):
            continue
        archs = network_holding(space, instance)
        stem, *layers, head = archs.ids[0].tolist()
        ids = [stem, *(layer for layer in layers if layer != absent), head]
        channels, size, of_ends = IMAGE_CHANNELS, resolution, np.zeros((len(_KEPT), 1))
        for found, module in zip(ids, modules.take_apart(modules.build_subnet(archs)), strict=True):
            if found == absent:
                of_ends[:, 0] += _count(module, channels, size)
            elif np.isnan(counts[0, found]):
                described = space.instances[found]
                counts[:, found] = _count(module, described.in_channels, described.in_size(resolution))
            if found != absent:
                channels, size = space.instances[found].out_channels, space.instances[found].out_size(resolution)
        base = of_ends
    bases = {f"{key}_base": value for key, value in zip(_KEPT, base, strict=True)}
    return dict(zip(_KEPT, counts, strict=True)) | bases


def _count(module: "torch.nn.Module", channels: int, size: int) -> tuple[int, int, int]:
    """What ``_KEPT`` names, of a module for an input of so many channels and so high and wide."""
    image = torch.zeros(1, channels, size, size)
    params = sum(parameter.numel() for parameter in module.parameters())
    return count_macs(module, image), count_conv_macs(module, image), params
