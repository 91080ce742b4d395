"""The journal of a measurement: every visit, on disk as soon as it is known (``blockprof.foundation.journal``).

The header says what is measured and how; then each process that measures adds what the machine is like, and a row for
each visit. A row may say that further networks are measured from there on.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blockprof.evaluators.device.environment import Environment
from blockprof.evaluators.device.records import (
    JOURNAL,
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
from blockprof.foundation import journal
from blockprof.foundation.decoding import MALFORMED
from blockprof.foundation.errors import InputError, JournalError


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

    def __init__(self, rows: journal.Journal, contents: Contents) -> None:
        self.path = rows.path
        self.environments = list(contents.environments)
        self.visits = list(contents.visits)
        self.finished_at = contents.finished_at
        self._rows = rows

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

    def _add(self, row: Mapping[str, Any]) -> None:
        self._rows.add(row, f"{len(self.visits)} visits")


@contextmanager
def open_journal(path: Path, subject: Subject) -> Iterator[Journal]:
    """Begin a journal, or resume one, of all networks or the first; a last line that a kill cut off is dropped.

    Raises:
        JournalError: the journal is of other networks or more, another way to measure, or another machine.
        InputError: the file cannot be read or written.
        DataFileError: the file is not a journal, or a line is damaged.
        BlockprofError: another process has it open.
    """
    with journal.open_journal(path, JOURNAL, _of(subject)) as rows:
        contents = _parse(path, rows.contents, subject)
        opened = Journal(rows, contents)
        if contents.sizes and contents.sizes[-1] < len(subject.names):
            opened.extend(subject.header())
        yield opened


def read_journal(path: Path, subject: Subject) -> Contents:
    """Read what a journal holds, and leave it as it is; nothing, where there is no file.

    Raises:
        JournalError, InputError, DataFileError: as for :func:`open_journal`.
    """
    return _parse(path, journal.read_contents(path, JOURNAL, _of(subject)), subject)


def read_sizes(path: Path) -> tuple[int, ...]:
    """Read of how many networks a journal is, as :attr:`Contents.sizes`; empty where there is no file.

    Raises:
        InputError, DataFileError: as for :func:`open_journal`.
    """
    return tuple(header.num_networks for header in _headers(path, journal.read_contents(path, JOURNAL)).values())


def _of(subject: Subject) -> dict[str, Any]:
    return encode_header(subject.header(), subject.space)


def _headers(path: Path, contents: journal.Contents) -> dict[int, Header]:
    """What the journal is of from each line on that says so: the first, and those that extend it."""
    if contents.of is None:
        return {}
    try:
        header = decode_header(contents.of)
    except (InputError, *MALFORMED):
        raise journal.damaged(path, JOURNAL, 1, with_rest=True) from None
    headers = {1: header}
    for row in contents.rows:
        if is_extension(row.content):
            try:
                headers[row.number] = header = decode_extension(row.content, header)
            except MALFORMED:
                raise journal.damaged(path, JOURNAL, row.number, with_rest=True) from None
    return headers


def _parse(path: Path, contents: journal.Contents, subject: Subject) -> Contents:
    headers = _headers(path, contents)
    if not headers:
        return Contents()
    if differences := subject.differences(headers[max(headers)]):
        raise JournalError(path, differences, JOURNAL.did)
    header = headers[1]
    environments: list[Environment] = []
    visits: list[Visit] = []
    measured: set[tuple[int, int]] = set()
    finished_at: list[int] = []
    for row in contents.rows:
        if row.number in headers:
            if _is_finished(header, visits):
                finished_at.append(len(visits))
            header = headers[row.number]
            continue
        try:
            record = decode_record(row.content, header)
        except MALFORMED:
            raise journal.damaged(path, JOURNAL, row.number) from None
        if isinstance(record, Environment):
            environments.append(record)
            continue
        if not record.anchor:
            if (record.network, record.round) in measured:
                raise journal.damaged(path, JOURNAL, row.number, "repeats a visit")
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
