"""Measure networks of a space: composed as ONNX where they are needed, never written to disk."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from blockprof.evaluators.device.boards.board import Board
from blockprof.evaluators.device.results import MeasuredNetworks
from blockprof.evaluators.device.runner import measure_networks
from blockprof.evaluators.device.spec import MeasureSpec
from blockprof.foundation.arrays import IntArray
from blockprof.foundation.errors import InputError
from blockprof.foundation.lazy import lazy_import
from blockprof.foundation.listener import SILENT, Listener
from blockprof.spaces import Architectures
from blockprof.spaces.resolution import check_resolution

if TYPE_CHECKING:
    from blockprof.networks import onnx
    from blockprof.networks.onnx import FragmentStore, Piece
else:
    onnx = lazy_import("blockprof.networks.onnx")


def network_names(archs: Architectures, resolutions: IntArray) -> list[str]:
    """What each network is called in a journal: space, net string, resolution: ``pn mbconv2_e6_k3->...|... at 224``."""
    space, nets = archs.space.name, archs.to_strings()
    return [f"{space} {net} at {size}" for net, size in zip(nets, resolutions.tolist(), strict=True)]


def check_architectures(archs: Architectures, resolutions: IntArray) -> None:
    """Check that there is a resolution for each network, and one that its space can take.

    Raises:
        InputError: no networks, or not as many resolutions.
        MetricError: a resolution that the space cannot take.
    """
    if not len(archs):
        raise InputError("there are no networks to measure", remedy="give at least one", code="no-networks")
    if len(resolutions) != len(archs):
        raise InputError(
            f"{len(resolutions)} resolutions for {len(archs)} networks",
            remedy="give one for each",
            code="unpaired-resolutions",
        )
    for resolution in np.unique(resolutions).tolist():
        check_resolution(archs.space, resolution)


def measure_architectures(
    archs: Architectures,
    resolutions: IntArray,
    journal_path: Path,
    spec: MeasureSpec | None = None,
    listener: Listener = SILENT,
    board: Board | None = None,
) -> MeasuredNetworks:
    """Compose networks from their pieces and measure them as :func:`measure_networks` does.

    Pieces that are not in the cache yet are exported first, tens of seconds for a whole space, with the machine's lock
    held and before anything is timed. A journal that holds all visits already needs none.

    Args:
        archs: N networks.
        resolutions: (N,), of each one's input, in pixels.
        journal_path: where results are kept as they come; resumed where it is there.
        spec: how to measure; the defaults where None.
        listener: told of each piece of the networks that is there, and of each visit.
        board: where they are measured; this machine where None.

    Raises:
        InputError: not as many resolutions as networks; or as for :func:`measure_networks`.
        MetricError: a resolution that the space cannot take.
        DataFileError, BlockprofError: as for :func:`measure_networks`.
    """
    check_architectures(archs, resolutions)
    spec = spec or MeasureSpec()
    store = onnx.FragmentStore(archs.space, quantized=spec.is_quantized)
    is_filled = False

    def build(index: int) -> bytes:
        nonlocal is_filled
        if not is_filled:
            _fill(store, archs, listener)
            is_filled = True
        return onnx.compose_bytes(store, archs, index, resolution=int(resolutions[index]), batch=spec.batch)

    names = network_names(archs, resolutions)
    return measure_networks(names, build, journal_path, spec, listener, space=archs.space.name, board=board)


def _fill(store: "FragmentStore", archs: Architectures, listener: Listener) -> None:
    """Bring all pieces of the networks into memory, so that none is exported between two visits."""
    pieces = [set(onnx.pieces.pieces_of(archs, index)) for index in range(len(archs))]
    total = len(set().union(*pieces))
    there: set[Piece] = set()
    for index, own in enumerate(pieces):
        if own <= there:
            continue
        store.fragments(archs, index)
        there |= own
        listener.on_step("pieces of networks", len(there), total)
