"""Doors: things of one kind by name, from blockprof, from the running process, or from installed packages."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from blockprof.foundation.errors import InputError

Thing = TypeVar("Thing")


@dataclass(eq=False)
class Registry(Generic[Thing]):
    """Named things of one ``kind``, such as ``space``.

    ``built_in`` are the modules that register what comes with blockprof when they are imported. Others are registered
    in process, or offered by an installed package as entry points of the group ``blockprof.<kind>s``, whose names are
    the things' names. Packages are looked at when a name is not known yet, or all names are asked for.
    """

    kind: str
    built_in: Sequence[str]
    _things: dict[str, Thing] = field(default_factory=dict, init=False, repr=False)
    _has_built_in: bool = field(default=False, init=False, repr=False)
    _has_packages: bool = field(default=False, init=False, repr=False)

    @property
    def group(self) -> str:
        """The entry points' group."""
        return f"blockprof.{self.kind}s"

    def register(self, name: str, thing: Thing) -> Thing:
        """Add a thing, and return it; adding an equal one again changes nothing, and returns the first.

        Raises:
            InputError: another thing has that name.
        """
        self._load_built_in()
        there = self._things.setdefault(name, thing)
        if there != thing:
            raise InputError(f"the {self.kind} name '{name}' is taken", remedy="choose another", code="name-taken")
        return there

    def find(self, name: str) -> Thing | None:
        """The thing of that name; None where there is none."""
        self._load_built_in()
        if name not in self._things:
            self._load_packages()
        return self._things.get(name)

    def get(self, name: str) -> Thing:
        """The thing of that name.

        Raises:
            InputError: there is none.
        """
        found = self.find(name)
        if found is None:
            raise InputError(
                f"unknown {self.kind} '{name}'", remedy=f"there are {', '.join(self.names())}", code="unknown-name"
            )
        return found

    def names(self) -> tuple[str, ...]:
        """All names, the built-in things' first."""
        self._load_built_in()
        self._load_packages()
        return tuple(self._things)

    def _load_built_in(self) -> None:
        if not self._has_built_in:
            self._has_built_in = True
            for module in self.built_in:
                import_module(module)

    def _load_packages(self) -> None:
        if not self._has_packages:
            self._has_packages = True
            for entry in entry_points(group=self.group):
                self._load_package(entry)

    def _load_package(self, entry: EntryPoint) -> None:
        """One that cannot be loaded is left out, with a warning: it must not keep the others from working."""
        try:
            self.register(entry.name, entry.load())
        except Exception as error:
            of = f" of the package {entry.dist.name}" if entry.dist else ""
            warnings.warn(
                f"the {self.kind} '{entry.name}'{of} is left out: {type(error).__name__}: {error}", stacklevel=4
            )
