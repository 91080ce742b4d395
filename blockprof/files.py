"""Files that are read or said why not, and files that appear whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from blockprof.errors import DataFileError, InputError


def read_file(path: Path) -> bytes:
    """The content of a file that the user gave.

    Raises:
        DataFileError: there is none, or it cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise DataFileError(f"{path}: there is no such file: check the path") from None
    except OSError as error:
        raise DataFileError(f"{path}: cannot be read ({error.strerror}): check the path") from error


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """Give an empty temporary folder whose files are moved into ``folder`` when the block ends without an error.

    Each file replaces one of its name in a single step. After an error ``folder`` is as it was: not even made, where
    it was not there.

    Raises:
        InputError: ``folder`` cannot be made or written to, or the disk is full.
    """
    # On the file system that folder is, or will be, on: a rename within one is a single step.
    existing = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    try:
        with tempfile.TemporaryDirectory(prefix=".blockprof-", dir=existing) as name:
            yield Path(name)
            folder.mkdir(parents=True, exist_ok=True)
            for file in sorted(Path(name).iterdir()):
                os.replace(file, folder / file.name)
    except OSError as error:
        raise InputError(f"cannot write to the folder {folder}: {error.strerror}: choose another one") from error
