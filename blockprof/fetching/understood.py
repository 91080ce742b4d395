"""What ``fetch-data`` takes of one's own files beside latencies: tables that a metric is read from, nothing else."""

import re
from dataclasses import replace
from pathlib import Path

from blockprof.foundation.errors import Command, DataFileError, InputError, Place
from blockprof.latency_data.layout import COLUMNS
from blockprof.metrics.block_table import check_block_table, is_block_table_name
from blockprof.metrics.catalogue import check_predictor_name
from blockprof.metrics.lookup import (
    TABLE_NAME,
    check_lookup_table,
    check_published,
    not_understood,
    published_tables,
)

_IN_OPTIONS = re.compile(r"[,=\s]")
"""What parts names and values in options, so that no metric is called so."""


def check_understood(file: Path, origin: str, folder: str | None) -> None:
    """Refuse a file that holds no latencies of networks, and that no metric is read from.

    ``origin`` names the file in messages; ``folder`` is the folder within the data folder that it is to go into, None
    where that is the data folder itself.

    Raises:
        DataFileError: it is not understood, or is a table that cannot be used.
        InputError: the folder of a look-up table cannot be a metric's name.
    """
    try:
        _check(file, folder)
    except DataFileError as error:
        there = error.where if isinstance(error.where, Place) else Place(str(error.where))
        where = replace(there, path=str(there.path).replace(str(file), origin))
        raise DataFileError(error.what, where=where, remedy=error.remedy, code=error.code) from None


def _check(file: Path, folder: str | None) -> None:
    if is_block_table_name(file.name):
        check_block_table(file)
        if folder:
            raise DataFileError(
                "block tables are looked for in the data folder itself", where=file, remedy="give the file"
            )
    elif published := published_tables(f"{folder or ''}/{file.name}"):
        for space, one in published.items():
            check_published(file, one, space)
    elif TABLE_NAME.fullmatch(file.name):
        if folder is None:
            raise DataFileError(
                "a look-up table is called as its folder is", where=file, remedy="give the folder, not the file"
            )
        _check_name(file, folder)
        check_lookup_table(file, folder)
    elif file.suffix.lower() in (".yaml", ".yml"):
        raise not_understood(file)
    else:
        raise DataFileError(
            "is not understood",
            where=file,
            code="not-understood",
            remedy=f"give a CSV of latencies (its header is {','.join(COLUMNS)}), a block table that "
            f"{Command('blockprof measure', blocks=True)} wrote, or a folder of look-up tables",
        )


def _check_name(file: Path, folder: str) -> None:
    check_predictor_name(folder)
    if _IN_OPTIONS.search(folder) or folder.isdecimal():
        raise InputError(
            f"its folder's name is the metric's, which '{folder}' cannot be",
            where=file,
            remedy="rename the folder",
            code="folder-names-no-metric",
        )
