"""Models that run-times made of networks, kept between processes, so that none is converted twice."""

import os
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from blockprof.evaluators.runtimes import Runtime
from blockprof.foundation.errors import InputError
from blockprof.foundation.files import staged
from blockprof.foundation.locks import try_lock
from blockprof.foundation.paths import cache_folder

MAX_BYTES = 4_000_000_000
"""Of all kept models together: those that were used longest ago go."""

_DAMAGED = (OSError, zipfile.BadZipFile, KeyError, ValueError, EOFError)


class KeptModels:
    """What one run-time makes in one precision.

    A model is told by the content of its network, the versions of what converts it, and the interpreter's; it is one
    file, an archive with checksums. Several processes may use the folder at once. Where it cannot be written, nothing
    is kept.
    """

    def __init__(self, runtime: Runtime, precision: str) -> None:
        self._folder = cache_folder() / "models"
        self._made_by = "-".join((runtime.name, precision, *runtime.converter_versions()))
        self._is_kept = bool(runtime.converters)

    def find(self, network: bytes, folder: Path) -> Path | None:
        """Put the model of a serialised network into a folder; its path, or None where it is not kept."""
        if not self._is_kept:
            return None
        file = self._file(network)
        try:
            with zipfile.ZipFile(file) as archive:
                archive.extractall(folder)
                model = folder / archive.comment.decode()
            os.utime(file)
        except _DAMAGED:  # absent, or cut off: it is made again
            return None
        return model

    def keep(self, network: bytes, model: Path, folder: Path) -> None:
        """Keep a model that was made in a folder: all files there but those of ``network`` itself."""
        files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".onnx"]
        if not self._is_kept or model not in files:
            return
        name = self._file(network).name
        with (
            suppress(InputError),
            staged(self._folder) as stage,
            zipfile.ZipFile(stage / name, "w") as archive,
        ):
            archive.comment = model.relative_to(folder).as_posix().encode()
            for path in files:
                archive.write(path, path.relative_to(folder))
        self._make_room()

    def _file(self, network: bytes) -> Path:
        digest = sha256(self._made_by.encode() + b"\n" + network).hexdigest()
        return self._folder / f"{digest}.zip"

    def _make_room(self) -> None:
        """Remove what was used longest ago, unless another process is at it."""
        with suppress(OSError):
            release = try_lock(self._folder / "models.lock")
            if release is None:
                return
            try:
                for path in _beyond(list(self._folder.glob("*.zip")), MAX_BYTES):
                    path.unlink()
            finally:
                release()


def _beyond(files: Sequence[Path], max_bytes: int) -> list[Path]:
    """Those that do not fit into so many bytes together with all that were used after them."""
    facts = sorted(((path.stat(), path) for path in files), key=lambda fact: -fact[0].st_mtime_ns)
    total, beyond = 0, []
    for stat, path in facts:
        total += stat.st_size
        if total > max_bytes:
            beyond.append(path)
    return beyond
