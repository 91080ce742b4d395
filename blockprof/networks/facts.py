"""Facts of a space's block instances: those that it brings along, or read off its modules and graphs, once.

What is not shipped is counted when it is first asked for, which needs torch, and kept on disk by the space's digest.
"""

import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from blockprof.foundation.arrays import FloatArray
from blockprof.foundation.decoding import MALFORMED, parse_json
from blockprof.foundation.errors import InputError
from blockprof.foundation.files import staged
from blockprof.foundation.lazy import lazy_import
from blockprof.foundation.paths import cache_folder
from blockprof.networks.counting import count_conv_macs, count_macs
from blockprof.spaces import FixedPart, HeadInstance, Space, StemInstance, network_holding
from blockprof.spaces.facts import COUNTS, QUANTITIES, Facts, shipped_facts
from blockprof.spaces.instances import IMAGE_CHANNELS

if TYPE_CHECKING:
    import onnx
    import torch

    from blockprof.networks import graph, modules
    from blockprof.networks.onnx import fragments
else:
    fragments = lazy_import("blockprof.networks.onnx.fragments")
    graph = lazy_import("blockprof.networks.graph")
    modules = lazy_import("blockprof.networks.modules")
    torch = lazy_import("torch")

FactsOf = Literal["modules", "graphs"]

CACHE_FORMAT = 3
"""In the name of a kept file: another number where it holds other things."""


def load_counts(space: Space, resolution: int) -> Facts:
    """The facts that ``COUNTS`` names.

    Raises:
        BlockprofError: torchprofile met an operator that it cannot count.
    """
    return _load(space, resolution, "modules")


def load_quantities(space: Space, resolution: int) -> Facts:
    """The facts that are read off graphs: ``QUANTITIES``, ``depthwise<k>_macs`` and ``nodes``."""
    return _load(space, resolution, "graphs")


def are_counted(space: Space, resolution: int) -> bool:
    """Whether :func:`load_counts` has only to read a file; else it takes seconds."""
    if shipped_facts(space, resolution) is not None:
        return True
    return _read(_file(space, resolution, "modules"), space, "modules") is not None


@cache
def _load(space: Space, resolution: int, of: FactsOf) -> Facts:
    shipped = shipped_facts(space, resolution)
    if shipped is not None:
        return shipped
    path = _file(space, resolution, of)
    kept = _read(path, space, of)
    if kept is None:
        kept = count_modules(space, resolution) if of == "modules" else read_graphs(space, resolution)
        _write(path, kept)
    return kept


def _file(space: Space, resolution: int, of: FactsOf) -> Path:
    packages = {"modules": ("torchprofile", "ofa", "torch"), "graphs": ("onnx", "ofa", "torch")}[of]
    versions = "-".join(f"{package}{version(package)}" for package in packages)
    name = f"{space.name}-{space.digest}-r{resolution}-{of}-v{CACHE_FORMAT}-{versions}.json"
    return cache_folder() / "facts" / name


def _read(path: Path, space: Space, of: FactsOf) -> Facts | None:
    """The facts of a file; None where there is none, or it is damaged."""
    try:
        content = parse_json(path.read_bytes())
        values = {name: np.array(row, dtype=float) for name, row in content["values"].items()}
        base = {name: float(value) for name, value in content["base"].items()}
        counted_by = str(content["counted_by"])
    except (OSError, *MALFORMED):
        return None
    expected = set(COUNTS if of == "modules" else QUANTITIES)
    sound = all(row.shape == (len(space.instances),) and (row >= 0).all() for row in values.values())
    sound &= all(np.isfinite(row).all() for row in values.values())
    sound &= all(np.isfinite(value) and value >= 0 for value in base.values())
    if not sound or not expected <= set(values) or (of == "modules" and set(base) != expected):
        return None
    return Facts(values, base, counted_by)


