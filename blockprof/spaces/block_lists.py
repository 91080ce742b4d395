"""What ``--blocks`` takes: placements, or BlockProfile's nested lists."""

import json
from collections.abc import Iterable

from blockprof.errors import PlacementError
from blockprof.spaces.definition import Block, Space
from blockprof.spaces.placements import Fixing, Placement, make_fixing, parse_fixing

_UPSTREAM_FORM = "[[unit, layer, kernel, expand], ...], unit and layer counted from 0, an optional resolution last"


def parse_blocks(space: Space, texts: Iterable[str], resolution: int) -> tuple[Fixing, ...]:
    """Read the placements to profile.

    Each text is one or more placements joined with commas (``u2.l1.e6k7,u3.l1.e3k3+u3.l2.e3k3``: those joined with
    ``+`` are fixed together), or one of BlockProfile's nested lists, whose blocks are fixed together and count units
    and layers from 0: ``[[1, 0, 7, 6]]`` is ``u2.l1.e6k7``.

    Raises:
        PlacementError: a text of neither form, a placement that is not in the space, one given twice, or a nested
            list's resolution that is not ``resolution``.
    """
    fixings: list[Fixing] = []
    for text in texts:
        if text.lstrip().startswith("["):
            fixings.append(_parse_nested(space, text, resolution))
        else:
            fixings.extend(parse_fixing(space, part) for part in text.split(",") if part.strip())
    if not fixings:
        raise PlacementError("--blocks is empty: give placements such as u2.l1.e6k7")
    for index, fixing in enumerate(fixings):
        if fixing in fixings[:index]:
            raise PlacementError(f"{fixing.name} is given twice")
    return tuple(fixings)


def _parse_nested(space: Space, text: str, resolution: int) -> Fixing:
    try:
        content = json.loads(text)
    except ValueError as error:
        raise PlacementError(f"'{text}' is not JSON ({error}): write {_UPSTREAM_FORM}") from None
    if not isinstance(content, list) or not all(_is_entry(entry) for entry in content):
        raise PlacementError(f"'{text}': write {_UPSTREAM_FORM}")
    for entry in content:
        if len(entry) == 5 and entry[4] != resolution:
            raise PlacementError(f"'{text}' asks for resolution {entry[4]}: say so with --resolution {entry[4]}")
    return make_fixing(
        space,
        [Placement(unit + 1, layer + 1, Block(expand, kernel)) for unit, layer, kernel, expand, *_ in content],
    )


def _is_entry(entry: object) -> bool:
    return isinstance(entry, list) and len(entry) in (4, 5) and all(type(value) is int for value in entry)
