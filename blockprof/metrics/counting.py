"""MACs, FLOPs and parameters, counted by torchprofile once for each block instance and kept on disk.

A network's count is the sum over its instances plus the fixed parts, exactly: torchprofile adds up operators, and no
operator of these networks spans two blocks.
"""

import json
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from blockprof.errors import BlockprofError, InputError
from blockprof.files import staged
from blockprof.metrics.metric import AdditiveMetric, MetricInfo
from blockprof.paths import cache_folder
from blockprof.spaces import FloatArray, Space, network_holding
from blockprof.spaces.instances import IMAGE_CHANNELS

if TYPE_CHECKING:
    import torch

COUNTED = ("macs", "flops", "params")

FREE_OPERATORS = frozenset({"aten::relu6", "aten::relu6_", "aten::hardtanh", "aten::hardtanh_"})
"""Activations that torchprofile does not list, and that cost no multiply-add. Any other is an error."""

_MILLION = 1e6


def load_count(space: Space, name: str, resolution: int, on_count: Callable[[], None] | None = None) -> AdditiveMetric:
    """Load ``macs`` (multiply-adds), ``flops`` (millions, 2 x MACs as in the paper) or ``params`` (parameters).

    Args:
        space: the design space.
        name: one of ``COUNTED``.
        resolution: of the input, in pixels.
        on_count: called once before counting, which takes seconds and happens where no cached counts fit.

    Raises:
        BlockprofError: torchprofile met an operator that it cannot count.
    """
    counts = _cached_counts(space, resolution, on_count)
    what = "params" if name == "params" else "macs"
    factor = 2 / _MILLION if name == "flops" else 1.0
    return AdditiveMetric(
        info=MetricInfo(
            name=name,
            unit={"macs": "MACs", "flops": "MFLOPs", "params": "parameters"}[name],
            higher_is_better=False,
            origin="counted",
            source=f"counted by torchprofile {version('torchprofile')} at {resolution} x {resolution}",
        ),
        space=space,
        base=counts[f"{what}_base"][0] * factor,
        costs=counts[what] * factor,
    )


def count_macs(module: "torch.nn.Module", inputs: "torch.Tensor") -> int:
    """Torchprofile's MACs of a module.

    Raises:
        BlockprofError: an operator that torchprofile skips, other than activations known to be free.
    """
    from torchprofile import profile_macs

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        macs = cast("int", profile_macs(module, inputs))
    for message in (str(warning.message) for warning in caught):
        if "No handlers found" in message and message.split('"')[1] not in FREE_OPERATORS:
            raise BlockprofError(f"torchprofile cannot count {message.split(chr(34))[1]}")
    return macs


def _cached_counts(space: Space, resolution: int, on_count: Callable[[], None] | None) -> dict[str, FloatArray]:
    versions = "-".join(f"{package}{version(package)}" for package in ("torchprofile", "ofa", "torch"))
    path = cache_folder() / "counts" / f"{space.name}-r{resolution}-{versions}.json"
    counts = _read_counts(path, len(space.instances))
    if counts is None:
        if on_count:
            on_count()
        counts = count_instances(space, resolution)
        _write_counts(path, counts)
    return counts


def _read_counts(path: Path, instances: int) -> dict[str, FloatArray] | None:
    try:
        content = {key: np.array(value, dtype=float) for key, value in json.loads(path.read_text()).items()}
    except (OSError, ValueError):
        return None
    sizes = {key: value.size for key, value in content.items()}
    return content if sizes == {"macs": instances, "params": instances, "macs_base": 1, "params_base": 1} else None


def _write_counts(path: Path, counts: dict[str, FloatArray]) -> None:
    """Write whole or not at all; a folder that cannot be written only means counting again."""
    try:
        with staged(path.parent) as stage:
            content = json.dumps({key: value.tolist() for key, value in counts.items()})
            (stage / path.name).write_text(content)
    except InputError as error:
        warnings.warn(f"cannot keep counts in {path.parent} ({error}): they are counted anew each time", stacklevel=2)


def count_instances(space: Space, resolution: int) -> dict[str, FloatArray]:
    """Count MACs and parameters of each instance, and of the fixed parts (``macs_base``, ``params_base``).

    Each instance's module comes from a network that holds it. The fixed parts are stem and head, 0 where these vary and
    so are instances themselves.
    """
    from blockprof.networks import build_subnet, take_apart

    macs, params = (np.full(len(space.instances), np.nan) for _ in range(2))
    base = np.zeros((2, 1))
    for instance in range(len(space.instances)):
        if not np.isnan(macs[instance]):
            continue
        archs = network_holding(space, instance)
        modules, ids = take_apart(build_subnet(archs)), archs.ids[0].tolist()
        if not space.ends_vary:
            stem, *modules, head = modules
            last = space.instances[ids[-1]]
            fixed = ((stem, IMAGE_CHANNELS, resolution), (head, last.out_channels, last.out_size(resolution)))
            base = np.sum([_count(*part) for part in fixed], axis=0)[:, None]
        for found, module in zip(ids, modules, strict=True):
            if np.isnan(macs[found]):
                described = space.instances[found]
                macs[found], params[found] = _count(module, described.in_channels, described.in_size(resolution))
    return {"macs": macs, "params": params, "macs_base": base[0], "params_base": base[1]}


def _count(module: "torch.nn.Module", channels: int, size: int) -> tuple[int, int]:
    """MACs and parameters of a module for an input of so many channels and so high and wide."""
    import torch

    macs = count_macs(module, torch.zeros(1, channels, size, size))
    return macs, sum(parameter.numel() for parameter in module.parameters())