def _write(path: Path, facts: Facts) -> None:
    """Write whole or not at all; a folder that cannot be written only means counting again."""
    content = {
        "values": {name: row.tolist() for name, row in facts.values.items()},
        "base": dict(facts.base),
        "counted_by": facts.counted_by,
    }
    try:
        with staged(path.parent) as stage:
            (stage / path.name).write_text(json.dumps(content), encoding="utf-8")
    except InputError as error:
        warnings.warn(f"cannot keep counts in {path.parent} ({error}): they are counted again each time", stacklevel=2)


def count_modules(space: Space, resolution: int) -> Facts:
    """Count the module of each instance and of the fixed parts: what ``COUNTS`` names.

    Raises:
        BlockprofError: torchprofile met an operator that it cannot count.
    """
    pieces = count_pieces(space, resolution)
    base = {name: float(sum(pieces[part][name] for part in space.fixed_parts)) for name in COUNTS}
    rows = [pieces[instance.name] for instance in space.instances]
    return Facts(_by_instance(rows), base, f"torchprofile {version('torchprofile')}")


def count_pieces(space: Space, resolution: int) -> dict[str, dict[str, float]]:
    """By name of each instance and fixed part: what ``COUNTS`` names.

    Raises:
        BlockprofError: as :func:`count_modules`.
    """
    counts: dict[str, dict[str, float]] = {}
    for piece, module, channels, size in _pieces(space, resolution):
        image = torch.zeros(1, channels, size, size)
        params = sum(parameter.numel() for parameter in module.parameters())
        found = (count_macs(module, image), count_conv_macs(module, image), params)
        counts[piece if isinstance(piece, str) else space.instances[piece].name] = dict(
            zip(COUNTS, map(float, found), strict=True)
        )
    return counts


def read_graphs(space: Space, resolution: int) -> Facts:
    """Read what each instance takes off its graph: ``QUANTITIES``, ``depthwise<k>_macs`` and ``nodes``."""
    rows = []
    for instance, bare in zip(space.instances, _bare_graphs(space), strict=True):
        kind: graph.PieceKind = "layer"
        if isinstance(instance, StemInstance | HeadInstance):
            kind = "stem" if isinstance(instance, StemInstance) else "head"
        rows.append(graph.read_quantities(bare, instance.in_size(resolution), kind))
    return Facts(_by_instance(rows), {}, "graphs")


@cache
def _bare_graphs(space: Space) -> "tuple[onnx.ModelProto, ...]":
    """The graph of each instance without weights, of any size."""
    models = {}
    for piece, module, _, _ in _pieces(space, space.resolutions[0]):
        if not isinstance(piece, str):
            models[piece] = graph.without_weights(fragments.export_fragment(module))
    return tuple(models[index] for index in range(len(space.instances)))


def _pieces(space: Space, resolution: int) -> "Iterator[tuple[int | FixedPart, torch.nn.Module, int, int]]":
    """Every piece once: which it is, its module, and the channels and size of its input."""
    absent, seen = len(space.instances), set[int | FixedPart]()
    for wanted in range(len(space.instances)):
        if wanted in seen:
            continue
        archs = network_holding(space, wanted)
        stem, *layers, head = archs.ids[0].tolist()
        first: int | FixedPart = "stem" if stem == absent else stem
        last: int | FixedPart = "head" if head == absent else head
        pieces = [first, *(layer for layer in layers if layer != absent), last]
        channels, size = IMAGE_CHANNELS, resolution
        for piece, module in zip(pieces, modules.take_apart(modules.build_subnet(archs)), strict=True):
            if piece not in seen:
                seen.add(piece)
                yield piece, module, channels, size
            if isinstance(piece, str):
                channels, size = space.instances[0].in_channels, space.instances[0].in_size(resolution)
            else:
                channels, size = space.instances[piece].out_channels, space.instances[piece].out_size(resolution)


def _by_instance(rows: Sequence[Mapping[str, float]]) -> dict[str, FloatArray]:
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: np.array([row.get(name, 0.0) for row in rows]) for name in names}
