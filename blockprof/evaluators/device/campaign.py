"""A measurement as files: the latencies and the record of it, and the journal that both are made from."""

import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from blockprof.evaluators.device.agreement import Agreement, compare_with_fp32
from blockprof.evaluators.device.boards.board import Board
from blockprof.evaluators.device.environment import Environment
from blockprof.evaluators.device.journal import Contents, read_journal, read_sizes
from blockprof.evaluators.device.lock import machine_lock
from blockprof.evaluators.device.networks import check_architectures, measure_architectures, network_names
from blockprof.evaluators.device.records import Subject
from blockprof.evaluators.device.results import MeasuredNetworks
from blockprof.evaluators.device.runner import environment_of
from blockprof.evaluators.device.spec import DEFAULT_PRECISION, MeasureSpec
from blockprof.foundation.arrays import IntArray
from blockprof.foundation.display import Picture, as_html, plot
from blockprof.foundation.errors import Argument, InputError, JournalError, Said
from blockprof.foundation.listener import SILENT, Listener
from blockprof.latency_data import LatencyData, read_latency_csv, staged, write_latency_csv
from blockprof.latency_data.layout import DEVICE, LATENCY, NET, NET_ID, RESOLUTION, SPACE, UNIT
from blockprof.spaces import Architectures, Space

OLD_SUFFIX = ".old"
_OTHER_FILES = Argument("metric"), Argument("latencies"), Argument("fresh", True)


def set_aside(*files: Path) -> None:
    """Rename those files that are there to ``*.old``, in place of older ones.

    Raises:
        InputError: the folder cannot be written to.
        BlockprofError: a measurement runs on this machine.
    """
    with machine_lock():
        for file in files:
            try:
                os.replace(file, file.with_name(file.name + OLD_SUFFIX))
            except FileNotFoundError:
                continue
            except OSError as error:
                raise InputError(
                    f"cannot be moved away ({error.strerror})", where=file, remedy="choose another one"
                ) from error


@dataclass(frozen=True)
class MeasurementFiles:
    """Where a measurement is kept: ``latencies`` in BlockProfile's layout, ``record`` with a row of all that is known
    of each network, ``journal`` with the raw times.
    """

    latencies: Path
    record: Path
    journal: Path

    @classmethod
    def beside(cls, latencies: Path) -> "MeasurementFiles":
        """The three files, named after the first: ``NAME.csv``, ``NAME.record.csv``, ``NAME.journal.jsonl``."""
        return cls(latencies, latencies.with_suffix(".record.csv"), latencies.with_suffix(".journal.jsonl"))

    def set_aside(self) -> None:
        """Rename those that are there to ``*.old``, in place of older ones.

        Raises:
            InputError: the folder cannot be written to.
            BlockprofError: a measurement runs on this machine.
        """
        set_aside(self.latencies, self.record, self.journal)


@dataclass(frozen=True, eq=False)
class Campaign:
    """N networks that are to be measured, or are already.

    ``resolutions`` is (N,), pixels; ``kept`` is what the journal held; ``environment`` is of this process, or of the
    ``board`` that they are measured on. With ``fresh`` they are measured again, whatever there is.
    """

    archs: Architectures
    resolutions: IntArray
    spec: MeasureSpec
    files: MeasurementFiles
    environment: Environment
    kept: Contents
    fresh: bool
    board: Board | None = None

    @property
    def num_visits(self) -> int:
        """Visits that the networks need, the anchor's not counted."""
        return self.spec.rounds * len(self.archs)

    @property
    def num_kept(self) -> int:
        """How many of them the journal held."""
        return sum(not visit.anchor for visit in self.kept.visits)

    @property
    def num_nets_kept(self) -> int:
        """How many networks the journal held all visits of."""
        visits = Counter(visit.network for visit in self.kept.visits if not visit.anchor)
        return sum(count == self.spec.rounds for count in visits.values())

    @property
    def is_finished(self) -> bool:
        """Whether nothing is left to measure."""
        return self.num_kept == self.num_visits and self.kept.visits[-1].anchor

    def run(self, listener: Listener = SILENT) -> "CampaignResult":
        """Measure what is missing, if anything is, then write the latencies and the record.

        Raises:
            InputError, DataFileError, BlockprofError: as for :func:`measure_architectures`; or the files cannot be
                written.
        """
        start = time.perf_counter()
        if self.fresh:
            self.files.set_aside()
        if self.is_finished:
            names = network_names(self.archs, self.resolutions)
            kept = self.kept
            measured = MeasuredNetworks.from_visits(names, self.spec, kept.environments, kept.visits, kept.finished_at)
        else:
            measured = measure_architectures(
                self.archs, self.resolutions, self.files.journal, self.spec, listener, self.board
            )
        data = measured.to_latency_data(self.archs, self.resolutions)
        result = CampaignResult(self, measured, data, time.perf_counter() - start, self._compare())
        with staged(self.files.latencies.parent) as temporary:
            write_latency_csv(temporary / self.files.latencies.name, data)
            result.record_frame().to_csv(temporary / self.files.record.name, index=False)
        return result

    def _compare(self) -> Agreement | None:
        if self.spec.precision == DEFAULT_PRECISION or self.is_finished:
            return None
        return compare_with_fp32(self.archs, int(self.resolutions[0]), self.spec, self.board)


