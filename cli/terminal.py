"""What terminals, and what stands in for one, can show: narrow ones, those that tell no width, ASCII."""

import codecs
import sys
from io import TextIOWrapper

from rich.cells import cell_len
from rich.console import Console, ConsoleDimensions
from rich.table import Table
from rich.text import Text

MIN_COLUMNS = 60
"""Containers and CI say that they have none, and on fewer no table can be read."""
_BETWEEN_COLUMNS = 3
_LEAST_NAME = 12
_PLAIN = {"±": "+/-", "…": "...", "µ": "u", "×": "x", "–": "-", "→": "->", "≤": "<=", "≥": ">="}
_HANDLER = "blockprof.plain"


class Terminal(Console):
    """A console of at least 60 columns, on which no number is cut: a table that is wider goes beyond the edge."""

    _least = MIN_COLUMNS

    @property
    def size(self) -> ConsoleDimensions:
        found = super().size
        return ConsoleDimensions(max(found.width, self._least), found.height)

    @size.setter
    def size(self, new_size: tuple[int, int]) -> None:
        self._width, self._height = new_size

    def print_table(self, table: Table) -> None:
        """Print a table without edges, as wide as its numbers are, or as the terminal where they leave room."""
        self._least = max(MIN_COLUMNS, _least_width(table))
        try:
            self.print(table)
        finally:
            self._least = MIN_COLUMNS


def _least_width(table: Table) -> int:
    """The columns in which no word, and no cell of a column that does not wrap, is cut; names that fold are folded."""
    widths = []
    for column in table.columns:
        cells = [cell.plain if isinstance(cell, Text) else str(cell) for cell in (column.header, *column.cells)]
        parts = [part for cell in cells for part in (cell.splitlines() if column.no_wrap else cell.split())]
        width = max(map(cell_len, parts), default=0)
        widths.append(min(width, _LEAST_NAME) if column.overflow == "fold" and not column.no_wrap else width)
    return sum(widths) + _BETWEEN_COLUMNS * (len(widths) - 1)


def write_plainly() -> None:
    """Let stdout and stderr write, for signs that their encoding lacks, what is like them: +/- for ±; else a ?."""
    codecs.register_error(_HANDLER, _plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors=_HANDLER)


def _plain(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_PLAIN.get(sign, "?") for sign in error.object[error.start : error.end]), error.end
