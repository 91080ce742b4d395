"""The journal of a measurement: every visit, on disk as soon as it is known.

A file of JSON lines. The first says what is measured and how; then each process that measures adds what the machine is
like, and a line for each visit. Lines are only ever added, whole and synchronised, so a process may be killed at any
moment.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from blockprof.errors import DataFileError, InputError
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


class Journal:
    """An open journal: what it holds, and how to add to it."""

    def __init__(self, path: Path, file: int) -> None:
        self.path = path
        self.environments: list[Environment] = []
        self.visits: list[Visit] = []
        self._file = file

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

    def read(self, content: bytes, header: Header) -> None:
        """Take over the lines of a journal that was begun before.

        Raises:
            InputError: it is of other networks, another way to measure, or another machine.
            DataFileError: it is not a journal, or a line is damaged.
        """
        first, *lines = content.splitlines()
        try:
            found = decode_header(first)
        except (ValueError, KeyError, TypeError, InputError):
            raise _not_a_journal(self.path) from None
        if differences := found.differences(header):
            raise InputError(
                f"{self.path}: was measured with {', '.join(differences)}: go on with the same, or give another "
                "journal (or remove this one) to start anew"
            )
        measured: set[tuple[int, int]] = set()
        for number, line in enumerate(lines, start=2):
            try:
                record = decode_record(line, header)
            except (ValueError, KeyError, TypeError, AttributeError):
                raise self._damaged(number, "is damaged") from None
            if isinstance(record, Environment):
                self.environments.append(record)
                continue
            if not record.anchor:
                if (record.network, record.round) in measured:
                    raise self._damaged(number, "repeats a visit")
                measured.add((record.network, record.round))
            self.visits.append(record)

    def _damaged(self, number: int, problem: str) -> DataFileError:
        return DataFileError(
            f"{self.path}: row {number}: {problem}: remove the row and run again, which measures anew what is missing"
        )

    def _add(self, line: bytes) -> None:
        end = os.fstat(self._file).st_size
        rest = memoryview(line)
        try:
            while rest:
                rest = rest[os.write(self._file, rest) :]
            os.fsync(self._file)
        except OSError as error:
            os.ftruncate(self._file, end)
            raise InputError(
                f"{self.path}: cannot be written ({error.strerror}): make room, then run the same command again: it "
                f"goes on after the {len(self.visits)} visits that are kept"
            ) from error


@contextmanager
def open_journal(path: Path, header: Header) -> Iterator[Journal]:
    """Begin a journal, or go on with one; a last line that a kill cut off is dropped.

    Raises:
        InputError: the journal is of other networks, another way to measure, or another machine (the message says what
            differs), or the file cannot be read or written.
        DataFileError: the file is not a journal, or a line is damaged.
    """
    if path.exists() and not path.is_file():
        raise InputError(f"{path}: is not a file: give another journal")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise InputError(f"{path}: cannot be opened ({error.strerror}): give another journal") from error
    try:
        journal = Journal(path, file)
        content = path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if whole:
            journal.read(whole, header)
        elif not encode_header(header).startswith(content):
            raise _not_a_journal(path)
        os.ftruncate(file, len(whole))
        if not whole:
            journal.begin(header)
        yield journal
    finally:
        os.close(file)


def _not_a_journal(path: Path) -> DataFileError:
    return DataFileError(f"{path}: is not a journal that blockprof can go on with: give another one, or remove it")
