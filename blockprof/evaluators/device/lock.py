"""One measurement at a time on a machine: two would take each other's time."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(file, 0)
            os.write(file, f"{os.getpid()}\n".encode())
        except BlockingIOError:
            holder = os.pread(file, 32, 0).decode(errors="replace").strip() or "unknown"
            raise BlockprofError(
                f"another measurement runs on this machine (process {holder}), and two at once would disturb each "
                "other",
                remedy="wait until it ends, or end it",
                code="machine-in-use",
            ) from None
        except OSError as error:
            raise _unusable(path, error) from error
        yield
    finally:
        os.close(file)


def _open(path: Path) -> int:
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        file = os.open(path, flags | os.O_CREAT | os.O_EXCL)
    except FileExistsError:
        # Without O_CREAT: Linux forbids it on another user's file in a folder like /tmp (fs.protected_regular).
        return os.open(path, flags)
    # Whatever the umask: every user's measurement takes time from every other's.
    os.fchmod(file, 0o666)
    return file


def _unusable(path: Path, error: OSError) -> BlockprofError:
    return BlockprofError(
        f"cannot be locked ({error.strerror})",
        where=path,
        remedy="make it writable, or set TMPDIR",
        code="lock-unusable",
    )