@dataclass(frozen=True, eq=False)
class CampaignResult:
    """What a campaign measured. ``seconds`` is how long this process took, exporting pieces included.

    ``agreement`` says how far logits are from fp32's; None in fp32, and where nothing was measured.
    """

    campaign: Campaign
    measured: MeasuredNetworks
    data: LatencyData
    seconds: float
    agreement: Agreement | None = None

    def __repr__(self) -> str:
        return f"<CampaignResult: {len(self.data)} networks of {self.data.space.name}, measured on {self.data.device}>"

    def _repr_html_(self) -> str:
        return as_html(repr(self), self.record_frame())

    def to_pandas(self) -> pd.DataFrame:
        """One row a network: BlockProfile's columns, which ``train`` reads, then those of :meth:`record_frame`."""
        data = self.data
        columns = {
            NET_ID: range(len(data)),
            NET: data.archs.to_strings(),
            DEVICE: data.device,
            RESOLUTION: data.resolutions,
            UNIT: "ms",
            LATENCY: data.latencies_ms,
            SPACE: data.space.name,
        }
        record = self.record_frame().drop(columns=["net", "resolution"])
        return pd.concat([pd.DataFrame(columns), record], axis=1)

    def plot(self, what: str | None = None) -> Picture:
        """The networks' ``latencies``.

        Raises:
            InputError: there is no such picture.
        """
        return plot(self, what)

    @property
    def networks_per_minute(self) -> float:
        """How many networks this process measured in a minute; 0 where it found all of them measured."""
        new_visits = self.campaign.num_visits - self.campaign.num_kept
        return 60 * new_visits / self.campaign.spec.rounds / self.seconds

    def record_frame(self) -> pd.DataFrame:
        """One row a network: ``net`` and ``resolution``, then as in :meth:`MeasuredNetworks.to_frame`, then what they
        were measured with: ``threads``, ``provider``, ``runtime``, ``precision``, ``version``, ``cpu``, ``governor``.
        """
        spec, machine = self.measured.spec, self.campaign.environment.machine
        frame = self.measured.to_frame().drop(columns="name")
        frame.insert(0, "net", self.data.archs.to_strings())
        frame.insert(1, "resolution", self.data.resolutions)
        return frame.assign(
            threads=spec.threads,
            provider=spec.provider,
            runtime=spec.runtime,
            precision=spec.precision,
            version=machine.version,
            cpu=machine.cpu,
            governor=self.governor,
        )

    @property
    def governor(self) -> str:
        """The governors of all processes that measured; ``unknown`` where the system does not tell."""
        return ",".join(dict.fromkeys(each.governor or "unknown" for each in self.measured.environments))


def plan_campaign(
    archs: Architectures,
    resolutions: IntArray,
    latencies: Path,
    spec: MeasureSpec | None = None,
    *,
    fresh: bool = False,
    board: Board | None = None,
) -> Campaign:
    """Check that networks can be measured into the file ``latencies`` and see what of them is; nothing is changed.

    What is there may be of the first networks only: then it is extended.

    Args:
        archs: N networks, with their resolutions all different.
        resolutions: (N,), of each one's input, in pixels.
        latencies: the CSV file to be made, in BlockProfile's layout; the record and the journal are beside it.
        spec: how to measure; the defaults where None.
        fresh: measure again; what is there is kept as ``*.old``.
        board: where they are measured; this machine where None.

    Raises:
        InputError: no networks; a run-time, precision or provider that is not there; a file of other networks, or
            measured in another way, is there; or a board that takes none of the user's keys.
        BlockprofError: the board cannot be reached.
        MetricError: a resolution that the space cannot take.
        DataFileError: a damaged journal.
    """
    spec = spec or MeasureSpec()
    runtime = spec.find_runtime(here=board is None)
    check_architectures(archs, resolutions)
    environment = environment_of(runtime, board)
    files = MeasurementFiles.beside(latencies)
    kept = Contents()
    if not fresh:
        names = network_names(archs, resolutions)
        try:
            kept = read_journal(files.journal, Subject(tuple(names), spec, environment.machine, archs.space.name))
        except JournalError as error:
            raise InputError(
                f"holds a measurement with {', '.join(error.differences)}",
                where=files.journal,
                remedy=Said(
                    "to resume it, measure in the same way, or more networks; to keep both, give another {} or {}; "
                    "to start over, give {}",
                    *_OTHER_FILES,
                ),
            ) from error
        finished = [names[:size] for size in kept.sizes if kept.visits]
        if latencies.exists() and not _holds(latencies, archs.space, finished):
            raise InputError(
                "another file of that name is there",
                where=latencies,
                remedy=Said(
                    "give another {} or {}, or {}, which measures again and keeps it as {}",
                    *_OTHER_FILES,
                    f"{latencies.name}{OLD_SUFFIX}",
                ),
            )
    return Campaign(archs, resolutions, spec, files, environment, kept, fresh, board)


def measured_sizes(latencies: Path) -> tuple[int, ...]:
    """Of how many networks the measurement is that goes on in the file ``latencies``.

    At first, then each time that it was extended; empty where there is none.

    Raises:
        InputError, DataFileError: a journal that cannot be read, or is none.
    """
    return read_sizes(MeasurementFiles.beside(latencies).journal)


def _holds(path: Path, space: Space, lists: Sequence[Sequence[str]]) -> bool:
    """Whether a file has the networks of one of the lists of names, in its order."""
    try:
        data = read_latency_csv(path, space)
    except InputError:
        return False
    return network_names(data.archs, data.resolutions) in lists
