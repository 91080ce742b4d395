"""A device's block table: every piece of a space measured as a model of its own, and whole networks to judge it by."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from blockprof.evaluators.device.boards.board import Board
from blockprof.evaluators.device.journal import read_journal
from blockprof.evaluators.device.measurement import Measurement
from blockprof.evaluators.device.records import Subject
from blockprof.evaluators.device.results import MeasuredNetworks
from blockprof.evaluators.device.runner import environment_of, measure_networks
from blockprof.evaluators.device.spec import MeasureSpec
from blockprof.foundation.arrays import FloatArray
from blockprof.foundation.errors import InputError
from blockprof.foundation.files import staged
from blockprof.foundation.lazy import lazy_import
from blockprof.foundation.listener import SILENT, Listener
from blockprof.foundation.scores import mape_percent, spearman
from blockprof.metrics.block_table import BlockCosts
from blockprof.spaces import Architectures, Space
from blockprof.spaces.resolution import check_resolution
from blockprof.spaces.sampling import sample_architectures

if TYPE_CHECKING:
    from blockprof.networks import onnx
else:
    onnx = lazy_import("blockprof.networks.onnx")

NUM_WHOLE = 20
"""Whole networks that are measured along with the pieces."""

MIN_WHOLE = 3
"""With fewer, nothing is left to tell how well the sums predict."""


@dataclass(frozen=True, slots=True)
class SumScores:
    """How well sums predict measured networks.

    ``mape_percent`` is the mean of the absolute relative errors, ``bias`` the mean of predicted over measured,
    ``spearman`` the rank correlation.
    """

    mape_percent: float
    bias: float
    spearman: float


@dataclass(frozen=True, eq=False)
class BlockTable:
    """Every piece of a space, measured on one device at ``resolution``, with the N whole networks ``archs``.

    ``measured`` holds the networks first, then the pieces as in ``all_pieces``, all visited in the same rounds. All
    latencies are corrected medians, in ms.
    """

    archs: Architectures
    resolution: int
    measured: MeasuredNetworks

    @property
    def space(self) -> Space:
        return self.archs.space

    @property
    def networks(self) -> tuple[Measurement, ...]:
        """(N,): those of the whole networks."""
        return self.measured.measurements[: len(self.archs)]

    @property
    def pieces(self) -> tuple[Measurement, ...]:
        """(P,): those of the pieces."""
        return self.measured.measurements[len(self.archs) :]

    @cached_property
    def network_ms(self) -> FloatArray:
        """(N,): the whole networks, measured."""
        return self.measured.latencies_ms[: len(self.archs)]

    @cached_property
    def sums_ms(self) -> FloatArray:
        """(N,): the sums of their pieces."""
        return self._unscaled.to_metric("sum").evaluate(self.archs)

    @cached_property
    def costs(self) -> BlockCosts:
        """The pieces' costs, and the factor by which sums of them are latencies of whole networks."""
        return replace(self._unscaled, scale=_fit_scale(self.sums_ms, self.network_ms))

    @cached_property
    def _unscaled(self) -> BlockCosts:
        names = (onnx.piece_name(self.space, piece) for piece in onnx.all_pieces(self.space))
        return BlockCosts(
            space=self.space,
            resolution=self.resolution,
            costs_ms={name: piece.corrected_ms for name, piece in zip(names, self.pieces, strict=True)},
            scale=1.0,
            device=self.measured.device,
            version=self.measured.environments[-1].machine.version,
        )

    @cached_property
    def scaled_ms(self) -> FloatArray:
        """(N,): the sums, each times the factor that the other networks tell, as for a network that is not measured."""
        others = ~np.eye(len(self.archs), dtype=bool)
        scales = [_fit_scale(self.sums_ms[rows], self.network_ms[rows]) for rows in others]
        return self.sums_ms * scales

    @property
    def raw_scores(self) -> SumScores:
        """How well the sums alone predict the whole networks."""
        return _score(self.sums_ms, self.network_ms)

    @property
    def scaled_scores(self) -> SumScores:
        """How well the sums predict when scaled, each network by the others' factor."""
        return _score(self.scaled_ms, self.network_ms)

    def to_frame(self) -> pd.DataFrame:
        """One row a piece, as ``read_block_table`` takes it.

        ``piece``, ``cost_ms``, ``lower_ms`` and ``upper_ms`` (95 % interval), ``iqr_ms`` and ``iqr_percent`` (of the
        raw times), ``num_runs``; then the same in every row: ``space``, ``resolution``, ``scale``, ``device``,
        ``version`` (of the run-time).
        """
        costs = self.costs
        rows = [
            {
                "piece": name,
                "cost_ms": piece.corrected_ms,
                "lower_ms": piece.interval_ms[0],
                "upper_ms": piece.interval_ms[1],
                "iqr_ms": piece.iqr_ms,
                "iqr_percent": piece.iqr_percent,
                "num_runs": piece.num_runs,
            }
            for name, piece in zip(costs.costs_ms, self.pieces, strict=True)
        ]
        return pd.DataFrame(rows).assign(
            space=self.space.name,
            resolution=self.resolution,
            scale=costs.scale,
            device=costs.device,
            version=costs.version,
        )

    def whole_frame(self) -> pd.DataFrame:
        """One row a whole network: ``net``, ``resolution``, ``measured_ms``, ``lower_ms`` and ``upper_ms`` (95 %
        interval), ``iqr_percent``, ``sum_ms`` and ``scaled_ms`` (see :attr:`scaled_ms`).
        """
        return pd.DataFrame(
            {
                "net": self.archs.to_strings(),
                "resolution": self.resolution,
                "measured_ms": self.network_ms,
                "lower_ms": [network.interval_ms[0] for network in self.networks],
                "upper_ms": [network.interval_ms[1] for network in self.networks],
                "iqr_percent": [network.iqr_percent for network in self.networks],
                "sum_ms": self.sums_ms,
                "scaled_ms": self.scaled_ms,
            }
        )

    def write(self, path: Path) -> None:
        """Write :meth:`to_frame` as a CSV file, whole or not at all.

        Raises:
            InputError: the file cannot be written.
        """
        with staged(path.absolute().parent) as folder:
            self.to_frame().to_csv(folder / path.name, index=False)


