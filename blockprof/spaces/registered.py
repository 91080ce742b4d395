"""The door of design spaces: those of blockprof, of the running process and of installed packages, by name."""

import re
from pathlib import Path

from blockprof.foundation.errors import InputError
from blockprof.foundation.registry import Registry
from blockprof.spaces.definition import Space
from blockprof.spaces.files import read_space

_LIBRARY = ("mbv3", "pn", "resnet50", "mbv3_w1", "pn_w1", "fbnet", "mnasnet", "mobilenetv4", "vit")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")

_SPACES: Registry[Space] = Registry("space", tuple(f"blockprof.spaces.library.{name}" for name in _LIBRARY))


def register_space(space: Space) -> Space:
    """Make a space known by its name, here and to all commands of this process, and return it.

    An installed package's spaces are entry points of the group ``blockprof.spaces``, each called as its space.
    Registering an equal space again returns the one that is there.

    Raises:
        InputError: another space has that name, or it cannot be part of a file's.
    """
    if not _NAME.fullmatch(space.name):
        raise InputError(f"'{space.name}' cannot name a space", remedy="use letters, digits, '_', '.' and '-'")
    return _SPACES.register(space.name, space)


def registered_spaces() -> tuple[Space, ...]:
    """Every space, the built-in ones first."""
    return tuple(space for name in _SPACES.names() if (space := _SPACES.find(name)) is not None)


def space_names() -> tuple[str, ...]:
    """The names of all spaces, the built-in ones first."""
    return _SPACES.names()


def load_space(name: str) -> Space:
    """Return the space called ``name``, such as ``pn``, or that BlockProfile called so, or that of a YAML file.

    A file's space is registered by its own name, and so known by it for the rest of the process.

    Raises:
        InputError: no space has that name, or another space has the file's.
        DataFileError: the file holds no space.
    """
    if name.endswith((".yaml", ".yml")):
        return _load_file(Path(name))
    found = _SPACES.find(name)
    if found is None:
        found = next((space for space in registered_spaces() if space.assets.upstream_called(name)), None)
    if found is None:
        raise InputError(
            f"unknown space '{name}'", remedy=f"there are {', '.join(space_names())}", code="unknown-space"
        )
    return found


def _load_file(path: Path) -> Space:
    space = read_space(path)
    there = _SPACES.find(space.name)
    if there is not None and there != space:
        raise InputError(
            f"'name' is {space.name}, which another space has", where=path, remedy="choose another", code="name-taken"
        )
    return register_space(space)
