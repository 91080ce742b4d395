"""Files that are read or said why not, that appear whole or not at all, and folders that no kill leaves behind."""

import errno
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from blockprof.foundation.errors import DataFileError, InputError
from blockprof.foundation.locks import try_lock


def read_file(path: Path) -> bytes:
    """The content of a file that the user gave.

    Raises:
        DataFileError: there is none, or it cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise DataFileError("there is no such file", where=path, remedy="check the path", code="no-such-file") from None
    except OSError as error:
        raise DataFileError(
            f"cannot be read ({error.strerror})", where=path, remedy="check the path", code="unreadable-file"
        ) from error


FULL = (errno.ENOSPC, errno.EDQUOT)
"""The system's errors that say that there is no more room."""


def existing_folder(folder: Path) -> Path:
    """``folder`` where it is there, else the nearest folder above it that is."""
    return next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())


def check_room(folder: Path, num_bytes: int) -> None:
    """Make sure that so much can be written into ``folder``, which need not be there yet.

    Raises:
        InputError: there is not so much room.
    """
    there = existing_folder(folder)
    free = shutil.disk_usage(there).free
    if free < num_bytes:
        raise InputError(
            f"the disk of {there} has {free / 1e6:.1f} MB left, and this command writes about {num_bytes / 1e6:.0f} MB "
            "there",
            remedy="make room, or use another folder",
        )


_PREFIX = ".blockprof-"
_TEMPORARY = re.compile(re.escape(_PREFIX) + r"[0-9a-f]{12}(\.lock)?")


@contextmanager
def temporary_folder(parent: Path | None = None) -> Iterator[Path]:
    """Give an empty folder in ``parent``, else in the system's temporary folder, that is removed after the block.

    A file beside it is locked for as long as its process lives: by that :func:`sweep` knows what a killed one left, and
    first sweeps ``parent``.

    Raises:
        OSError: it cannot be made.
    """
    parent = parent or Path(tempfile.gettempdir())
    sweep(parent)
    path, release = _locked_folder(parent)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        release()


def _locked_folder(parent: Path) -> tuple[Path, Callable[[], None]]:
    """A new folder, and what releases its lock."""
    while True:
        path = parent / f"{_PREFIX}{secrets.token_hex(6)}"
        try:
            release = try_lock(_lock_of(path))
        except OSError:  # a file system without locks: then nothing there is swept
            release = _no_lock
        if release:
            with suppress(FileExistsError):
                path.mkdir(mode=0o700)
                return path, release
            release()


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")


def _no_lock() -> None:
    """Release what no lock holds."""


def sweep(parent: Path) -> None:
    """Remove the temporary folders in ``parent`` whose process was killed. Those in use, and other users', stay."""
    with suppress(OSError):
        for entry in list(os.scandir(parent)):
            if _TEMPORARY.fullmatch(entry.name):
                _remove_abandoned(parent / entry.name.removesuffix(".lock"))


def _remove_abandoned(folder: Path) -> None:
    with suppress(OSError):
        is_own = all(_is_own(path) for path in (folder, _lock_of(folder)))
        if is_own and (release := try_lock(_lock_of(folder))):
            shutil.rmtree(folder, ignore_errors=True)
            release()


def _is_own(path: Path) -> bool:
    """Whether it is this user's, or not there; on Windows everybody has a temporary folder of their own."""
    try:
        return path.lstat().st_uid == getattr(os, "getuid", int)()
    except FileNotFoundError:
        return True


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
        with temporary_folder(existing) as stage:
            yield stage
            folder.mkdir(parents=True, exist_ok=True)
            for file in sorted(stage.iterdir()):
                os.replace(file, folder / file.name)
    except OSError as error:
        remedy = "make room, or choose another one" if error.errno in FULL else "choose another one"
        raise InputError(
            f"cannot write to the folder {folder}: {error.strerror}: {remedy}", code="unwritable-folder"
        ) from error
