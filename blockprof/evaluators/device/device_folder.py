"""Networks to be measured on a device that is not this machine: ONNX files, and loops that time them there.

The files share their weights. ``networks.csv`` is to be filled in by hand; ``visits.csv`` is the order in which the
loops time the networks, into a log.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files as package_files
from pathlib import Path
from typing import TYPE_CHECKING

from blockprof.evaluators.device.networks import check_architectures, network_names
from blockprof.evaluators.device.runner import ANCHOR, visiting_order
from blockprof.evaluators.device.spec import MeasureSpec
from blockprof.foundation.arrays import IntArray
from blockprof.foundation.errors import Argument, DataFileError, InputError, Said
from blockprof.foundation.files import read_file, staged
from blockprof.foundation.lazy import lazy_import
from blockprof.foundation.listener import SILENT, Listener
from blockprof.latency_data import PlannedVisit, parse_network_csv, write_network_csv, write_visit_plan
from blockprof.spaces import Architectures

if TYPE_CHECKING:
    from blockprof.networks import onnx
else:
    onnx = lazy_import("blockprof.networks.onnx")

CSV_NAME, PLAN_NAME, LOG_NAME = "networks.csv", "visits.csv", "times.csv"
LOOPS = ("time_networks.py", "time_networks.sh")
_LOOPS_PACKAGE = "blockprof.evaluators.device.loops"
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
    def log(self) -> Path:
        """What the loops write, once they run."""
        return self.folder / LOG_NAME

    @property
    def files(self) -> list[Path]:
        """(N,): the networks' files, whether they are there yet or not."""
        digits = max(MIN_DIGITS, len(str(len(self.archs) - 1)))
        return [
            self.folder / f"{self.archs.space.name}-r{size}-{number:0{digits}d}.onnx"
            for number, size in enumerate(self.resolutions.tolist())
        ]

    def write(self, listener: Listener = SILENT) -> "WrittenFolder":
        """Write the CSV unless it is there, the loops, then what is missing of the files; each whole, or not at all.

        The files are those of :func:`write_network` at batch 1, each run with ONNX Runtime and compared with torch
        before it appears. Interrupted and called again, it goes on.

        Args:
            listener: told how many of the networks are there, of how many.

        Raises:
            InputError: a file cannot be written.
            BlockprofError: a network's logits are not finite or differ from torch's, or too little memory.
        """
        names = [file.name for file in self.files]
        if self.num_latencies is None:
            write_network_csv(self.csv, self.archs, self.resolutions, self.device, names)
        self._write_loops(names)
        store = onnx.SharedWeights(onnx.FragmentStore(self.archs.space))
        num_kept = 0
        for index, (file, size) in enumerate(zip(self.files, self.resolutions.tolist(), strict=True)):
            onnx.write_weights(store, store.paths(self.archs, index), self.folder)
            # Compared whole: one of the same name may be of networks that were chosen before.
            if file.is_file() and read_file(file) == onnx.compose_bytes(store, self.archs, index, resolution=size):
                num_kept += 1
            else:
                onnx.write_network(store, self.archs, index, file, resolution=size, check=True)
            listener.on_step("writing networks", index + 1, len(self.archs))
        weights = [self.folder / path for path in store.files]
        return WrittenFolder(num_kept, sum(file.stat().st_size for file in (*self.files, *weights)))

    def _write_loops(self, names: list[str]) -> None:
        """The visits, unless they are there: a log of them may be; and the loops."""
        if not (plan := self.folder / PLAN_NAME).exists():
            visits = tuple(_plan_visits(len(self.archs), MeasureSpec()))
            write_visit_plan(plan, self.archs, self.resolutions, self.device, names, visits)
        with staged(self.folder) as stage:
            for name in LOOPS:
                (stage / name).write_bytes((package_files(_LOOPS_PACKAGE) / name).read_bytes())


@dataclass(frozen=True, slots=True)
class WrittenFolder:
    """What came of writing: ``num_kept`` networks were there before, all of them are ``num_bytes`` now."""

    num_kept: int
    num_bytes: int


def _plan_visits(num_networks: int, spec: MeasureSpec) -> Iterator[PlannedVisit]:
    """Every visit of a measurement as ``measure`` makes it: rounds in random order, with the anchor among them."""
    for count, (number, network) in enumerate(visiting_order(num_networks, spec)):
        if count % spec.anchor_every == 0:
            yield PlannedVisit(ANCHOR, number, anchor=True)
        yield PlannedVisit(network, number, anchor=False)
    yield PlannedVisit(ANCHOR, spec.rounds, anchor=True)


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
