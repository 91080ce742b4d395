"""The journal of a measurement: every visit, on disk as soon as it is known.

A file of JSON lines. The first says what is measured and how; then each process that measures adds what the machine is
like, and a line for each visit. Lines are only ever added, whole and synchronised, so a process may be killed at any
moment.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from blockprof.errors import DataFileError, InputError, JournalError
from blockprof.line_files import LineFile, open_line_file
from blockprof.measuring.environment import Environment
from blockprof.measuring.records import (
    Header,
    Visit,
    decode_header,
    decode_record,
    encode_environment,
    encode_header,
    encode_visit,
)


@dataclass(frozen=True, eq=False)
class Contents:
    """What a journal holds: an environment for each process that measured, and all visits in order."""

    environments: tuple[Environment, ...] = ()
    visits: tuple[Visit, ...] = ()


class Journal:
    """An open journal: what it holds, and how to add to it."""

    def __init__(self, lines: LineFile, contents: Contents) -> None:
        self.path = lines.path
        self.environments = list(contents.environments)
        self.visits = list(contents.visits)
        self._lines = lines

    def begin(self, header: Header) -> None:
        """Write the first line.

        Raises:
            InputError: the disk is full, or cannot be written to.
        """
        self._add(encode_header(header))

    def add_environment(self, environment: Environment) -> None:
        """Write what the machine is like when a process begins to measure.

        Raises:
            InputError: the disk is full, or cannot be written to.
        """
        self._add(encode_environment(environment))
        self.environments.append(environment)

    def add_visit(self, visit: Visit) -> None:
        """Write a visit; on return it is on disk.

        Raises:
            InputError: the disk is full, or cannot be written to.
        """
        self._add(encode_visit(visit))
        self.visits.append(visit)

    def _add(self, line: bytes) -> None:
        self._lines.add(line, f"{len(self.visits)} visits")


@contextmanager
def open_journal(path: Path, header: Header) -> Iterator[Journal]:
    """Begin a journal, or go on with one; a last line that a kill cut off is dropped.

    Raises:
        JournalError: the journal is of other networks, another way to measure, or another machine.
        InputError: the file cannot be read or written.
        DataFileError: the file is not a journal, or a line is damaged.
    """
    with open_line_file(path) as lines:
        journal = Journal(lines, _parse(path, lines.content, header))
        lines.keep_whole_lines()
        if b"\n" not in lines.content:
            journal.begin(header)
        yield journal


def read_journal(path: Path, header: Header) -> Contents:
    """Read what a journal holds, and leave it as it is; nothing, where there is no file.

    Raises:
        JournalError, InputError, DataFileError: as for :func:`open_journal`.
    """
    try:
        return _parse(path, path.read_bytes(), header)
    except FileNotFoundError:
        return Contents()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}): check the path") from error


def _parse(path: Path, content: bytes, header: Header) -> Contents:
    """Read all lines but a last one that was cut off."""
    if b"\n" not in content:
        if not encode_header(header).startswith(content):
            raise _not_a_journal(path)
        return Contents()
    first, *lines = content[: content.rfind(b"\n") + 1].splitlines()
    try:
        found = decode_header(first)
    except (ValueError, KeyError, TypeError, InputError):
        raise _not_a_journal(path) from None
    if differences := found.differences(header):
        raise JournalError(str(path), differences)
    environments, visits = [], []
    measured: set[tuple[int, int]] = set()
    for number, line in enumerate(lines, start=2):
        try:
            record = decode_record(line, header)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise _damaged(path, number, "is damaged") from None
        if isinstance(record, Environment):
            environments.append(record)
            continue
        if not record.anchor:
            if (record.network, record.round) in measured:
                raise _damaged(path, number, "repeats a visit")
            measured.add((record.network, record.round))
        visits.append(record)
    return Contents(tuple(environments), tuple(visits))


def _damaged(path: Path, number: int, problem: str) -> DataFileError:
    return DataFileError(
        f"{path}: row {number}: {problem}: remove the row and run again, which measures anew what is missing"
    )


def _not_a_journal(path: Path) -> DataFileError:
    return DataFileError(f"{path}: is not a journal that blockprof can go on with: give another one, or remove it")
