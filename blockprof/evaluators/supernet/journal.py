"""The journal of evaluations: every network's accuracy, on disk as soon as it is known.

The header (``blockprof.foundation.journal``) says what the networks are evaluated with; then comes a row for each, in
any order, so that a larger pool resumes where a smaller one ended.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blockprof.foundation import journal
from blockprof.foundation.decoding import MALFORMED

JOURNAL = journal.Kind("accuracies", "measured", "evaluates", format_1="blockprof accuracies 1")

Settings = Mapping[str, str | int]
"""What accuracies depend on, by name: those of equal settings are of one kind."""


@dataclass(frozen=True, slots=True)
class Accuracy:
    """A network's accuracies, in percent."""

    top1: float
    top5: float


class Accuracies:
    """An open journal: the accuracies of networks by their net strings, and how to add to them."""

    def __init__(self, rows: journal.Journal, of_networks: dict[str, Accuracy]) -> None:
        self.of_networks = of_networks
        self._rows = rows

    def add(self, network: str, accuracy: Accuracy) -> None:
        """Write a network's accuracies; on return they are on disk.

        Raises:
            InputError: the disk is full, or cannot be written to.
        """
        row = {"net": network, "top1": accuracy.top1, "top5": accuracy.top5}
        self._rows.add(row, f"{len(self.of_networks)} networks")
        self.of_networks[network] = accuracy


@contextmanager
def open_accuracies(path: Path, settings: Settings) -> Iterator[Accuracies]:
    """Begin a journal, or resume one; a last line that a kill cut off is dropped.

    Raises:
        JournalError: the journal's networks were evaluated with other settings.
        InputError: the file cannot be read or written.
        DataFileError: the file is not a journal of accuracies, or a line is damaged.
        BlockprofError: another process adds to it.
    """
    with journal.open_journal(path, JOURNAL, settings) as rows:
        yield Accuracies(rows, _parse(path, rows.contents, settings))


def read_accuracies(path: Path, settings: Settings) -> dict[str, Accuracy]:
    """Read the accuracies of networks by their net strings, and leave the journal as it is; none without a file.

    Raises:
        JournalError, InputError, DataFileError: as for :func:`open_accuracies`.
    """
    return _parse(path, journal.read_contents(path, JOURNAL, settings), settings)


def _parse(path: Path, contents: journal.Contents, settings: Settings) -> dict[str, Accuracy]:
    if contents.of is None:
        return {}
    journal.check_same(path, JOURNAL, contents.of, settings)
    accuracies: dict[str, Accuracy] = {}
    for row in contents.rows:
        try:
            network, accuracy = _read(row.content)
        except MALFORMED:
            raise journal.damaged(path, JOURNAL, row.number) from None
        if network in accuracies:
            raise journal.damaged(path, JOURNAL, row.number, "repeats a network")
        accuracies[network] = accuracy
    return accuracies


def _read(row: Mapping[str, Any]) -> tuple[str, Accuracy]:
    accuracy = Accuracy(float(row["top1"]), float(row["top5"]))
    if not isinstance(row["net"], str) or not 0 <= accuracy.top1 <= accuracy.top5 <= 100:
        raise ValueError
    return row["net"], accuracy