def measure_block_table(
    space: Space,
    resolution: int,
    journal_path: Path,
    spec: MeasureSpec | None = None,
    *,
    num_whole: int = NUM_WHOLE,
    listener: Listener = SILENT,
    board: Board | None = None,
) -> BlockTable:
    """Measure all pieces of a space and some random networks, as :func:`measure_networks` does.

    Networks and pieces are visited in the same rounds, so that what the machine does meanwhile hits both; the first
    network is the anchor. Killed and called again with the same journal, it goes on. Pieces that are not in the cache
    yet are exported first, tens of seconds, with the machine's lock held and before anything is timed.

    Args:
        space: the design space.
        resolution: of the whole networks' input, in pixels.
        journal_path: where results are kept as they come; resumed where it is there.
        spec: how to measure; the defaults where None. Its seed also draws the networks.
        num_whole: random networks to measure.
        listener: told of each piece that is exported or read from the cache, and of each visit.
        board: where they are measured; this machine where None.

    Raises:
        MetricError: a resolution that the space cannot take.
        InputError: fewer than three networks; or as for :func:`measure_networks`.
        DataFileError, BlockprofError: as for :func:`measure_networks`.
    """
    spec = spec or MeasureSpec()
    archs, names = _plan(space, resolution, spec, num_whole)
    pieces = onnx.all_pieces(space)
    store = onnx.FragmentStore(space, quantized=spec.is_quantized)
    is_filled = False

    def build(index: int) -> bytes:
        # All at the first call: none is exported between two visits, and a whole journal needs none.
        nonlocal is_filled
        for number, piece in enumerate(() if is_filled else pieces, start=1):
            store.fragment(piece)
            listener.on_step("pieces of networks", number, len(pieces))
        is_filled = True
        if index < num_whole:
            return onnx.compose_bytes(store, archs, index, resolution=resolution, batch=spec.batch)
        model = onnx.compose_piece(store, pieces[index - num_whole], resolution=resolution, batch=spec.batch)
        return bytes(model.SerializeToString())

    measured = measure_networks(names, build, journal_path, spec, listener, space=space.name, board=board)
    return BlockTable(archs, resolution, measured)


def check_block_journal(
    space: Space,
    resolution: int,
    journal_path: Path,
    spec: MeasureSpec | None = None,
    *,
    num_whole: int = NUM_WHOLE,
    board: Board | None = None,
) -> None:
    """Check that :func:`measure_block_table` could begin a journal, or resume the one that is there.

    Raises:
        MetricError, InputError, DataFileError, BlockprofError: as it would before it measures.
    """
    spec = spec or MeasureSpec()
    runtime = spec.find_runtime(here=board is None)
    _, names = _plan(space, resolution, spec, num_whole)
    environment = environment_of(runtime, board)
    read_journal(journal_path, Subject(tuple(names), spec, environment.machine, space.name))


def _plan(space: Space, resolution: int, spec: MeasureSpec, num_whole: int) -> tuple[Architectures, list[str]]:
    """The whole networks, and the names of these and of all pieces."""
    check_resolution(space, resolution)
    if num_whole < MIN_WHOLE:
        raise InputError(f"{num_whole} whole networks", remedy=f"give at least {MIN_WHOLE}", code="few-whole-networks")
    archs = sample_architectures(space, num_whole, np.random.default_rng(spec.seed))
    names = [*archs.to_strings(), *(onnx.piece_name(space, piece) for piece in onnx.all_pieces(space))]
    return archs, [f"{space.name} {name} at {resolution}" for name in names]


def _fit_scale(sums_ms: FloatArray, network_ms: FloatArray) -> float:
    """The factor that makes the relative errors of the sums least, in squares."""
    ratios = sums_ms / network_ms
    return float(ratios.sum() / (ratios @ ratios))


def _score(predicted_ms: FloatArray, network_ms: FloatArray) -> SumScores:
    ratios = predicted_ms / network_ms
    return SumScores(
        mape_percent=mape_percent(network_ms, predicted_ms),
        bias=float(ratios.mean()),
        spearman=spearman(network_ms, predicted_ms),
    )
