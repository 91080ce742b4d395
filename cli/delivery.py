"""Where what a command found goes: a terminal, a file, another program."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

import typer

from blockprof.foundation.lazy import lazy_import

if TYPE_CHECKING:
    import pandas as pd

    from blockprof.output import exporting
else:
    exporting = lazy_import("blockprof.output.exporting")

T = TypeVar("T")


@runtime_checkable
class Tabular(Protocol):
    """A result that is a table as well."""

    def to_pandas(self) -> "pd.DataFrame":
        """The table."""
        ...


@dataclass
class Delivery:
    """Where the results of the command that runs go; ``run`` is the name that it was logged under."""

    out: Path | None = None
    as_json: bool = False
    quiet: bool = False
    run: str | None = None
    found: Tabular | None = field(default=None, repr=False)

    def give(self, result: T, show: Callable[[T], None] | None) -> None:
        """Save a result as soon as it is there, and print it, unless JSON is to be printed at the end."""
        if isinstance(result, Tabular):
            self.found = result
            self._save()
        if show and not self.as_json:
            show(result)

    def end(self) -> None:
        """Print JSON, where that was asked for and there is a result."""
        if self.as_json and self.found is not None:
            # In JSON all but ASCII is escaped: no text in it is obeyed by a terminal.
            typer.echo(exporting.as_json(self.found.to_pandas()))

    def _save(self) -> None:
        if self.out and self.found is not None:
            exporting.write_table(self.found.to_pandas(), self.out)


_current: list[Delivery] = [Delivery()]


def current() -> Delivery:
    """Of the command that runs."""
    return _current[-1]


@contextmanager
def delivering(delivery: Delivery) -> Iterator[None]:
    """What the block finds goes where ``delivery`` says."""
    _current.append(delivery)
    try:
        yield
    finally:
        # Also of a command that failed after it found something, as where that could not be logged.
        delivery.end()
        _current.pop()
