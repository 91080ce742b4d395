"""Files of lines that are only ever added, whole and synchronised, so that a process may be killed at any moment."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from blockprof.foundation.errors import InputError


class LineFile:
    """An open file of lines."""

    def __init__(self, path: Path, file: int) -> None:
        self.path = path
        self._file = file

    @cached_property
    def content(self) -> bytes:
        """What the file holds when this is first asked for: after it was locked, if it is."""
        return self.path.read_bytes()

    def keep_whole_lines(self) -> None:
        """Drop a last line that a kill cut off."""
        os.ftruncate(self._file, self.content.rfind(b"\n") + 1)

    def add(self, line: bytes, kept: str) -> None:
        """Write a line; on return it is on disk, or after an error nothing of it is.

        ``kept`` says in the error's message what is in the file: "3 networks".

        Raises:
            InputError: the disk is full, or cannot be written to.
        """
        end = os.fstat(self._file).st_size
        rest = memoryview(line)
        try:
            while rest:
                rest = rest[os.write(self._file, rest) :]
            os.fsync(self._file)
        except OSError as error:
            os.ftruncate(self._file, end)
            raise InputError(
                f"cannot be written ({error.strerror}): make room, then run the same command again: it "
                f"goes on after the {kept} that are kept",
                where=self.path,
            ) from error

    def fileno(self) -> int:
        """The open file, for the system's calls."""
        return self._file


@contextmanager
def open_line_file(path: Path) -> Iterator[LineFile]:
    """Open a file to add lines to, made where it is not there, with its folder.

    Raises:
        InputError: the path is no file's, or the file cannot be read or written.
    """
    if path.exists() and not path.is_file():
        raise InputError("is not a file", where=path, remedy="give another journal", code="journal-not-a-file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise InputError(
            f"cannot be opened ({error.strerror})", where=path, remedy="give another journal", code="journal-unusable"
        ) from error
    try:
        yield LineFile(path, file)
    finally:
        os.close(file)
