"""Reductions as files: a small YAML that a person can read and edit.

    space: pn
    name: npu
    drop:                                 # blocks that are not used
      everywhere: [e3k7, e4k7]
      u1: [e3k3]                          # in all layers of unit 1
      u5.l4: [e6k7]
    layers:                               # how many a unit may have; all there are where not said
      u1: [2, 3]
    widths:                               # of resnet50's units, in percent
      u3: [80, 100]
    stems: [stem.noskip+stem1.c32]        # of resnet50: those that are kept, each as in a placement
    mutation_probabilities:               # of a search, by unit; 0.5 where not said
      u4: 0.25
    reasons:
      - any text

Only ``space`` must be there; the name is the file's where none is said. Layers that no depth reaches do not matter.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from blockprof.foundation.arrays import BoolArray
from blockprof.foundation.errors import DataFileError, InputError
from blockprof.foundation.files import read_file, staged
from blockprof.foundation.yaml_files import parse_yaml, repeated_key
from blockprof.reduction.control import random_control
from blockprof.reduction.presets import load_preset, preset_names
from blockprof.reduction.reduction import UNIT_MUTATION_PROBABILITY, Reduction
from blockprof.spaces import Space, load_space, parse_constraint, space_names

EVERYWHERE = "everywhere"
RANDOM = "random"
KEYS = ("space", "name", "drop", "layers", "widths", "stems", "mutation_probabilities", "reasons")
_UNICODE_BREAKS = {"\x85", "\u2028", "\u2029"}
"""PyYAML loses these ends of lines, unless it escapes them."""
_LINE_WIDTH = 120


def load_reduction(space: Space, name_or_path: str, seed: int = 0) -> Reduction:
    """Return a reduction of a space: one of the paper's by its name, a random control, or that of a file.

    Args:
        space: the design space.
        name_or_path: a preset's name; a YAML file's path; ``random:`` and one of these for a control that leaves out as
            much, at random, ``random`` being one as small as the space's first preset.
        seed: of a control.

    Raises:
        InputError: it is none of these, or the file's is of another space.
        DataFileError: the file does not hold a reduction.
    """
    if name_or_path == RANDOM or name_or_path.startswith(f"{RANDOM}:"):
        like = name_or_path[len(RANDOM) + 1 :] or next(iter(preset_names(space)), None)
        if like is None:
            raise InputError(
                f"{space.name} has no reduction to be as small as", where=RANDOM, remedy=f"write {RANDOM}:FILE"
            )
        return random_control(load_reduction(space, like), seed)
    if name_or_path in preset_names(space):
        return load_preset(space, name_or_path)
    path = Path(name_or_path)
    if not path.exists() and (path.suffix.lower() in (".yaml", ".yml") or len(path.parts) > 1):
        raise DataFileError("there is no such file", where=path, remedy="check the path", code="no-such-file")
    if not path.exists():
        raise InputError(
            f"unknown reduction '{name_or_path}': for {space.name} there are "
            f"{', '.join((*preset_names(space), RANDOM))}, {RANDOM}:NAME, and the files that `blockprof reduce` writes",
            code="unknown-name",
        )
    reduction = read_reduction(path)
    if reduction.space != space:
        raise InputError(
            f"is a reduction of {reduction.space.name}, not of {space.name}", where=path, code="not-of-space"
        )
    return reduction


def format_reduction(reduction: Reduction) -> str:
    """The text of a reduction's file."""
    space = reduction.space
    parts: dict[str, object] = {"space": space.name, "name": reduction.name}
    widths, lost_by_width = _widths(reduction)
    parts["drop"] = _drops(space, ~reduction.blocks & ~lost_by_width)
    parts["layers"] = {
        f"u{number}": list(kept)
        for number, (unit, kept) in enumerate(zip(space.units, reduction.depths, strict=True), start=1)
        if set(kept) != set(unit.depths)
    }
    parts["widths"] = widths
    parts["stems"] = [] if reduction.stems.all() else _stem_names(space, reduction.stems)
    probabilities = enumerate(reduction.mutation_probabilities.tolist(), start=1)
    parts["mutation_probabilities"] = {f"u{number}": p for number, p in probabilities if p != UNIT_MUTATION_PROBABILITY}
    parts["reasons"] = list(reduction.reasons)
    texts = [
        # None puts each list on a line of its own, but a key whose value is a word in braces.
        yaml.safe_dump(
            {key: value},
            sort_keys=False,
            default_flow_style=False if isinstance(value, str) or key == "reasons" else None,
            allow_unicode=_UNICODE_BREAKS.isdisjoint("".join(reduction.reasons) if key == "reasons" else str(value)),
            width=_LINE_WIDTH,
        )
        for key, value in parts.items()
        if value
    ]
    return "".join(texts)


