"""Networks and blocks as torch modules, all taken from the ``ofa`` package."""

import json
from collections import OrderedDict
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from torch import nn

from blockprof.foundation.files import staged
from blockprof.foundation.lazy import lazy_import
from blockprof.networks import chains
from blockprof.spaces import Architectures, MBConv, Space
from blockprof.spaces.blocks import PERCENT

if TYPE_CHECKING:
    from ofa.imagenet_classification import elastic_nn

    from blockprof.foundation import torchvision_import
else:
    elastic_nn = lazy_import("ofa.imagenet_classification.elastic_nn")
    torchvision_import = lazy_import("blockprof.foundation.torchvision_import")


@cache
def build_supernet(space: Space) -> Any:
    """Give the space's OFA supernet that all share, for its structure: its weights are untrained, and stay so."""
    return new_supernet(space)


def new_supernet(space: Space) -> Any:
    """Build an OFA supernet of the space (weights untrained), in evaluation mode."""
    torchvision_import.import_torchvision()
    build = getattr(elastic_nn.networks, space.ofa_network)
    if space.num_widths > 1:
        unit = space.units[0]
        supernet = build(
            depth_list=[depth - min(unit.depths) for depth in unit.depths],
            expand_ratio_list=[expand / PERCENT for expand in space.expands],
            width_mult_list=[width / PERCENT for width in space.width_ratios],
        )
    else:
        supernet = build(
            width_mult=space.width_multiplier,
            ks_list=list(space.kernels),
            expand_ratio_list=list(space.expands),
            depth_list=sorted({depth for unit in space.units for depth in unit.depths if unit.max_depth > 1}),
        )
    return supernet.eval()


def subnet_settings(archs: Architectures, index: int = 0) -> dict[str, list[Any]]:
    """OFA's own description of one network, what its ``set_active_subnet`` takes.

    For MBConvs: ``ks`` and ``e``, kernel size and expansion ratio of every slot, ``d``, depth of every unit. For
    bottlenecks: ``e``; ``d``, 2 or 0 for the stem with or without its block, then the layers of each unit beyond its
    fewest; ``w``, the index of the width of the stem's two convolutions and of each unit. Absent layers, which OFA
    ignores, get the space's first block. Of a space by operators, which OFA does not know: ``blocks``, the index of the
    block at each slot, None where there is none.
    """
    space = archs.space
    if space.layers is not None:
        return {"blocks": [None if block < 0 else block for block in archs.blocks[index].tolist()]}
    blocks = [space.blocks[max(block, 0)] for block in archs.blocks[index].tolist()]
    depths: list[int] = archs.depths[index].tolist()
    if space.num_widths == 1:
        mbconvs = [block for block in blocks if isinstance(block, MBConv)]
        return {"ks": [block.kernel for block in mbconvs], "e": [block.expand for block in mbconvs], "d": depths}
    stem = space.stems[int(archs.stems[index])]
    beyond = [depth - min(unit.depths) for depth, unit in zip(depths, space.units, strict=True)]
    most = max(max(unit.depths) - min(unit.depths) for unit in space.units)
    mid, out = space.stem.mid_channels.index(stem.mid_channels), space.stem.out_channels.index(stem.out_channels)
    return {
        "d": [0 if stem.skip else most, *beyond],
        "e": [block.expand / PERCENT for block in blocks],
        "w": [mid, out, *archs.widths[index].tolist()],
    }


def write_settings(archs: Architectures, index: int, path: Path, *, resolution: int) -> None:
    """Write OFA's own description of one network as JSON: what its ``set_active_subnet`` takes as keyword arguments.

    Beside :func:`subnet_settings` it holds ``image_size``, the resolution in pixels, which ``set_active_subnet``
    ignores and OFA's predictors ask for.

    Raises:
        InputError: the file cannot be written.
    """
    settings = {**subnet_settings(archs, index), "image_size": resolution}
    with staged(path.absolute().parent) as folder:
        (folder / path.name).write_text(f"{json.dumps(settings)}\n", encoding="utf-8")


def build_subnet(archs: Architectures, index: int = 0, *, preserve_weight: bool = False) -> nn.Module:
    """Build one network as a plain module, in evaluation mode.

    ``preserve_weight`` copies the supernet's weights; otherwise they are fresh, which is quicker.
    """
    if archs.space.layers is not None:
        return put_together(chains.build_chain(archs, index)).eval()
    supernet = build_supernet(archs.space)
    supernet.set_active_subnet(**subnet_settings(archs, index))
    subnet: nn.Module = supernet.get_active_subnet(preserve_weight=preserve_weight)
    return subnet.eval()


def take_apart(network: nn.Module) -> list[nn.Module]:
    """Cut one of ``ofa``'s networks into a chain: stem, layers, head.

    The head is ``network`` itself without what lies before it, so that pooling and reshaping are ``ofa``'s own code.
    """
    if isinstance(network, nn.Sequential):
        return list(network)
    parts = cast("Any", network)
    if hasattr(parts, "input_stem"):
        layers = list(parts.blocks)
        stem = nn.Sequential(*parts.input_stem, parts.max_pooling)
        parts.input_stem, parts.max_pooling, parts.blocks = nn.ModuleList(), nn.Identity(), nn.ModuleList()
        return [stem, *layers, network]
    entry, *layers = parts.blocks
    stem = nn.Sequential(OrderedDict(first_conv=parts.first_conv, entry=entry))
    parts.first_conv, parts.blocks = nn.Identity(), nn.ModuleList()
    return [stem, *layers, network]


def put_together(modules: Sequence[nn.Module]) -> nn.Module:
    """Undo :func:`take_apart`."""
    stem, *layers, network = modules
    parts = cast("Any", network)
    if not hasattr(parts, "blocks"):
        return nn.Sequential(*modules)
    if hasattr(parts, "input_stem"):
        *convolutions, parts.max_pooling = cast("nn.Sequential", stem)
        parts.input_stem, parts.blocks = nn.ModuleList(convolutions), nn.ModuleList(layers)
        return network
    parts.first_conv, entry = cast("nn.Sequential", stem)
    parts.blocks = nn.ModuleList([entry, *layers])
    return network
