"""A local store whose folder was moved or copied: MLflow keeps the full paths of its runs' files, which are then wrong.

Where the folder was copied, they are those of the original, which the copy's runs would be written into.
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from blockprof.foundation.errors import InputError, TrackingError
from blockprof.tracking.location import is_there, read_column, sqlite_file

REPAIR = "blockprof store repair"
_COLUMNS = {
    "experiments": ("artifact_location",),
    "runs": ("artifact_uri",),
    "logged_models": ("artifact_location",),
    "model_versions": ("source", "storage_location"),
}
"""Where MLflow keeps paths of files."""


@dataclass(frozen=True, slots=True)
class Move:
    """``uri`` is where the database says that the files of runs are, as it is written there; ``recorded`` the folder
    that it means, ``found`` the one that holds them.
    """

    uri: str
    recorded: Path
    found: Path


def check_unmoved(database: Path) -> None:
    """Make sure that the files of a store's runs are where it says.

    Raises:
        TrackingError: they lie beside it, but it names others: it was moved or copied.
    """
    for move in find_moves(database):
        raise TrackingError(
            f"{database} was moved or copied: it says that its runs' files are in {move.recorded}, but they lie in "
            f"{move.found}: run `{REPAIR}` to correct that",
            code="store-moved",
        )


def find_moves(database: Path) -> list[Move]:
    """The folders of runs' files that were moved with the database, or with the working folder.

    Raises:
        TrackingError: the database cannot be read.
    """
    found = {}
    for uri in read_column(database, "SELECT artifact_location FROM experiments ORDER BY experiment_id"):
        if urlsplit(uri).scheme not in ("", "file"):
            continue
        path = Path(unquote(urlsplit(uri).path) if uri.startswith("file:") else uri)
        place = _place_now(path, database)
        if place is not None:
            root = uri.rpartition("/")[0]
            found[root] = Move(root, path.parent, place)
    return list(found.values())


def _place_now(recorded: Path, database: Path) -> Path | None:
    """Where an experiment's files, recorded in ``recorded``, now are; None: there, or nowhere."""
    beside = database.absolute().parent / recorded.parent.name
    here = Path(recorded.parent.name).absolute()
    for place in (beside, *([here] if not recorded.parent.exists() else [])):
        is_same = recorded.parent.exists() and place.exists() and place.samefile(recorded.parent)
        if (place / recorded.name).is_dir() and not is_same:
            return place
    return None


def repair(uri: str) -> list[Move]:
    """Correct the paths of a store that was moved or copied, all or none; gives what was corrected.

    Raises:
        InputError: it is no SQLite file, or there is none.
        TrackingError: the database cannot be read or written.
    """
    database = sqlite_file(uri)
    if database is None:
        raise InputError(
            f"{uri} is not in a file: only a local store can be moved with its folder", code="not-a-local-store"
        )
    if not is_there(database):
        raise InputError(
            "there is no store", where=database, remedy="run this in the folder that was moved", code="no-store"
        )
    moves = find_moves(database)
    try:
        with closing(sqlite3.connect(database)) as connection, connection:
            for move in moves:
                _rewrite(connection, move.uri, move.found.as_uri())
    except sqlite3.Error as error:
        raise TrackingError(f"cannot write to {database}: {error}") from error
    return moves


def _rewrite(connection: sqlite3.Connection, old: str, new: str) -> None:
    there = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    for table in _COLUMNS.keys() & there:
        for column in _COLUMNS[table]:
            connection.execute(
                f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE substr({column}, 1, ?) = ?",
                (new, len(old) + 1, len(old) + 1, f"{old}/"),
            )
