"""Networks of a space by operators in the forms that others publish them in.

- A list of the index of each layer's block, as FBNet's: ``[0, 3, 8, ...]``, null where a layer is absent; also as
  ``{"blocks": [...]}``.
- The choices by unit, as Accel-NASBench's columns: ``{"e1": 6, "k1": 3, "l1": 2, ...}``, short names and the unit,
  where ``l`` is how many layers it has; where layers choose for themselves, all of a unit choose so.
- OFA's: ``{"ks": [...], "e": [...], "d": [...]}``, by slot, and the depth of each unit.
"""

from collections.abc import Mapping, Sequence

from blockprof.foundation.errors import NetStringError
from blockprof.foundation.net_strings import ABSENT
from blockprof.spaces.definition import Space
from blockprof.spaces.layers import Choice, Value

OFA_KEYS = {"kernel": "ks", "expand": "e"}


def is_index_list(content: object) -> bool:
    """Whether content is a list of indices, one network, rather than of networks."""
    return isinstance(content, list) and bool(content) and all(one is None or type(one) is int for one in content)


def unit_columns(space: Space) -> tuple[str, ...]:
    """The columns that say a network by units: ``e1``, ``k1``, ``l1``, ...; none where blocks have names."""
    if space.layers is None or not space.layers.choices:
        return ()
    names = (*(choice.short for choice in space.layers.choices), "l")
    return tuple(f"{name}{unit}" for unit in range(1, len(space.units) + 1) for name in names)


def genes_of_layers(space: Space, entry: object) -> list[int]:
    """The index of the stem, which is 0, then of the block at each slot, of one network.

    Raises:
        NetStringError: it is in none of these forms, or no network of ``space``; the message says where.
    """
    if is_index_list(entry):
        return [0, *_of_indices(space, entry)]
    if isinstance(entry, dict) and isinstance(entry.get("blocks"), list):
        return [0, *_of_indices(space, entry["blocks"])]
    if isinstance(entry, dict) and "d" in entry and _of_ofa(space):
        return [0, *_of_lists(space, entry)]
    columns = unit_columns(space)
    if isinstance(entry, dict) and columns and columns[0] in entry:
        return [0, *_of_units(space, entry)]
    forms = [f"a list of {space.num_slots} indices of blocks"]
    forms += ['{"ks": [...], "e": [...], "d": [...]}'] if _of_ofa(space) else []
    forms += [f'{{"{columns[0]}": ..., "{columns[1]}": ..., ...}}'] if columns else []
    raise NetStringError(
        f"is no network of {space.name}", remedy=f"write {' or '.join(forms)}, or a net string", code="not-settings"
    )


def _of_ofa(space: Space) -> bool:
    return space.layers is not None and {one.setting for one in space.layers.choices} == OFA_KEYS.keys()


def _of_indices(space: Space, given: object) -> list[int]:
    if not is_index_list(given) or not isinstance(given, list) or len(given) != space.num_slots:
        number = len(given) if isinstance(given, list) else 0
        raise NetStringError(
            f"has {number} indices of blocks, where {space.name} has {space.num_slots} layers", code="not-indices"
        )
    blocks = [ABSENT if one is None else int(one) for one in given]
    for slot, block in enumerate(blocks):
        if not ABSENT <= block < len(space.blocks):
            raise NetStringError(
                f"entry {slot + 1} is {block}: {space.name} has the blocks 0 to {len(space.blocks) - 1}",
                code="no-such-block",
            )
    return _checked(space, blocks)


def _checked(space: Space, blocks: list[int]) -> list[int]:
    for number, (unit, slots) in enumerate(zip(space.units, space.unit_slots, strict=True), start=1):
        present = [block for block in blocks[slots] if block != ABSENT]
        if len(present) not in unit.depths or ABSENT in blocks[slots][: len(present)]:
            allowed = " or ".join(map(str, unit.depths))
            raise NetStringError(
                f"unit {number} has {len(present)} layers, but {space.name} allows {allowed}", code="not-a-depth"
            )
        if len({block // space.blocks_per_width for block in present}) > 1:
            raise NetStringError(f"the layers of unit {number} differ in what they share", code="two-widths")
    return blocks


def _of_units(space: Space, entry: Mapping[str, object]) -> list[int]:
    assert space.layers is not None
    blocks = []
    for number, unit in enumerate(space.units, start=1):
        depth = _number(entry, f"l{number}")
        if depth not in unit.depths:
            allowed = " or ".join(map(str, unit.depths))
            raise NetStringError(
                f"l{number} is {entry[f'l{number}']}: {space.name} allows {allowed}", code="not-a-depth"
            )
        values = [_value(entry, f"{choice.short}{number}", choice) for choice in space.layers.choices]
        blocks += [_block(space, values)] * int(depth) + [ABSENT] * (unit.max_depth - int(depth))
    return blocks


def _of_lists(space: Space, entry: Mapping[str, object]) -> list[int]:
    assert space.layers is not None
    depths, blocks = _list(entry, "d", len(space.units)), []
    for slot, (unit, layer) in enumerate(zip(space.slot_unit, space.slot_layer, strict=True)):
        if depths[unit] not in space.units[unit].depths:
            raise NetStringError(f"d: unit {unit + 1} would have {depths[unit]} layers", code="not-a-depth")
        if layer >= int(str(depths[unit])):
            blocks.append(ABSENT)
            continue
        keys = [OFA_KEYS[choice.setting] for choice in space.layers.choices]
        row = {key: _list(entry, key, space.num_slots)[slot] for key in keys}
        values = [_value(row, key, choice) for key, choice in zip(keys, space.layers.choices, strict=True)]
        blocks.append(_block(space, values))
    return _checked(space, blocks)


def _block(space: Space, values: Sequence[Value]) -> int:
    assert space.layers is not None
    wanted = {choice.setting: value for choice, value in zip(space.layers.choices, values, strict=True)}
    return next(index for index, block in enumerate(space.blocks) if dict(block.settings) == wanted)  # type: ignore[union-attr]


def _value(entry: Mapping[str, object], key: str, choice: Choice) -> Value:
    given = _number(entry, key)
    for value in choice.values:
        if given == value or (isinstance(value, str) and str(entry[key]) == value):
            return value
    raise NetStringError(
        f"{key} is {entry[key]}", remedy=f"there are {', '.join(map(str, choice.values))}", code="no-such-block"
    )


def _list(entry: Mapping[str, object], key: str, length: int) -> list[object]:
    values = entry.get(key)
    if not isinstance(values, list) or len(values) != length:
        raise NetStringError(f"{key} must be a list of {length} numbers", code="not-a-list-of-numbers")
    return values


def _number(entry: Mapping[str, object], key: str) -> float:
    """A number, as such or as text."""
    if key not in entry:
        raise NetStringError(f"has no {key}", code="not-settings")
    try:
        return float(str(entry[key]))
    except ValueError:
        return float("nan")
