"""Networks to be measured on a device that is not this machine: ONNX files, and a CSV to fill in their latencies."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from blockprof.evaluators.device.networks import check_architectures, network_names
from blockprof.foundation.arrays import IntArray
from blockprof.foundation.errors import Argument, DataFileError, InputError, Said
from blockprof.foundation.files import read_file
from blockprof.foundation.lazy import lazy_import
from blockprof.foundation.listener import SILENT, Listener
from blockprof.latency_data import parse_network_csv, write_network_csv
from blockprof.spaces import Architectures

if TYPE_CHECKING:
    from blockprof.networks import onnx
else:
    onnx = lazy_import("blockprof.networks.onnx")

CSV_NAME = "networks.csv"
MIN_DIGITS = 3


@dataclass(frozen=True, eq=False)
class DeviceFolder:
    """N networks, each to be a file of ``folder`` that is named by its number from 0: ``pn-r224-007.onnx``.

    ``resolutions`` is (N,), pixels; ``device`` is what the CSV calls that which they are to be measured on.
    ``num_latencies`` of them are in the CSV already, None where there is no CSV yet.
    """

    archs: Architectures
    resolutions: IntArray
    folder: Path
    device: str
    num_latencies: int | None

    @property
    def csv(self) -> Path:
        """The CSV in BlockProfile's layout, with the name of each network's file in a further column."""
        return self.folder / CSV_NAME

    @property
    def files(self) -> list[Path]:
        """(N,): the networks' files, whether they are there yet or not."""
        digits = max(MIN_DIGITS, len(str(len(self.archs) - 1)))
        return [
            self.folder / f"{self.archs.space.name}-r{size}-{number:0{digits}d}.onnx"
            for number, size in enumerate(self.resolutions.tolist())
        ]

    def write(self, listener: Listener = SILENT) -> "WrittenFolder":
        """Write the CSV unless it is there, then what is missing of the files; each is whole, or not there at all.

        The files are those of :func:`write_network` at batch 1, each run with ONNX Runtime and compared with torch
        before it appears. Interrupted and called again, it goes on.

        Args:
            listener: told how many of the networks are there, of how many.

        Raises:
            InputError: a file cannot be written.
            BlockprofError: a network's logits are not finite or differ from torch's, or too little memory.
        """
        if self.num_latencies is None:
            names = [file.name for file in self.files]
            write_network_csv(self.csv, self.archs, self.resolutions, self.device, names)
        store = onnx.FragmentStore(self.archs.space)
        num_kept = 0
        for index, (file, size) in enumerate(zip(self.files, self.resolutions.tolist(), strict=True)):
            # Compared whole: one of the same name may be of networks that were chosen before.
            if file.is_file() and read_file(file) == onnx.compose_bytes(store, self.archs, index, resolution=size):
                num_kept += 1
            else:
                onnx.write_network(store, self.archs, index, file, resolution=size, check=True)
            listener.on_step("writing networks", index + 1, len(self.archs))
        return WrittenFolder(num_kept, sum(file.stat().st_size for file in self.files))


@dataclass(frozen=True, slots=True)
class WrittenFolder:
    """What came of writing: ``num_kept`` networks were there before, all of them are ``num_bytes`` now."""

    num_kept: int
    num_bytes: int


def plan_device_folder(archs: Architectures, resolutions: IntArray, folder: Path, device: str) -> DeviceFolder:
    """Check that networks can be written into a folder, and see whether their CSV is there; nothing is changed.

    A CSV that is there is never written again, as somebody may have filled in latencies, or be measuring.

    Args:
        archs: N networks, with their resolutions all different.
        resolutions: (N,), of each one's input, in pixels.
        folder: where they go; made where it is not there.
        device: what the CSV is to call that which they are measured on.

    Raises:
        InputError: no networks, not as many resolutions, or a CSV of other networks is there.
        MetricError: a resolution that the space cannot take.
    """
    check_architectures(archs, resolutions)
    planned = DeviceFolder(archs, resolutions, folder, device, None)
    if not planned.csv.exists():
        return planned
    try:
        listed = parse_network_csv(read_file(planned.csv), archs.space, str(planned.csv))
    except DataFileError as error:
        raise InputError(
            "another file of that name is there, and is left as it is",
            where=planned.csv,
            remedy=Said("give another {}", Argument("folder")),
            code="file-in-the-way",
        ) from error
    if network_names(listed.archs, listed.resolutions) != network_names(archs, resolutions):
        filled = f", {listed.num_latencies} of them with latencies" if listed.num_latencies else ""
        raise InputError(
            f"lists {len(listed.archs)} other networks{filled}, and is left as it is",
            where=planned.csv,
            remedy=Said("give another {}, or what chose those, to resume them", Argument("folder")),
            code="folder-of-other-networks",
        )
    return DeviceFolder(archs, resolutions, folder, device, listed.num_latencies)