def write_reduction(reduction: Reduction, path: Path) -> Path | None:
    """Write a reduction's file, whole or not at all.

    A file there that holds something else, such as an edited reduction, is renamed to ``*.old``, in place of an older
    one.

    Returns:
        The name that such a file has now; None where there was none.

    Raises:
        InputError: the file cannot be written.
    """
    if path.is_dir():
        raise InputError(f"cannot write {path}: it is a folder: name a file", code="folder-in-place-of-a-file")
    content, old = format_reduction(reduction).encode(), None
    with staged(path.parent) as folder:
        (folder / path.name).write_bytes(content)
        if path.exists() and path.read_bytes() != content:
            old = path.with_name(f"{path.name}.old")
            os.replace(path, old)
    return old


def read_reduction(path: Path) -> Reduction:
    """Read a reduction's file.

    Raises:
        DataFileError: it is not there, not YAML, or a key or value in it is not allowed; the message names the key and
            says what is.
    """
    try:
        return parse_reduction(read_file(path).decode(), path.stem)
    except UnicodeDecodeError:
        raise DataFileError("is no text", where=path, remedy="write YAML in UTF-8", code="not-utf-8") from None
    except DataFileError:
        raise
    except InputError as error:
        raise DataFileError(error, where=path) from None


def parse_reduction(text: str, name: str) -> Reduction:
    """Read the text of a reduction's file.

    Args:
        text: the YAML.
        name: of the reduction where the text says none.

    Raises:
        InputError: it is not YAML, or a key or value in it is not allowed.
    """
    content = _load(text)
    for key in content:
        if key not in KEYS:
            raise InputError(f"unknown key '{key}'", remedy=f"there are {', '.join(KEYS)}", code="unknown-key")
    if content.get("space") not in space_names():
        given = f", not '{content['space']}'" if "space" in content else ""
        raise InputError(f"'space' must be one of {', '.join(space_names())}{given}", code="unknown-space")
    space = load_space(content["space"])
    whole = Reduction.whole(space)
    title = content.get("name", name)
    if not isinstance(title, str) or not title.strip():
        raise InputError("'name' must be a text that is not empty", code="empty-name")
    blocks, depths, probabilities = whole.blocks.copy(), list(whole.depths), whole.mutation_probabilities.copy()
    for place, names in _table(content, "drop").items():
        known = [block.name for block in space.blocks]
        dropped = _choices(f"drop.{place}", names, known)
        blocks[_slots(space, place), [[known.index(block)] for block in dropped]] = False
    for place, kept in _table(content, "layers").items():
        unit = _unit(space, "layers", place)
        depths[unit] = tuple(sorted(_choices(f"layers.{place}", kept, space.units[unit].depths)))
    for place, kept in _table(content, "widths").items():
        if space.num_widths == 1:
            raise InputError(
                f"'widths': units of {space.name} have one width: leave it out", code="widths-of-one-width"
            )
        unit = _unit(space, "widths", place)
        ratios = _choices(f"widths.{place}", kept, space.width_choices)
        lost = np.repeat([one not in ratios for one in space.width_choices], space.blocks_per_width)
        blocks[space.unit_slots[unit]] &= ~lost
    for place, value in _table(content, "mutation_probabilities").items():
        unit = _unit(space, "mutation_probabilities", place)
        if type(value) not in (int, float) or not 0 <= value <= 1:
            raise InputError(
                f"'mutation_probabilities.{place}' must be a number from 0 to 1, not {_shown(value)}",
                code="not-a-probability",
            )
        probabilities[unit] = value
    reasons = content.get("reasons", [])
    if not isinstance(reasons, list) or not all(isinstance(line, str) for line in reasons):
        raise InputError("'reasons' must be a list of texts", code="not-a-list-of-texts")
    stems = _stems(space, content["stems"]) if "stems" in content else whole.stems
    return Reduction(space, title, blocks, tuple(depths), stems, probabilities, tuple(reasons))


def _load(text: str) -> dict[object, Any]:
    content = parse_yaml(text)
    if not isinstance(content, dict):
        raise InputError(
            f"must hold keys and values: write space: {space_names()[0]}, and what to drop", code="no-keys"
        )
    if repeated := repeated_key(text):
        raise InputError(f"has the key '{repeated}' twice in one place", remedy="join them", code="key-twice")
    return content


