"""``blockprof.api.measuring_phones``: networks of a folder, timed on a phone."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from blockprof.foundation.errors import InputError
from blockprof.foundation.lazy import lazy_import
from blockprof.foundation.listener import SILENT, Listener

if TYPE_CHECKING:
    from blockprof.evaluators.device.phones import adb, programs, timing
else:
    adb = lazy_import("blockprof.evaluators.device.phones.adb")
    programs = lazy_import("blockprof.evaluators.device.phones.programs")
    timing = lazy_import("blockprof.evaluators.device.phones.timing")


def measure_phone(
    folder: Path,
    program: Path,
    phone: str | None = None,
    options: Sequence[str] = (),
    *,
    listener: Listener = SILENT,
) -> Path:
    """Time the networks that ``export networks`` wrote on a phone, over adb, and say where the log is.

    Args:
        folder: of the networks.
        program: the phone's build of a benchmark program.
        phone: its serial number; the only one where None.
        options: of the program.
        listener: told of each visit.

    Raises:
        InputError, DataFileError, BlockprofError: as for ``Phone`` and ``time_folder``; or no such program.
    """
    known = programs.find_program(program.name)
    if not program.is_file():
        raise InputError("there is no such program", where=program, remedy="give the phone's build of it")
    digest = sha256(str(folder.resolve()).encode()).hexdigest()[:8]
    return timing.time_folder(folder, adb.Phone(phone), adb.PLACE / digest, known, program, options, listener=listener)
