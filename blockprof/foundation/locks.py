"""Locks between processes, which the system releases when their process ends, also by kill -9; on Windows too."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from blockprof.foundation.lazy import lazy_import

if TYPE_CHECKING:
    import filelock
else:
    filelock = lazy_import("filelock")


def try_lock(path: Path, *, wait: bool = False) -> Callable[[], None] | None:
    """Lock a file that is there for its lock alone, made where it is not there.

    Returns:
        What removes the file and releases the lock; None where another holds it and ``wait`` is false.

    Raises:
        OSError: the file cannot be made, or its file system has no locks.
    """
    lock = filelock.FileLock(path, thread_local=False)
    try:
        lock.acquire(blocking=wait)
    except filelock.Timeout:
        return None

    def release() -> None:
        # While it is held: whoever waits for it then finds that the file is another one, and tries again. Windows
        # removes no file that is open, so there it stays.
        with suppress(OSError):
            path.unlink()
        lock.release()

    return release


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of a file, as :func:`try_lock`; wait until no other does.

    Raises:
        OSError: as for :func:`try_lock`.
    """
    release = try_lock(path, wait=True)
    try:
        yield
    finally:
        if release:
            release()
