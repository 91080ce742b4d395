"""The journal of a measurement: every visit, on disk as soon as it is known.

A file of JSON lines. The first says what is measured and how; then each process that measures adds what the machine is
like, and a line for each visit. A line may say that further networks are measured from there on. Lines are only ever
added, whole and synchronised, so a process may be killed at any moment.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from blockprof.evaluators.device.environment import Environment
from blockprof.evaluators.device.records import (
    Header,
    Subject,
    Visit,
    decode_extension,
    decode_header,
    decode_record,
    encode_environment,
    encode_extension,
    encode_header,
    encode_visit,
    is_extension,
)
from blockprof.foundation.decoding import MALFORMED
from blockprof.foundation.errors import DataFileError, InputError, JournalError, Place
from blockprof.foundation.line_files import LineFile, open_line_file


@dataclass(frozen=True, eq=False)
class Contents:
    """What a journal holds: an environment for each process that measured, and all visits in order.

    ``sizes`` says of how many networks it is: at first, then each time that it was extended; empty where there is none.
    ``finished_at`` says after how many visits all networks of the time were measured, before others were added (or now
    are to be).
    """

    environments: tuple[Environment, ...] = ()
    visits: tuple[Visit, ...] = ()
    sizes: tuple[int, ...] = ()
    finished_at: tuple[int, ...] = ()


class Journal:
    """An open journal: what it holds, and how to add to it."""

    def __init__(self, lines: LineFile, contents: Contents) -> None:
        self.path = lines.path
        self.environments = list(contents.environments)
        self.visits = list(contents.visits)
        self.finished_at = contents.finished_at
        self._lines = lines

    def begin(self, header: Header) -> None:
        """Write the first line.

        Raises:
            InputError: the disk is full, or cannot be written to.
        """
        self._add(encode_header(header))

    def extend(self, header: Header) -> None:
        """Write that from here on it is of more networks, those of the header.

        Raises:
            InputError: the disk is full, or cannot be written to.
        """
        self._add(encode_extension(header))

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
def open_journal(path: Path, subject: Subject) -> Iterator[Journal]:
    """Begin a journal, or resume one, of all networks or the first; a last line that a kill cut off is dropped.

    Raises:
        JournalError: the journal is of other networks or more, another way to measure, or another machine.
        InputError: the file cannot be read or written.
        DataFileError: the file is not a journal, or a line is damaged.
    """
    with open_line_file(path) as lines:
        contents = _parse(path, lines.content, subject)
        journal = Journal(lines, contents)
        lines.keep_whole_lines()
        if not contents.sizes:
            journal.begin(subject.header())
        elif contents.sizes[-1] < len(subject.names):
            journal.extend(subject.header())
        yield journal


def read_journal(path: Path, subject: Subject) -> Contents:
    """Read what a journal holds, and leave it as it is; nothing, where there is no file.

    Raises:
        JournalError, InputError, DataFileError: as for :func:`open_journal`.
    """
    return _parse(path, _read(path), subject)


def read_sizes(path: Path) -> tuple[int, ...]:
    """Read of how many networks a journal is, as :attr:`Contents.sizes`; empty where there is no file.

    Raises:
        InputError, DataFileError: as for :func:`open_journal`.
    """
    lines = _whole_lines(_read(path))
    return tuple(header.num_networks for header in _headers(path, lines).values()) if lines else ()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=path, remedy="check the path") from error


def _whole_lines(content: bytes) -> list[bytes]:
    """All lines but a last one that was cut off."""
    return content[: content.rfind(b"\n") + 1].splitlines()


def _headers(path: Path, lines: list[bytes]) -> dict[int, Header]:
    """What the journal is of from each row (from 1) on that says so: the first, and those that extend it."""
    try:
        header = decode_header(lines[0])
    except (InputError, *MALFORMED):
        raise _not_a_journal(path) from None
    headers = {1: header}
    for number, line in enumerate(lines[1:], start=2):
        if is_extension(line):
            try:
                headers[number] = header = decode_extension(line, header)
            except MALFORMED:
                raise _damaged(path, number, "is damaged", "the row and all after it") from None
    return headers


def _parse(path: Path, content: bytes, subject: Subject) -> Contents:
    lines = _whole_lines(content)
    if not lines:
        if not encode_header(subject.header()).startswith(content):
            raise _not_a_journal(path)
        return Contents()
    headers = _headers(path, lines)
    if differences := subject.differences(headers[max(headers)]):
        raise JournalError(str(path), differences)
    header = headers[1]
    environments: list[Environment] = []
    visits: list[Visit] = []
    measured: set[tuple[int, int]] = set()
    finished_at: list[int] = []
    for number, line in enumerate(lines[1:], start=2):
        if number in headers:
            if _is_finished(header, visits):
                finished_at.append(len(visits))
            header = headers[number]
            continue
        try:
            record = decode_record(line, header)
        except MALFORMED:
            raise _damaged(path, number, "is damaged") from None
        if isinstance(record, Environment):
            environments.append(record)
            continue
        if not record.anchor:
            if (record.network, record.round) in measured:
                raise _damaged(path, number, "repeats a visit")
            measured.add((record.network, record.round))
        visits.append(record)
    if header.num_networks < len(subject.names) and _is_finished(header, visits):
        finished_at.append(len(visits))
    sizes = tuple(each.num_networks for each in headers.values())
    return Contents(tuple(environments), tuple(visits), sizes, tuple(finished_at))


def _is_finished(header: Header, visits: list[Visit]) -> bool:
    """Whether the visits, none of which is there twice, are all that there are to make."""
    made = sum(not visit.anchor for visit in visits)
    return made == header.num_networks * header.spec.rounds and visits[-1].anchor


def _damaged(path: Path, number: int, problem: str, what: str = "the row") -> DataFileError:
    return DataFileError(
        problem,
        where=Place(path, number),
        remedy=f"remove {what} and run again, which measures again what is missing",
        code="damaged-journal",
    )


def _not_a_journal(path: Path) -> DataFileError:
    return DataFileError(
        "is not a journal that blockprof can resume",
        where=path,
        remedy="give another one, or remove it",
        code="not-a-journal",
    )
