"""Networks and blocks as torch modules, all taken from the ``ofa`` package."""

from functools import cache
from typing import Any

import torch

from blockprof.spaces import Architectures, Space


@cache
def build_supernet(space: Space) -> Any:
    """Build the space's OFA supernet (weights untrained), in evaluation mode."""
    from blockprof.torchvision_import import import_torchvision

    import_torchvision()
    from ofa.imagenet_classification.elastic_nn import networks

    depths = sorted({depth for unit in space.units for depth in unit.depths if unit.max_depth > 1})
    supernet = getattr(networks, space.ofa_network)(
        width_mult=space.width_multiplier,
        ks_list=list(space.kernels),
        expand_ratio_list=list(space.expands),
        depth_list=depths,
    )
    return supernet.eval()


def subnet_settings(archs: Architectures, index: int = 0) -> dict[str, list[int]]:
    """OFA's own description of one network: kernel size and expansion ratio of every slot, depth of every unit.

    Absent layers, which OFA ignores, get the space's first block.
    """
    space = archs.space
    blocks = [space.blocks[max(block, 0)] for block in archs.blocks[index].tolist()]
    return {
        "ks": [block.kernel for block in blocks],
        "e": [block.expand for block in blocks],
        "d": archs.depths[index].tolist(),
    }


def build_subnet(archs: Architectures, index: int = 0, *, preserve_weight: bool = False) -> torch.nn.Module:
    """Build one network as a plain module, in evaluation mode.

    ``preserve_weight`` copies the supernet's weights; otherwise they are fresh, which is quicker.
    """
    supernet = build_supernet(archs.space)
    supernet.set_active_subnet(**subnet_settings(archs, index))
    subnet: torch.nn.Module = supernet.get_active_subnet(preserve_weight=preserve_weight)
    return subnet.eval()
