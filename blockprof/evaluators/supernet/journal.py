"""The journal of evaluations: every network's accuracy, on disk as soon as it is known.

A file of JSON lines. The first says what the networks are evaluated with; then comes a line for each network, in any
order, so that a larger pool goes on where a smaller one ended.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from blockprof.foundation.decoding import MALFORMED, parse_json
from blockprof.foundation.errors import BlockprofError, DataFileError, InputError, JournalError, Place
from blockprof.foundation.line_files import LineFile, open_line_file
from blockprof.foundation.locks import try_lock

FORMAT = "blockprof accuracies 1"


Settings = Mapping[str, str | int]
"""What accuracies depend on, by name: those of equal settings are of one kind."""


@dataclass(frozen=True, slots=True)
class Accuracy:
    """A network's accuracies, in percent."""

    top1: float
    top5: float


class Accuracies:
    """An open journal: the accuracies of networks by their net strings, and how to add to them."""

    def __init__(self, lines: LineFile, of_networks: dict[str, Accuracy]) -> None:
        self.of_networks = of_networks
        self._lines = lines

    def add(self, network: str, accuracy: Accuracy) -> None:
        """Write a network's accuracies; on return they are on disk.

        Raises:
            InputError: the disk is full, or cannot be written to.
        """
        line = _line({"net": network, "top1": accuracy.top1, "top5": accuracy.top5})
        self._lines.add(line, f"{len(self.of_networks)} networks")
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
    with open_line_file(path) as lines, _alone(path):
        found = _parse(path, lines.content, settings)
        lines.keep_whole_lines()
        if b"\n" not in lines.content:
            lines.add(_header(settings), "0 networks")
        yield Accuracies(lines, found)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    release = try_lock(path.with_name(f"{path.name}.lock"))
    if release is None:
        raise BlockprofError(
            "another process evaluates these networks",
            where=path,
            remedy="wait until it ends, or end it",
            code="journal-in-use",
        )
    try:
        yield
    finally:
        release()


def read_accuracies(path: Path, settings: Settings) -> dict[str, Accuracy]:
    """Read the accuracies of networks by their net strings, and leave the journal as it is; none without a file.

    Raises:
        JournalError, InputError, DataFileError: as for :func:`open_accuracies`.
    """
    try:
        return _parse(path, path.read_bytes(), settings)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=path, remedy="check the path") from error


def _parse(path: Path, content: bytes, settings: Settings) -> dict[str, Accuracy]:
    """Read all lines but a last one that was cut off."""
    if b"\n" not in content:
        if not _header(settings).startswith(content):
            raise _not_a_journal(path)
        return {}
    first, *lines = content[: content.rfind(b"\n") + 1].splitlines()
    try:
        found = parse_json(first)
        if found.pop("format") != FORMAT:
            raise ValueError
    except MALFORMED:
        raise _not_a_journal(path) from None
    if differences := _differences(found, settings):
        raise JournalError(str(path), differences)
    accuracies: dict[str, Accuracy] = {}
    for number, line in enumerate(lines, start=2):
        try:
            network, accuracy = _read(line)
        except MALFORMED:
            raise _damaged(path, number, "is damaged") from None
        if network in accuracies:
            raise _damaged(path, number, "repeats a network")
        accuracies[network] = accuracy
    return accuracies


def _read(line: bytes) -> tuple[str, Accuracy]:
    content = parse_json(line)
    accuracy = Accuracy(float(content["top1"]), float(content["top5"]))
    if not isinstance(content["net"], str) or not 0 <= accuracy.top1 <= accuracy.top5 <= 100:
        raise ValueError
    return content["net"], accuracy


def _header(settings: Settings) -> bytes:
    return _line({"format": FORMAT, **settings})


def _line(content: dict[str, object]) -> bytes:
    return (json.dumps(content, separators=(",", ":")) + "\n").encode()


def _differences(before: Settings, now: Settings) -> list[str]:
    """What differs, for a message: ``resolution 224 (now 192)``."""
    return [
        f"{name} {_short(before.get(name))} (now {_short(now.get(name))})"
        for name in {**before, **now}
        if before.get(name) != now.get(name)
    ]


def _short(value: object) -> str:
    """A digest's beginning tells it from others."""
    return f"{value[:8]}..." if isinstance(value, str) and len(value) == 64 else str(value)


def _damaged(path: Path, number: int, problem: str) -> DataFileError:
    return DataFileError(
        problem,
        where=Place(path, number),
        remedy="remove the row and run again, which evaluates again what is missing",
    )


def _not_a_journal(path: Path) -> DataFileError:
    return DataFileError(
        "is not a journal of accuracies that blockprof can resume",
        where=path,
        remedy="move it away",
        code="not-a-journal",
    )
