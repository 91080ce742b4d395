"""What ``--blocks`` takes: placements, or BlockProfile's nested lists."""

from collections.abc import Iterable

from blockprof.foundation.decoding import parse_json
from blockprof.foundation.errors import Argument, PlacementError, Said
from blockprof.spaces.blocks import PERCENT, Bottleneck, MBConv
from blockprof.spaces.definition import Space
from blockprof.spaces.placements import Constraint, Placement, StemPlacement, make_constraint, parse_constraint

_MBCONV_FORM = "[[unit, layer, kernel, expand], ...], unit and layer counted from 0, an optional resolution last"
_MOST = 1e6
_BOTTLENECK_FORM = (
    "[[2, unit, layer, expand, width index], ...], unit and layer counted from 0; [0, 0] skips the stem's block, "
    "[0, 1] or [0, 2] keeps it, [1, stem, width index] fixes the width of stem 0 or 1"
)


def parse_blocks(space: Space, texts: Iterable[str], resolution: int) -> tuple[Constraint, ...]:
    """Read the placements to profile.

    Each text is one or more placements joined with commas (``u2.l1.e6k7,u3.l1.e3k3+u3.l2.e3k3``: those joined with
    ``+`` are fixed together), or one of BlockProfile's nested lists, whose blocks are fixed together and count units
    and layers from 0: ``[[1, 0, 7, 6]]`` is ``u2.l1.e6k7``, in ``resnet50`` ``[[2, 2, 1, 0.35, 2]]`` is
    ``u3.l2.w100.e35``. There, as in BlockProfile, any first number but 0 and 1 announces a block, and ``[[0, n]]``
    keeps the stem's block where n is above 0.

    Raises:
        PlacementError: a text of neither form, a placement that is not in the space, one given twice, or a nested
            list's resolution that is not ``resolution``.
    """
    constraints: list[Constraint] = []
    for text in texts:
        if text.lstrip().startswith("["):
            constraints.append(_parse_nested(space, text, resolution))
        else:
            constraints.extend(parse_constraint(space, part) for part in text.split(",") if part.strip())
    if not constraints:
        raise PlacementError(
            "is empty", where=Argument("blocks"), remedy="give placements such as u2.l1.e6k7", code="no-placements"
        )
    for index, constraint in enumerate(constraints):
        if constraint in constraints[:index]:
            raise PlacementError(f"{constraint.name} is given twice", code="repeated-placement")
    return tuple(constraints)


def _parse_nested(space: Space, text: str, resolution: int) -> Constraint:
    parse = _parse_bottleneck if space.num_widths > 1 else _parse_mbconv
    form = _BOTTLENECK_FORM if space.num_widths > 1 else _MBCONV_FORM
    try:
        content = parse_json(text)
    except ValueError as error:
        raise PlacementError(f"'{text}' is not JSON ({error})", remedy=f"write {form}", code="not-json") from None
    if not isinstance(content, list) or not all(_is_numbers(entry) for entry in content):
        raise PlacementError(f"'{text}'", remedy=f"write {form}", code="not-a-nested-list")
    placements = [parse(space, entry) for entry in content]
    found = [placement for placement in placements if placement is not None]
    if len(found) < len(placements):
        raise PlacementError(f"'{text}'", remedy=f"write {form}", code="not-a-nested-list")
    for entry in content if space.num_widths == 1 else ():
        if len(entry) == 5 and entry[4] != resolution:
            raise PlacementError(
                f"'{text}' asks for resolution {entry[4]}",
                remedy=Said("say so with {}", Argument("resolution", entry[4])),
                code="other-resolution",
            )
    return make_constraint(space, found)


def _is_numbers(entry: object) -> bool:
    # A bool is an int to Python, and NaN a float.
    return isinstance(entry, list) and all(type(value) in (int, float) and abs(value) < _MOST for value in entry)


def _parse_mbconv(space: Space, entry: list[object]) -> Placement | None:
    match entry:
        case [int(unit), int(layer), int(kernel), int(expand), *rest] if len(rest) <= 1:
            return Placement(unit + 1, layer + 1, MBConv(expand, kernel))
    return None


def _parse_bottleneck(space: Space, entry: list[object]) -> Placement | StemPlacement | None:
    stem = space.stem
    match entry:
        case [0, int(depth)]:
            return StemPlacement("skip", int(depth <= 0))
        case [1, 0, int(index)] if index in range(len(stem.mid_channels)):
            return StemPlacement("mid_channels", stem.mid_channels[index])
        case [1, 1, int(index)] if index in range(len(stem.out_channels)):
            return StemPlacement("out_channels", stem.out_channels[index])
        case [int(kind), int(unit), int(layer), float(expand), int(index)] if kind not in (0, 1) and index in range(
            space.num_widths
        ):
            return Placement(unit + 1, layer + 1, Bottleneck(space.width_ratios[index], round(expand * PERCENT)))
    return None
