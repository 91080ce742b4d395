"""Reductions that a space brings along, such as those that the paper's authors made by hand (arXiv 2109.12426).

What each may say:

- ``drop_blocks``, ``drop_kernels``: not used anywhere;
- ``min_layers``, ``max_layers``: of each unit;
- ``width_indices``: the widths kept, as indices, of the stem (both of its convolutions), then of each unit;
- ``unit_mutation_probability``: of each unit; one half where it is not said.
"""

import numpy as np

from blockprof.foundation.choices import check_choice
from blockprof.reduction.reduction import Reduction
from blockprof.spaces import Space


def preset_names(space: Space) -> tuple[str, ...]:
    """The names of the reductions that a space brings along: ``paper-npu``, ``paper-gpu``, ..."""
    return tuple(space.assets.presets.reductions)


def load_preset(space: Space, name: str) -> Reduction:
    """Return one of the reductions that a space brings along.

    Raises:
        InputError: the space has none of that name.
    """
    presets = space.assets.presets
    given = presets.reductions[check_choice(name, f"reduction of {space.name}", preset_names(space))]
    whole = Reduction.whole(space)
    blocks, depths, stems, reasons = whole.blocks.copy(), list(whole.depths), whole.stems, []
    dropped = set(given.get("drop_blocks", ()))
    kernels = given.get("drop_kernels", ())
    dropped |= {block.name for block in space.blocks if getattr(block, "kernel", None) in kernels}
    blocks[:, [block.name in dropped for block in space.blocks]] = False
    if dropped:
        reasons.append(f"{', '.join(block.name for block in space.blocks if block.name in dropped)}: {presets.source}")
    least, most = given.get("min_layers"), given.get("max_layers")
    for unit, known in enumerate(depths):
        low, high = least[unit] if least else min(known), most[unit] if most else max(known)
        depths[unit] = tuple(depth for depth in known if low <= depth <= high)
        if depths[unit] != known:
            reasons.append(f"unit {unit + 1} of {' or '.join(map(str, depths[unit]))} layers: {presets.source}")
    if widths := given.get("width_indices"):
        of_stem, *of_units = widths
        stems = _stems_of_widths(space, of_stem)
        for unit, kept in enumerate(of_units):
            lost = np.setdiff1d(np.arange(space.num_widths), kept)
            blocks[space.unit_slots[unit]] &= ~np.isin(np.arange(len(space.blocks)) // space.blocks_per_width, lost)
            if len(lost):
                ratios = " or ".join(f"{space.width_ratios[index]} %" for index in kept)
                reasons.append(f"unit {unit + 1} of width ratio {ratios}: {presets.source}")
    probabilities = given.get("unit_mutation_probability", whole.mutation_probabilities)
    return Reduction(
        space, name, blocks, tuple(depths), stems, np.array(probabilities, dtype=np.float64), tuple(reasons)
    )


def _stems_of_widths(space: Space, kept: list[int]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """(S,): whether both of a stem's convolutions are of a width that is kept."""
    mid, out = ([widths[index] for index in kept] for widths in (space.stem.mid_channels, space.stem.out_channels))
    return np.array([stem.mid_channels in mid and stem.out_channels in out for stem in space.stems])
