"""One measurement at a time on a machine: two would take each other's time."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import lock_descriptor

from blockprof.foundation.errors import BlockprofError


def lock_path() -> Path:
    """The lock's file, one for all users who share the temporary folder; it holds the process id of its last holder."""
    return Path(tempfile.gettempdir()) / "blockprof-measure.lock"


@contextmanager
def machine_lock() -> Iterator[None]:
    """Hold the machine's lock. The system releases it when the process ends, also by kill -9.

    Raises:
        BlockprofError: another process measures (the message has its id), or the lock's file cannot be used.
    """
    path = lock_path()
    try:
        file = _open(path)
    except OSError as error:
        raise _unusable(path, error) from error
    try:
        try:
            is_free = lock_descriptor(file, blocking=False)
            # Windows locks the first byte, which nobody else can read then.
            os.lseek(file, 1, os.SEEK_SET)
            if is_free:
                os.ftruncate(file, 0)
                os.write(file, f"{os.getpid()}\n".encode())
            else:
                holder = os.read(file, 32).decode(errors="replace").strip() or "unknown"
        except OSError as error:
            raise _unusable(path, error) from error
        if not is_free:
            raise BlockprofError(
                f"another measurement runs on this machine (process {holder}), and two at once would disturb each "
                "other",
                remedy="wait until it ends, or end it",
                code="machine-in-use",
            )
        yield
    finally:
        os.close(file)


def _open(path: Path) -> int:
    # Windows has neither of these, and closes files in other processes by itself.
    flags = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        file = os.open(path, flags | os.O_CREAT | os.O_EXCL)
    except FileExistsError:
        # Without O_CREAT: Linux forbids it on another user's file in a folder like /tmp (fs.protected_regular).
        return os.open(path, flags)
    # Whatever the umask: every user's measurement takes time from every other's.
    os.chmod(path, 0o666)
    return file


def _unusable(path: Path, error: OSError) -> BlockprofError:
    return BlockprofError(
        f"cannot be locked ({error.strerror})",
        where=path,
        remedy="make it writable, or set TMPDIR",
        code="lock-unusable",
    )
