"""Fetch published data by name: from where it is published or a mirror, through the cache, into the data folder."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pooch

from blockprof.fetching.catalogue import PublishedFile, Source
from blockprof.fetching.download import obtain
from blockprof.fetching.files import FetchedFile, accept
from blockprof.fetching.help_data import read_help
from blockprof.foundation.decoding import MALFORMED, parse_json
from blockprof.foundation.errors import DataFileError, InputError
from blockprof.foundation.paths import cache_folder
from blockprof.latency_data import staged, write_latency_csv
from blockprof.spaces import load_space

if TYPE_CHECKING:
    import pandas as pd

LOCK_FILE = "fetched.lock.json"
"""In the data folder: the SHA-256 first seen of each file whose publisher gives none, by its path there."""


def fetch_published(
    source: Source,
    files: Sequence[PublishedFile],
    folder: str | Path,
    *,
    mirror: str | None = None,
    progress: bool = False,
) -> list[FetchedFile]:
    """Bring ``files`` of ``source`` into the data folder, all or none; a file that is there already is left alone.

    Downloads go to the cache folder, where one that broke off is resumed and none is made twice. HELP's latencies
    become CSV files. Where no checksum is published, the first one seen is kept in ``LOCK_FILE``, and another file
    refused later. ``mirror`` is a folder or an http(s) address that holds the files by their names.

    Raises:
        InputError: a folder cannot be written to, or holds another file of the same name; the mirror lacks a file.
        DataFileError: a file, or the lock file, cannot be used.
        FetchError: a download failed, or a file is not the one that its checksum says.
    """
    folder, cache = Path(folder), cache_folder() / "downloads" / source.name
    if mirror is not None and "://" in mirror and not mirror.startswith(("http://", "https://")):
        raise InputError(
            "is not an http or https address", where=mirror, remedy="give one, or a folder", code="not-an-http-address"
        )
    pins = _read_pins(folder)
    target_folder = folder / source.files[0].target.parent

    def bring(file: PublishedFile) -> Path:
        known = file.remote.sha256 or pins.get(str(file.target))
        target = folder / file.target
        if source.networks is None and known and target.is_file() and pooch.file_hash(target) == known:
            return target
        return obtain(file.remote, cache, sha256=known, mirror=mirror, progress=progress)

    networks = None
    if source.networks:
        networks = obtain(source.networks, cache, sha256=source.networks.sha256, mirror=mirror, progress=progress)
    raw = {file: bring(file) for file in files}
    fetched = []
    with staged(target_folder) as temporary:
        for file, path in raw.items():
            copy = temporary / file.target.name
            if networks:
                write_latency_csv(copy, read_help(networks, path, file.name, load_space(file.spaces[0])))
            else:
                shutil.copyfile(path, copy)
            try:
                accepted = _accept_published(copy, target_folder, file)
            except DataFileError:
                if path.parent == cache:  # or the next fetch would find it there again
                    path.unlink()
                raise
            is_pinned = file.remote.sha256 is None
            fetched.append(replace(accepted, pinned_in=folder / LOCK_FILE if is_pinned else None))
    new = {str(file.target): one.sha256 for file, one in zip(raw, fetched, strict=True) if one.pinned_in}
    if new.items() - pins.items():
        with staged(folder) as temporary:
            (temporary / LOCK_FILE).write_text(json.dumps(pins | new, indent=1) + "\n", encoding="utf-8")
    return fetched


@dataclass(frozen=True, eq=False)
class Catalogue:
    """Published data that ``fetch_data`` knows by name; ``folder`` is the data folder."""

    sources: tuple[Source, ...]
    folder: Path

    def to_pandas(self) -> "pd.DataFrame":
        """One row a file: ``source``, ``file`` (as ``files`` takes it), ``spaces``, ``here``, ``num_bytes``,
        ``license`` and ``path`` in the data folder.
        """
        import pandas as pd

        rows = [
            {
                "source": source.name,
                "file": file.name,
                "spaces": ",".join(file.spaces),
                "here": file in there,
                "num_bytes": file.remote.num_bytes,
                "license": source.license,
                "path": str(file.target),
            }
            for source in self.sources
            for there in [present(source, self.folder)]
            for file in source.files
        ]
        return pd.DataFrame(rows).astype({"num_bytes": "Int64"})


def present(source: Source, folder: Path) -> tuple[PublishedFile, ...]:
    """The files of a source that the data folder has, told by their paths.

    Where no checksum is published, one's own measurements may have a file's name: those in ``LOCK_FILE`` were fetched.

    Raises:
        DataFileError: the lock file cannot be read.
    """
    pins = _read_pins(folder)
    fetched = (file for file in source.files if file.remote.sha256 or str(file.target) in pins)
    return tuple(file for file in fetched if (folder / file.target).is_file())


def _accept_published(copy: Path, folder: Path, file: PublishedFile) -> FetchedFile:
    accepted = accept(copy, folder, origin=file.remote.place, space=load_space(file.spaces[0]))
    if copy.suffix == ".csv" and accepted.latencies is None:
        raise DataFileError(
            f"{copy.name} is not a CSV file of latencies",
            where=file.remote.place,
            remedy="try again later",
            code="not-a-csv-of-latencies",
        )
    return accepted


def _read_pins(folder: Path) -> dict[str, str]:
    path = folder / LOCK_FILE
    if not path.is_file():
        return {}
    try:
        content = parse_json(path.read_bytes())
        return {str(name): str(digest) for name, digest in content.items()}
    except (OSError, *MALFORMED) as error:
        raise DataFileError(
            f"cannot be read as a list of checksums ({error})",
            where=path,
            remedy="remove or correct it",
            code="damaged-list-of-checksums",
        ) from None