def _table(content: Mapping[object, Any], key: str) -> dict[object, Any]:
    table = content.get(key, {})
    if not isinstance(table, dict):
        raise InputError(f"'{key}' must hold keys such as u1, not {_shown(table)}", code="not-keys")
    return table


def _unit(space: Space, key: str, place: object) -> int:
    names = [f"u{number}" for number in range(1, len(space.units) + 1)]
    if place not in names:
        raise InputError(
            f"unknown key '{key}.{place}': {space.name} has the units {', '.join(names)}", code="unknown-key"
        )
    return names.index(str(place))


def _slots(space: Space, place: object) -> slice:
    if place == EVERYWHERE:
        return slice(None)
    units = {f"u{number}": slots for number, slots in enumerate(space.unit_slots, start=1)}
    layers = {
        f"{name}.l{layer + 1}": slice(slots.start + layer, slots.start + layer + 1)
        for name, slots in units.items()
        for layer in range(slots.stop - slots.start)
    }
    found = (units | layers).get(str(place))
    if found is None:
        ranges = ", ".join(f"{name}.l1 to l{slots.stop - slots.start}" for name, slots in units.items())
        raise InputError(
            f"unknown key 'drop.{place}'",
            remedy=f"there are {EVERYWHERE}, {', '.join(units)}, {ranges}",
            code="unknown-key",
        )
    return found


def _choices(key: str, given: object, known: Any) -> list[Any]:
    """A list of some of what is known; not of bools, which are numbers to Python."""
    values = given if isinstance(given, list) else [given]
    for value in values:
        if isinstance(value, bool) or value not in known:
            raise InputError(
                f"'{key}' must be a list of some of {', '.join(map(str, known))}, not {_shown(value)}",
                code="not-a-list-of-known",
            )
    return values


def _stems(space: Space, given: object) -> BoolArray:
    if len(space.stems) == 1:
        raise InputError(f"'stems': {space.name} has a single stem: leave it out", code="stems-of-one-stem")
    kept = np.zeros(len(space.stems), dtype=bool)
    for name in given if isinstance(given, list) else [given]:
        try:
            constraint = parse_constraint(space, str(name))
        except InputError as error:
            raise InputError(error, where="'stems'") from None
        if constraint.layers:
            raise InputError(
                f"'stems': {name} is no part of a stem: write it like {_stem_names(space, ~kept)[0]}",
                code="not-of-the-stem",
            )
        kept |= np.array([constraint.allows(stem) for stem in space.stems])
    return kept


def _stem_names(space: Space, kept: BoolArray) -> list[str]:
    return [
        f"stem.{'skip' if stem.skip else 'noskip'}+stem1.c{stem.mid_channels}+stem2.c{stem.out_channels}"
        for stem, stays in zip(space.stems, kept, strict=True)
        if stays
    ]


def _widths(reduction: Reduction) -> tuple[dict[str, list[object]], BoolArray]:
    """The widths kept by the units that lost some in all layers; (L, B): the blocks that are lost so."""
    space = reduction.space
    lost = np.zeros_like(reduction.blocks)
    kept: dict[str, list[object]] = {}
    for unit, slots in enumerate(space.unit_slots):
        by_width = reduction.blocks[slots].reshape(-1, space.num_widths, space.blocks_per_width)
        gone = np.asarray(~by_width.any(axis=(0, 2)))
        lost[slots] = np.repeat(gone, space.blocks_per_width)
        if gone.any():
            kept[f"u{unit + 1}"] = [one for one, away in zip(space.width_choices, gone, strict=True) if not away]
    return kept, lost


def _drops(space: Space, dropped: BoolArray) -> dict[str, list[str]]:
    """Blocks dropped (L, B), by the largest part of the network in which each is: all of it, a unit, a layer."""
    drops: dict[str, list[str]] = {}

    def add(place: str, blocks: BoolArray) -> None:
        if blocks.any():
            drops[place] = [block.name for block, gone in zip(space.blocks, blocks, strict=True) if gone]

    everywhere = np.asarray(dropped.all(axis=0))
    add(EVERYWHERE, everywhere)
    for unit, slots in enumerate(space.unit_slots, start=1):
        in_unit = np.asarray(dropped[slots].all(axis=0))
        add(f"u{unit}", in_unit & ~everywhere)
        for layer, gone in enumerate(dropped[slots], start=1):
            add(f"u{unit}.l{layer}", gone & ~in_unit)
    return drops


def _shown(value: object) -> str:
    return f"'{' '.join(str(value).split())}'"
