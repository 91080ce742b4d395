"""OFA's own description of a network, which ``set_active_subnet`` takes: ``{"ks": [...], "e": [...], "d": [...]}``.

``ks`` and ``e`` have the kernel size and expansion ratio of every slot, ``d`` the depth of every unit; what stands for
an absent layer, such as null, does not matter. In ``resnet50`` there is no ``ks``; ``d`` begins with 2 or 0, for the
stem with or without its block, and then has the layers beyond each unit's fewest; ``w`` has the index of the width of
the stem's two convolutions and of each unit. ``r`` or ``image_size`` may say the resolution in pixels.
"""

from collections.abc import Sequence
from itertools import product

from blockprof.foundation.decoding import parse_json
from blockprof.foundation.errors import NetStringError
from blockprof.foundation.net_strings import ABSENT
from blockprof.spaces.blocks import PERCENT
from blockprof.spaces.definition import Space
from blockprof.spaces.listed import genes_of_layers, is_index_list

RESOLUTION_KEYS = ("r", "image_size")
_MOST = 1e6


def is_settings(text: str) -> bool:
    """Whether a text is meant as settings, of one network or a list of several, rather than as a net string."""
    return text.lstrip().startswith(("{", "["))


def load_settings(text: str) -> object:
    """What a text of settings holds.

    Raises:
        NetStringError: it is no JSON.
    """
    try:
        return parse_json(text)
    except ValueError as error:
        raise NetStringError(
            f"settings of a network that are no JSON ({error})", remedy="correct them", code="not-json"
        ) from None


def networks_in(space: Space, content: object) -> list[object]:
    """The networks of ``space`` that content holds: one, or a list of several."""
    is_one = space.layers is not None and is_index_list(content)
    return content if isinstance(content, list) and not is_one else [content]


def genes_of(space: Space, entry: object) -> list[int]:
    """The index of the stem, then of the block at each slot, of one network's settings.

    Raises:
        NetStringError: it is not of this form, or no network of ``space``; the message says which key.
    """
    if space.layers is not None:
        return genes_of_layers(space, entry)
    if space.num_widths == 1:
        depths = _depths(space, _numbers(entry, "d", len(space.units)))
        kernels, expands = (_numbers(entry, key, space.num_slots, fixed=False) for key in ("ks", "e"))
        return [0, *_blocks(space, depths, list(zip(expands, kernels, strict=True)))]
    stem_depth, *beyond = _numbers(entry, "d", 1 + len(space.units))
    depths = _depths(space, [more + min(unit.depths) for more, unit in zip(beyond, space.units, strict=True)])
    mid, out, *widths = _numbers(entry, "w", 2 + len(space.units))
    percents = [None if value is None else round(value * PERCENT, 6) for value in _floats(entry, space.num_slots)]
    width_of = [_pick(space.width_ratios, widths[unit], "w") for unit in space.slot_unit]
    stem = (
        stem_depth == 0,
        _pick(space.stem.mid_channels, mid, "w"),
        _pick(space.stem.out_channels, out, "w"),
    )
    stems = [(one.skip, one.mid_channels, one.out_channels) for one in space.stems]
    return [stems.index(stem), *_blocks(space, depths, list(zip(width_of, percents, strict=True)))]


def _depths(space: Space, given: Sequence[float]) -> list[int]:
    depths = []
    for number, (depth, unit) in enumerate(zip(given, space.units, strict=True), start=1):
        # OFA takes any number for a unit of one depth.
        chosen = unit.depths[0] if len(unit.depths) == 1 else depth
        if chosen not in unit.depths:
            allowed = " or ".join(map(str, unit.depths))
            raise NetStringError(
                f"d: unit {number} would have {depth:g} layers, but {space.name} allows {allowed}", code="not-a-depth"
            )
        depths.append(int(chosen))
    return depths


def _blocks(space: Space, depths: Sequence[int], pairs: Sequence[tuple[object, object]]) -> list[int]:
    """The index of the block at each slot; ``pairs`` have what tells blocks apart, as in ``space.blocks``."""
    first = space.width_ratios if space.num_widths > 1 else space.expands
    second = space.expands if space.num_widths > 1 else space.kernels
    index_of: dict[tuple[object, object], int] = {pair: place for place, pair in enumerate(product(first, second))}
    blocks = []
    for unit, layer, pair in zip(space.slot_unit, space.slot_layer, pairs, strict=True):
        present = layer < depths[unit]
        if present and pair not in index_of:
            keys = "w and e" if space.num_widths > 1 else "e and ks"
            raise NetStringError(
                f"{keys} at unit {unit + 1}, layer {layer + 1} are {pair[0]} and {pair[1]}: {space.name} has "
                f"{', '.join(map(str, first))} and {', '.join(map(str, second))}",
                code="no-such-block",
            )
        blocks.append(index_of[pair] if present else ABSENT)
    return blocks


def _list(entry: object, key: str, length: int) -> list[object]:
    if not isinstance(entry, dict):
        raise NetStringError(
            'is no network: write {"ks": [...], "e": [...], "d": [...]} or a net string', code="not-settings"
        )
    values = entry.get(key)
    if not isinstance(values, list) or len(values) != length:
        found = f"{len(values)} of them" if isinstance(values, list) else "there is none"
        raise NetStringError(f"{key} must be a list of {length} numbers: {found}", code="not-a-list-of-numbers")
    return values


def _numbers(entry: object, key: str, length: int, *, fixed: bool = True) -> list[int]:
    """A list of whole numbers; unless ``fixed``, what is none counts as 0, which no space has."""
    numbers = [_whole(value) for value in _list(entry, key, length)]
    if fixed and None in numbers:
        raise NetStringError(
            f"{key} must be a list of {length} whole numbers: entry {numbers.index(None) + 1} is none",
            code="not-a-whole-number",
        )
    return [0 if number is None else number for number in numbers]


def _floats(entry: object, length: int) -> list[float | None]:
    return [_number(value) for value in _list(entry, "e", length)]


def _pick(choices: Sequence[int], index: int, key: str) -> int:
    if index not in range(len(choices)):
        raise NetStringError(
            f"{key} has the index {index}", remedy=f"there are 0 to {len(choices) - 1}", code="no-such-width"
        )
    return choices[index]


def _number(value: object) -> float | None:
    """A number that is not huge; a boolean, which is an int to Python, is none."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _MOST
    return value if is_number else None  # type: ignore[return-value]


def _whole(value: object) -> int | None:
    number = _number(value)
    return None if number is None or number != int(number) else int(number)


def resolution_of(space: Space, entry: object) -> int | None:
    """The resolution that settings say, in pixels; None where they say none.

    Raises:
        NetStringError: it is none of the space's.
    """
    given = [entry[key] for key in RESOLUTION_KEYS if key in entry] if isinstance(entry, dict) else []
    if not given:
        return None
    # OFA writes a list of one as well.
    value = given[0][0] if isinstance(given[0], list) and len(given[0]) == 1 else given[0]
    size = _whole(value)
    if size is None or size not in space.resolutions or any(other != given[0] for other in given[1:]):
        allowed = f"{space.resolutions[0]} to {space.resolutions[-1]} in steps of {space.resolutions.step}"
        raise NetStringError(f"its resolution is not one of {space.name} ({allowed})", code="no-such-resolution")
    return size
