"""A phone that adb reaches: files go there, and commands run there."""

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from blockprof.foundation.errors import Argument, BlockprofError, InputError, Said
from blockprof.foundation.lazy import lazy_import

if TYPE_CHECKING:
    import adbutils
else:
    adbutils = lazy_import("adbutils")

PLACE = PurePosixPath("/data/local/tmp/blockprof")
"""Where Android lets adb's shell write and execute."""

COMMAND_S = 600.0


class Phone:
    """A phone, by its serial number; the only one where None.

    Raises:
        InputError: adbutils is not installed, or there are several phones.
        BlockprofError: no adb server, or no phone.
    """

    def __init__(self, serial: str | None = None) -> None:
        try:
            client = adbutils.AdbClient()
        except ModuleNotFoundError:
            raise InputError("adbutils is not installed", remedy="`pip install 'blockprof[adb]'`") from None
        try:
            there = [device.serial for device in client.device_list()]
        except (adbutils.AdbError, OSError) as error:
            raise BlockprofError(
                f"adb's server does not answer ({_line(error)})", remedy="`adb start-server`"
            ) from None
        if serial is None and len(there) > 1:
            raise InputError(
                f"adb has {len(there)} phones: {', '.join(there)}",
                remedy=Said("say which with {}", Argument("phone")),
                code="several-phones",
            )
        if not there or (serial is not None and serial not in there):
            raise BlockprofError(
                "adb has no phone" + (f" '{serial}'" if serial else ""),
                remedy="connect it, allow USB debugging on it, and see that `adb devices` lists it",
                code="no-phone",
            )
        self.serial = serial or there[0]
        self._device = client.device(self.serial)

    def push(self, file: Path, place: PurePosixPath, *, executable: bool = False) -> None:
        """Bring a file there, unless one of its size and name is."""
        size = file.stat().st_size
        try:
            if self._device.sync.stat(str(place)).size != size:
                self._device.sync.push(file, str(place), mode=0o755 if executable else 0o644)
        except (adbutils.AdbError, OSError) as error:
            raise BlockprofError(f"cannot take {file.name} ({_line(error)})", where=self.serial) from None

    def run(self, command: str) -> str:
        """What a command prints, on both of its outputs, whether it fails or not."""
        try:
            found = self._device.shell2(f"{command} 2>&1", timeout=COMMAND_S)
        except (adbutils.AdbError, OSError) as error:
            raise BlockprofError(
                f"was lost ({_line(error)})", where=self.serial, remedy="run the same command again: it resumes"
            ) from None
        return str(found.output)


def _line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
