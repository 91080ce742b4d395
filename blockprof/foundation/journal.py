"""Journals: what a command has done so far, on disk as soon as it is known, so that the next one resumes there.

A file of JSON lines. The first, the header, names what kind of journal it is, of which space, and what else its rows
depend on; each other line is a row. Every line ends with its checksum. Rows are only ever added, whole and
synchronised, so a process may be killed at any moment: what it leaves are whole lines and, at most, one that is cut
off, which the next process drops before it adds its own. One process at a time has a journal open to add to it.

Files of format 1, whose lines have no checksums, are read as well, and added to.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blockprof.foundation.decoding import MALFORMED, parse_json
from blockprof.foundation.errors import BlockprofError, DataFileError, InputError, JournalError, Place
from blockprof.foundation.files import staged
from blockprof.foundation.journal_lines import decode, encode
from blockprof.foundation.locks import try_lock

FORMAT = "blockprof journal 2"
_ZIP = b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of journal.

    ``name`` stands in headers, ``did`` and ``does`` in messages: ``measured``, ``measures``. ``format_1`` is the format
    that files without checksums name; None where there were none. ``in_order`` says that no row is of use without those
    before it.
    """

    name: str
    did: str
    does: str
    format_1: str | None = None
    in_order: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """What a line (from 1) says."""

    number: int
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Contents:
    """What a journal holds: the header's ``of``, None where it is not begun, and all rows after it."""

    of: dict[str, Any] | None = None
    rows: tuple[Row, ...] = ()


class Journal:
    """A journal that may be added to: what it held when it was opened, and how."""

    def __init__(self, path: Path, kind: Kind, of: Mapping[str, Any], content: bytes) -> None:
        self.path = path
        self.contents = _parse(path, kind, of, content)
        self._header = _header(kind, of)
        self._whole = content.rfind(b"\n") + 1

    def add(self, row: Mapping[str, Any], kept: str) -> None:
        """Write a row; on return it is on disk, or after an error nothing of it is.

        ``kept`` says in the error's message what is in the file: "3 networks".

        Raises:
            InputError: the disk is full, or cannot be written to.
        """
        lines = b"" if self._whole else self._header
        try:
            self._write(lines + encode(row))
        except OSError as error:
            raise InputError(
                f"cannot be written ({error.strerror})",
                where=self.path,
                remedy=f"make room, then run the same command again: it resumes after the {kept} that are kept",
                code="disk-full",
            ) from error

    def replace(self, row: Mapping[str, Any]) -> None:
        """Keep one row instead of all; the file is replaced in a single step.

        Raises:
            InputError: the disk is full, or cannot be written to.
        """
        lines = self._header + encode(row)
        with staged(self.path.parent) as temporary:
            (temporary / self.path.name).write_bytes(lines)
        self._whole = len(lines)

    def _write(self, lines: bytes) -> None:
        file = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        try:
            # What a kill cut off goes, or what an error left.
            os.ftruncate(file, self._whole)
            os.lseek(file, self._whole, os.SEEK_SET)
            rest = memoryview(lines)
            while rest:
                rest = rest[os.write(file, rest) :]
            os.fsync(file)
        except OSError:
            os.ftruncate(file, self._whole)
            raise
        finally:
            os.close(file)
        self._whole += len(lines)


@contextmanager
def open_journal(path: Path, kind: Kind, of: Mapping[str, Any]) -> Iterator[Journal]:
    """Open a journal to add to it; its folder is made where it is not there, the file with its first row.

    Args:
        path: of the file.
        kind: what kind of journal it is.
        of: what its rows depend on, by name, JSON's types alone: the space's name among it. Whether the journal that is
            there is of that is the caller's to see (:func:`check_same`).

    Raises:
        InputError: the path is no file's, or the file cannot be read or written.
        DataFileError: the file is no such journal, or a line is damaged.
        BlockprofError: another process has it open.
    """
    if path.exists() and not path.is_file():
        raise InputError("is not a file", where=path, remedy="give another journal", code="journal-not-a-file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        release = try_lock(path.with_name(f"{path.name}.lock"))
    except OSError as error:
        raise _unopened(path, error) from error
    if release is None:
        raise BlockprofError(
            "another process adds to it", where=path, remedy="wait until it ends, or end it", code="journal-in-use"
        )
    try:
        yield Journal(path, kind, of, _read(path))
    finally:
        release()


def read_contents(path: Path, kind: Kind, of: Mapping[str, Any] | None = None) -> Contents:
    """Read a journal, and leave it as it is; without a file it is not begun.

    ``of`` is what it should be of, as in :func:`open_journal`; None where that is not known.

    Raises:
        InputError, DataFileError: as for :func:`open_journal`.
    """
    return _parse(path, kind, of, _read(path))


def check_same(path: Path, kind: Kind, found: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Refuse a journal of something else.

    Raises:
        JournalError: it is; the message says what differs, as in ``resolution 224 (now 192)``.
    """
    asked = parse_json(json.dumps(now))
    changed = [
        f"{name} {_short(found.get(name))} (now {_short(asked.get(name))})"
        for name in {**found, **asked}
        if found.get(name) != asked.get(name)
    ]
    if changed:
        raise JournalError(path, changed, kind.did)


def damaged(
    path: Path, kind: Kind, number: int, problem: str = "is damaged", *, with_rest: bool = False
) -> DataFileError:
    """The error of a row that cannot be used; ``with_rest`` where those after it cannot be either."""
    what = "the row and all after it" if with_rest or kind.in_order else "the row"
    return DataFileError(
        problem,
        where=Place(path, number),
        remedy=f"remove {what} and run again, which {kind.does} again what is missing",
        code="damaged-journal",
    )


def _header(kind: Kind, of: Mapping[str, Any]) -> bytes:
    return encode({"format": FORMAT, "kind": kind.name, **of})


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise _unopened(path, error) from error


def _parse(path: Path, kind: Kind, of: Mapping[str, Any] | None, content: bytes) -> Contents:
    lines = content[: content.rfind(b"\n") + 1].splitlines()
    if content.startswith(_ZIP) or not (lines or _may_begin(content, kind, of)):
        raise _no_journal(path, kind)
    if not lines:
        return Contents()
    try:
        is_checked, header = decode(lines[0])
        if is_checked:
            ours = (header.pop("format"), header.pop("kind")) == (FORMAT, kind.name)
        else:
            ours = kind.format_1 is not None and header.pop("format") == kind.format_1
        if not ours:
            raise ValueError("another format")
    except MALFORMED:
        raise _no_journal(path, kind) from None
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        try:
            row_is_checked, row = decode(line)
            if is_checked and not row_is_checked:
                raise ValueError("no checksum")
        except MALFORMED:
            raise damaged(path, kind, number) from None
        rows.append(Row(number, row))
    return Contents(header, tuple(rows))


def _may_begin(content: bytes, kind: Kind, of: Mapping[str, Any] | None) -> bool:
    """Whether a kill may have left so much of a header."""
    return of is None or _header(kind, of).startswith(content)


def _short(value: object) -> str:
    """A digest's beginning tells it from others."""
    return f"{value[:8]}..." if isinstance(value, str) and len(value) == 64 else str(value)


def _no_journal(path: Path, kind: Kind) -> DataFileError:
    return DataFileError(
        f"is not a journal of {kind.name} that blockprof can resume",
        where=path,
        remedy="give another one, or remove it (where an earlier version wrote it, it starts over)",
        code="not-a-journal",
    )


def _unopened(path: Path, error: OSError) -> InputError:
    return InputError(
        f"cannot be opened ({error.strerror})", where=path, remedy="give another journal", code="journal-unusable"
    )
