"""The published data that ``fetch-data`` knows by name: where it is, its checksums, its license."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files as resources
from pathlib import PurePosixPath
from urllib.parse import quote

from blockprof.foundation.errors import Argument, InputError, Said

CATALOGUE = "sources.json"
KNOWN_SUFFIXES = re.compile(r"\.(csv|pt|pth|yaml)$")


@dataclass(frozen=True)
class Remote:
    """A file as it is published: at an address, or on Google Drive by its id or by its folder's.

    ``sha256`` and ``num_bytes`` are None where they were never seen.
    """

    name: str
    url: str | None
    drive_file: str | None
    drive_folder: str | None
    sha256: str | None
    num_bytes: int | None

    @property
    def place(self) -> str:
        """Where it is, for messages."""
        if self.url:
            return self.url
        return f"Google Drive {f'folder {self.drive_folder}' if self.drive_folder else f'file {self.drive_file}'}"


@dataclass(frozen=True)
class PublishedFile:
    """One file to choose: its ``name``, the spaces it is of, and the path it gets within the data folder."""

    name: str
    spaces: tuple[str, ...]
    target: PurePosixPath
    remote: Remote


@dataclass(frozen=True)
class Source:
    """Files that are published together; ``networks``, where there is one, holds the networks of their latencies."""

    name: str
    title: str
    license: str | None
    files: tuple[PublishedFile, ...]
    networks: Remote | None

    @property
    def spaces(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(space for file in self.files for space in file.spaces))

    @property
    def num_bytes(self) -> int | None:
        """Of all files together, None where one's is not known."""
        sizes = [remote.num_bytes for remote in (*(file.remote for file in self.files), self.networks) if remote]
        known = [size for size in sizes if size is not None]
        return sum(known) if len(known) == len(sizes) else None

    def select(self, names: Iterable[str] = (), space: str | None = None) -> tuple[PublishedFile, ...]:
        """The files of these names (with or without their suffix), or without names all, of one space where given.

        Raises:
            InputError: the source has no file of that name, or none of ``space``.
        """
        if space is not None and space not in self.spaces:
            raise InputError(
                f"{self.name} holds data of {', '.join(self.spaces)}, not of {space}",
                remedy=Said("use {}", Argument("space", self.spaces[0])),
                code="not-of-space",
            )
        there = {file.name: file for file in self.files if space is None or space in file.spaces}
        wanted = [KNOWN_SUFFIXES.sub("", name) for name in names] or list(there)
        for name in wanted:
            if name not in there:
                of = f" of {space}" if space else ""
                raise InputError(
                    f"{self.name} has no file '{name}'{of}",
                    remedy=f"there are {', '.join(there)}",
                    code="no-such-published-file",
                )
        return tuple(there[name] for name in dict.fromkeys(wanted))


@cache
def load_sources() -> dict[str, Source]:
    """Every source by its name."""
    content = json.loads((resources(__package__) / CATALOGUE).read_text(encoding="utf-8"))
    return {name: _source(name, entry) for name, entry in content.items()}


def _source(name: str, entry: dict[str, object]) -> Source:
    def remote(path: str, facts: dict[str, object]) -> Remote:
        by_drive = "drive_file" in facts or "drive_folder" in entry
        return Remote(
            name=PurePosixPath(path).name,
            url=None if by_drive else f"{entry['base']}{quote(path)}",
            drive_file=_text(facts, "drive_file"),
            drive_folder=_text(entry, "drive_folder"),
            sha256=_text(facts, "sha256"),
            num_bytes=int(str(facts["bytes"])) if "bytes" in facts else None,
        )

    def published(path: str, facts: dict[str, object]) -> PublishedFile:
        file_name = PurePosixPath(path).name
        stem = KNOWN_SUFFIXES.sub("", file_name)
        target = str(entry["target"]).format(name=file_name, stem=stem)
        spaces = tuple(str(facts["space"]).split())
        return PublishedFile(stem, spaces, PurePosixPath(target), remote(path, facts))

    networks = [remote(path, facts) for path, facts in _table(entry, "networks").items()]
    return Source(
        name=name,
        title=str(entry["title"]),
        license=_text(entry, "license"),
        files=tuple(published(path, facts) for path, facts in _table(entry, "files").items()),
        networks=networks[0] if networks else None,
    )


def _text(entry: dict[str, object], key: str) -> str | None:
    return str(entry[key]) if key in entry else None


def _table(entry: dict[str, object], key: str) -> dict[str, dict[str, object]]:
    table = entry.get(key, {})
    assert isinstance(table, dict)
    return table
