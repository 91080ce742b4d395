"""Spaces as files: a YAML of a few lines.

    name: fbnet
    title: FBNet
    resolutions: {from: 128, to: 256, step: 32}
    stem: [{operator: conv, channels: 16, stride: 2, kernel: 3}]
    units:                                 # the first layer has the stride and the change of channels
      - {channels: 16, stride: 1, layers: 1}
      - {channels: 24, stride: 2, layers: [2, 3, 4], activation: relu}
    head: [{operator: classifier}]
    operator: mbconv2                      # of all layers; a unit may say its own
    choices: {expand: [1, 3, 6], kernel: [3, 5]}    # a layer has any combination
    same_in_unit: [kernel]                 # choices that all layers of a unit share; true for all of them
    widths: [80, 100]                      # names of a unit's widths, whose channels are then a list
    blocks:                                # in place of choices: blocks by name
      k3_e1: {operator: fbnet, kernel: 3, expand: 1}
      skip: {operator: skip}
    operators: {mine: my_operators.py:build}         # functions of one's own, beside the file

Any other key of a unit, block or part of the stem or head is a setting, which the operator reads. YAML's tags, anchors
and aliases are refused, and so is each key twice.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from hashlib import sha256
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from blockprof.foundation.errors import DataFileError, InputError
from blockprof.foundation.files import read_file
from blockprof.foundation.yaml_files import parse_yaml
from blockprof.spaces.assets import Assets
from blockprof.spaces.blocks import Axis
from blockprof.spaces.definition import Space
from blockprof.spaces.layers import Choice, Layers, Operation, Part, Settings, UnitOperator, Value
from blockprof.spaces.parts import StemChoices, Unit

KEYS = (
    "name",
    "title",
    "resolutions",
    "stem",
    "units",
    "head",
    "operator",
    "choices",
    "same_in_unit",
    "widths",
    "blocks",
    "operators",
)
SHORT = {"expand": "e", "kernel": "k", "groups": "g", "heads": "h", "mlp": "m", "start": "s", "middle": "d"}
"""What settings are called in names of blocks; any other by its whole name."""

MOST_BLOCKS = 127
MOST_PLACES = 100_000
"""Blocks at a slot, by the width before: what the catalogue of instances is made of."""

_NAME = re.compile(r"[A-Za-z0-9_]+")
_SPACE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_PATH = tuple[str | int, ...]


@dataclass(frozen=True)
class _Place:
    """Where in the file: its name, and the line of each key."""

    origin: str
    lines: Mapping[_PATH, int]

    def error(self, path: _PATH, message: str, remedy: str = "", code: str = "bad-space") -> DataFileError:
        """An error at a key, or at the nearest one around it."""
        known = path
        while known not in self.lines and known:
            known = known[:-1]
        where = f"{self.origin}: line {self.lines.get(known, 1)}"
        key = ".".join(str(part + 1) if isinstance(part, int) else part for part in path)
        said = f"'{key}' {message}" if key else message
        return DataFileError(said, where=where, remedy=remedy or None, code=code)


def read_space(path: Path) -> Space:
    """Read a space's file.

    Raises:
        DataFileError: it is not there, no YAML, or no space; the message names line and key.
    """
    try:
        text = read_file(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DataFileError("is no text", where=path, remedy="write YAML in UTF-8", code="not-utf-8") from None
    return parse_space(text, str(path), path.parent)


def parse_space(text: str, origin: str, folder: Path = Path()) -> Space:
    """Read the text of a space's file.

    Args:
        text: the YAML.
        origin: what errors call it.
        folder: where modules of operators lie.

    Raises:
        DataFileError: as :func:`read_space`.
    """
    place = _Place(origin, _lines(text, origin))
    try:
        content = parse_yaml(text)
    except InputError as error:
        raise DataFileError(error, where=origin) from None
    if not isinstance(content, dict):
        raise place.error((), "must hold keys and values", f"there are {', '.join(KEYS)}")
    space = _Reader(place, folder).space(content)
    # Who reads a definition again has no code beside it.
    return replace(space, assets=Assets(definition="" if "operators" in content else text))


def _lines(text: str, origin: str) -> dict[_PATH, int]:
    """The line of each key and entry, counted from 1.

    Raises:
        DataFileError: it is no YAML, or has a tag, an anchor, an alias or a key twice.
    """
    try:
        events: Any = yaml.parse(text, Loader=yaml.SafeLoader)
        for event in events:
            line = event.start_mark.line + 1
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise DataFileError(
                    "anchors and aliases are not read",
                    where=f"{origin}: line {line}",
                    remedy="write it out",
                    code="alias",
                )
            if getattr(event, "tag", None):
                raise DataFileError(
                    f"the tag {event.tag} is not read",
                    where=f"{origin}: line {line}",
                    remedy="leave it out",
                    code="tag",
                )
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        raise DataFileError(f"is not YAML: {' '.join(str(error).split())}", where=origin, code="not-yaml") from None
    lines: dict[_PATH, int] = {}

    def walk(node: Any, path: _PATH) -> None:
        lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                inner = (*path, str(key.value))
                if inner in lines:
                    raise DataFileError(
                        f"the key '{key.value}' is there twice",
                        where=f"{origin}: line {key.start_mark.line + 1}",
                        remedy="join them",
                        code="key-twice",
                    )
                lines[inner] = key.start_mark.line + 1
                walk(value, inner)
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                walk(value, (*path, index))

    if root is not None:
        walk(root, ())
    return lines


@dataclass(frozen=True)
class _Reader:
    place: _Place
    folder: Path

    def space(self, content: dict[Any, Any]) -> Space:
        self.check_keys(content, (), KEYS)
        for key in ("name", "stem", "units", "head", "resolutions"):
            if key not in content:
                raise self.place.error((), f"has no '{key}'", f"write {key}: ...", "missing-key")
        if ("blocks" in content) == ("choices" in content):
            raise self.place.error((), "must have either 'choices' or 'blocks'", code="missing-key")
        name = str(content["name"])
        if not _SPACE_NAME.fullmatch(name):
            raise self.place.error(("name",), f"'{name}' cannot name a space", "use letters, digits, '_', '.' and '-'")
        code, digest = self.operators(content.get("operators", {}))
        widths = tuple(map(str, self.values(content["widths"], ("widths",)))) if "widths" in content else ()
        units = self.list_of(content["units"], ("units",))
        layers, axes = self.layers(content, widths, units, code, digest)
        stem = self.parts(content["stem"], ("stem",), code)
        strides = [self.stride(unit, ("units", index)) for index, unit in enumerate(units)]
        space = Space(
            name=name,
            title=str(content.get("title", name)),
            operator=str(content.get("operator", "")),
            stem=StemChoices(
                skip=(False,),
                mid_channels=(stem[0].channels,),
                out_channels=(stem[-1].channels,) * len(layers.states),
                halvings=sum(part.stride.bit_length() - 1 for part in stem),
            ),
            units=tuple(
                Unit(self.channels(unit, index, widths, len(layers.states)), stride, self.depths(unit, index), "")
                for index, (unit, stride) in enumerate(zip(units, strides, strict=True))
            ),
            resolutions=self.resolutions(content["resolutions"]),
            layers=layers,
            own_axes=axes,
        )
        self.check_size(space)
        return space

    def check_size(self, space: Space) -> None:
        number = len(space.blocks)
        if number > MOST_BLOCKS:
            key = "blocks" if space.layers and not space.layers.choices else "choices"
            raise self.place.error(
                (key,), f"make {number:,} blocks: at most {MOST_BLOCKS} are possible", "leave some out"
            )
        places = space.num_slots * space.num_widths * number
        if places > MOST_PLACES:
            raise self.place.error(("units",), f"make {places:,} places of blocks, too many to hold", "leave some out")

    def layers(
        self,
        content: dict[Any, Any],
        widths: tuple[str, ...],
        units: list[Any],
        code: Mapping[str, str],
        digest: str,
    ) -> tuple[Layers, tuple[Axis, Axis]]:
        choices: tuple[Choice, ...] = ()
        if "choices" in content:
            table = self.table(content["choices"], ("choices",))
            choices = tuple(
                Choice(str(key), SHORT.get(str(key), str(key)), self.values(given, ("choices", str(key))))
                for key, given in table.items()
            )
            if not choices:
                raise self.place.error(("choices",), "has none", "give at least one, such as kernel: [3, 5]")
            shared = self.shared(content.get("same_in_unit", False), choices)
            choices = (
                *(one for one in choices if one.setting in shared),
                *(one for one in choices if one.setting not in shared),
            )
            kinds = _combinations(choices)
            num_states = len(_combinations(tuple(one for one in choices if one.setting in shared)))
        else:
            kinds = self.named(content["blocks"], code)
            num_states = len(kinds) if content.get("same_in_unit", False) is True else 1
        per_state = len(kinds) // num_states
        states = tuple(kind.name for kind in kinds) if num_states > 1 and per_state == 1 else ()
        if not states:
            shared_names = (one for one in choices if num_states > 1 and one.setting in shared)
            states = tuple(one.name for one in _combinations(tuple(shared_names))) if num_states > 1 else ("all",)
        axes = _axes(choices, kinds)
        if widths:
            kinds = tuple(
                Operation(f"w{width}.{kind.name}", kind.operator, kind.settings, kind.token)
                for width in widths
                for kind in kinds
            )
            states = tuple(
                f"w{width}" if state == "all" else f"w{width}.{state}" for width in widths for state in states
            )
            axes = (
                Axis("width", widths),
                Axis("block", tuple(kind.name.split(".", 1)[1] for kind in kinds[: len(kinds) // len(widths)])),
            )
        setup = Layers(
            blocks=kinds,
            states=states,
            choices=choices,
            units=tuple(self.unit_operator(unit, index, content, code) for index, unit in enumerate(units)),
            stem=self.parts(content["stem"], ("stem",), code),
            head=self.parts(content["head"], ("head",), code),
            code=tuple(code.items()),
            digest=digest,
        )
        return setup, axes

    def shared(self, given: object, choices: Sequence[Choice]) -> set[str]:
        names = [one.setting for one in choices]
        if isinstance(given, bool):
            return set(names) if given else set()
        chosen = self.values(given, ("same_in_unit",))
        for one in chosen:
            if one not in names:
                raise self.place.error(
                    ("same_in_unit",), f"has '{one}', which is no choice", f"there are {', '.join(names)}"
                )
        return set(map(str, chosen))

    def named(self, given: object, code: Mapping[str, str]) -> tuple[Operation, ...]:
        blocks = []
        for name, settings in self.table(given, ("blocks",)).items():
            path: _PATH = ("blocks", str(name))
            table = self.table(settings, path)
            if "operator" not in table:
                raise self.place.error(path, "has no operator", "write operator: ...", "missing-key")
            if not _NAME.fullmatch(str(name)):
                raise self.place.error(path, "cannot name a block", "use letters, digits and '_'")
            self.check_operator(table["operator"], (*path, "operator"), code)
            blocks.append(
                Operation(str(name), str(table["operator"]), self.settings(table, path, ("operator",)), str(name))
            )
        if not blocks:
            raise self.place.error(("blocks",), "has none", "give at least one")
        return tuple(blocks)

    def unit_operator(self, unit: Any, index: int, content: dict[Any, Any], code: Mapping[str, str]) -> UnitOperator:
        path: _PATH = ("units", index)
        table = self.table(unit, path)
        operator = table.get("operator", content.get("operator", ""))
        if "choices" in content:
            if not operator:
                raise self.place.error(
                    path, "has no operator", "write operator: ... here or for all units", "missing-key"
                )
            self.check_operator(operator, (*path, "operator") if "operator" in table else ("operator",), code)
        return UnitOperator(str(operator), self.settings(table, path, ("channels", "stride", "layers", "operator")))

    def parts(self, given: object, path: _PATH, code: Mapping[str, str]) -> tuple[Part, ...]:
        parts = []
        for index, one in enumerate(self.list_of(given, path)):
            inner = (*path, index)
            table = self.table(one, inner)
            is_last = path == ("head",) and index == len(self.list_of(given, path)) - 1
            for key in ("operator",) if is_last else ("operator", "channels"):
                if key not in table:
                    raise self.place.error(inner, f"has no {key}", f"write {key}: ...", "missing-key")
            self.check_operator(table["operator"], (*inner, "operator"), code)
            settings = self.settings(table, inner, ("operator", "channels", "stride"))
            operation = Operation(str(table["operator"]), str(table["operator"]), settings, "")
            channels = 0 if is_last and "channels" not in table else self.whole(table["channels"], (*inner, "channels"))
            parts.append(Part(operation, channels, self.stride(table, inner)))
        return tuple(parts)

    def check_operator(self, name: object, path: _PATH, code: Mapping[str, str]) -> None:
        known = (*BUILT_IN, *code)
        if name not in known:
            raise self.place.error(path, f"is '{name}', no operator", _nearest(str(name), known), "unknown-operator")

    def operators(self, given: object) -> tuple[dict[str, str], str]:
        """Where the user's operators are, files as whole paths, and a digest of these."""
        code, contents = {}, sha256()
        for name, where in self.table(given, ("operators",)).items():
            path: _PATH = ("operators", str(name))
            module, _, function = str(where).rpartition(":")
            if not _NAME.fullmatch(str(name)) or not module or not function.isidentifier():
                raise self.place.error(path, f"is '{where}'", "write file.py:function or package.module:function")
            contents.update(f"{name}={where}".encode())
            if module.endswith(".py"):
                file = (self.folder / module).resolve()
                if not file.is_file():
                    raise self.place.error(path, f"is in {module}: there is no such file beside this one")
                contents.update(file.read_bytes())
                module = str(file)
            code[str(name)] = f"{module}:{function}"
        return code, contents.hexdigest()[:16] if code else ""

    def channels(self, unit: Any, index: int, widths: tuple[str, ...], num_states: int) -> tuple[int, ...]:
        path: _PATH = ("units", index, "channels")
        if "channels" not in unit:
            raise self.place.error(path[:-1], "has no channels", "write channels: ...", "missing-key")
        given = self.whole_list(unit["channels"], path)
        if len(given) != max(1, len(widths)):
            needed = f"{len(widths)} of them, one for each of 'widths'" if widths else "one number"
            raise self.place.error(path, f"must be {needed}", code="bad-widths")
        return tuple(channels for channels in given for _ in range(num_states // len(given)))

    def depths(self, unit: Any, index: int) -> tuple[int, ...]:
        given = self.whole_list(unit.get("layers", 1), ("units", index, "layers"))
        return tuple(sorted(set(given)))

    def stride(self, table: Any, path: _PATH) -> int:
        stride = self.whole(table.get("stride", 1), (*path, "stride"))
        if stride & (stride - 1):
            raise self.place.error((*path, "stride"), f"is {stride}", "use 1, 2, 4, 8, ...")
        return stride

    def resolutions(self, given: object) -> range:
        path: _PATH = ("resolutions",)
        table = self.table(given, path)
        self.check_keys(table, path, ("from", "to", "step"))
        first, last, step = (self.whole(table.get(key), (*path, key)) for key in ("from", "to", "step"))
        if last < first:
            raise self.place.error(path, f"are {first} to {last}: there is none")
        return range(first, last + 1, step)

    def settings(self, table: dict[Any, Any], path: _PATH, apart: Sequence[str]) -> Settings:
        found = []
        for key, value in table.items():
            if key not in apart:
                if not isinstance(key, str) or not isinstance(value, int | float | str | bool):
                    raise self.place.error((*path, str(key)), f"is {value!r}", "give a number, a text, true or false")
                known = (*apart, *KNOWN_SETTINGS)
                if key not in known and (near := get_close_matches(key, known, n=1, cutoff=0.75)):
                    raise self.place.error((*path, key), "is no key", f"is {near[0]} meant?", "unknown-key")
                found.append((key, value))
        return tuple(found)

    def check_keys(self, table: Mapping[Any, Any], path: _PATH, known: Sequence[str]) -> None:
        for key in table:
            if key not in known:
                raise self.place.error((*path, str(key)), "is no key", _nearest(str(key), known), "unknown-key")

    def table(self, given: object, path: _PATH) -> dict[Any, Any]:
        if not isinstance(given, dict):
            raise self.place.error(path, f"must hold keys and values, not {given!r}")
        return given

    def list_of(self, given: object, path: _PATH) -> list[Any]:
        if not isinstance(given, list) or not given:
            raise self.place.error(path, f"must be a list that is not empty, not {given!r}")
        return [self.table(one, (*path, index)) for index, one in enumerate(given)]

    def values(self, given: object, path: _PATH) -> tuple[Value, ...]:
        listed: list[Any] = given if isinstance(given, list) else [given]
        if not listed or not all(isinstance(one, int | float | str | bool) for one in listed):
            raise self.place.error(path, f"must be a list of numbers or names, not {given!r}")
        if not all(_NAME.fullmatch(_shown(one)) for one in listed) or len(set(map(_shown, listed))) < len(listed):
            raise self.place.error(path, f"must be different numbers or names, not {given!r}")
        return tuple(listed)

    def whole(self, given: object, path: _PATH) -> int:
        if type(given) is not int or not 1 <= given <= 100_000:
            raise self.place.error(path, f"must be a whole number from 1, not {given!r}", code="not-a-whole-number")
        return given

    def whole_list(self, given: object, path: _PATH) -> tuple[int, ...]:
        return tuple(self.whole(one, path) for one in (given if isinstance(given, list) and given else [given]))


BUILT_IN = (
    "conv",
    "skip",
    "mbconv2",
    "mbconv3",
    "fbnet",
    "fused_mbconv",
    "res",
    "universal",
    "transformer",
    "patches",
    "classifier",
)
"""The names of ``blockprof.networks.operators.OPERATORS``, which need torch."""

KNOWN_SETTINGS = ("kernel", "expand", "groups", "se", "activation", "heads", "mlp", "start", "middle")


def _combinations(choices: tuple[Choice, ...]) -> tuple[Operation, ...]:
    found = []
    for values in product(*(one.values for one in choices)):
        parts = [f"{one.short}{_shown(value)}" for one, value in zip(choices, values, strict=True)]
        settings = tuple((one.setting, value) for one, value in zip(choices, values, strict=True))
        found.append(Operation("".join(parts), "", settings, "_".join(parts)))
    return tuple(found)


def _axes(choices: tuple[Choice, ...], kinds: tuple[Operation, ...]) -> tuple[Axis, Axis]:
    """Rows and columns of tables of blocks: the first choice, and the combinations of the others."""
    if len(choices) < 2:
        return Axis("layer", ("any",)), Axis("block", tuple(kind.name for kind in kinds))
    first, *others = choices
    columns = tuple(", ".join(map(_shown, values)) for values in product(*(one.values for one in others)))
    name = ", ".join(one.setting for one in others)
    return Axis(first.setting, tuple(map(_shown, first.values))), Axis(name, columns)


def _shown(value: Value) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return f"{value:g}".replace(".", "p") if isinstance(value, float) else str(value)


def _nearest(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"is {near[0]} meant?" if near else f"there are {', '.join(known)}"
