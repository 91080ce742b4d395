"""Measure many networks: in rounds, in random order, with an anchor, and so that it can be killed and resumed."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path

import numpy as np

from blockprof.evaluators.device.boards.board import Board
from blockprof.evaluators.device.boards.process import BoardProcess, examine
from blockprof.evaluators.device.environment import Environment, read_environment
from blockprof.evaluators.device.journal import Journal, open_journal
from blockprof.evaluators.device.lock import machine_lock
from blockprof.evaluators.device.process import Model, RuntimeProcess
from blockprof.evaluators.device.records import Subject, Visit
from blockprof.evaluators.device.results import MeasuredNetworks
from blockprof.evaluators.device.spec import MeasureSpec
from blockprof.evaluators.runtimes import Runtime
from blockprof.foundation.errors import InputError
from blockprof.foundation.listener import SILENT, Listener, Visited

ANCHOR = 0
"""The first network is the anchor."""
_ANCHOR_SLOT, _NETWORK_SLOT = "anchor", "network"


def measure_networks(
    names: Sequence[str],
    build: Callable[[int], Model],
    journal_path: str | Path,
    spec: MeasureSpec | None = None,
    listener: Listener = SILENT,
    *,
    space: str | None = None,
    board: Board | None = None,
) -> MeasuredNetworks:
    """Measure networks with a run-time, going on where an earlier process with the same journal ended.

    Each round visits all networks in another random order. The first network is also the anchor: it is visited again at
    the start, at the end and before every few networks. The drift of the machine's speed that it and the others tell is
    divided out of all times. At most two sessions are in memory, the anchor's and one network's; neither building nor
    loading a model is timed.

    A journal of the first networks is extended: what was measured is kept, and the others are measured in rounds of
    their own, with the same anchor.

    Args:
        names: what each network is called; they tell whether a journal is of the same networks, or the first of them.
        build: gives a network's ONNX model, serialized or as a path, by its index in ``names``.
        journal_path: where results are kept as they come; begun where there is no such file.
        spec: how to measure; the defaults where None.
        listener: told after each visit of a network, with its result on disk.
        space: the name of the space that they are of, where they are of one; the journal says it.
        board: where they are measured; this machine where None.

    Raises:
        InputError: no networks, a run-time, precision or provider that is not there, a journal of something else, or a
            full disk.
        DataFileError: a damaged journal.
        BlockprofError: another measurement runs on this machine or the board, or the run-time cannot run a model,
            ends unexpectedly or does not answer; or the board does not.
    """
    if not names:
        raise InputError("there are no networks to measure", remedy="give at least one", code="no-networks")
    spec = spec or MeasureSpec()
    runtime = spec.find_runtime(here=board is None)
    environment = environment_of(runtime, board)
    subject = Subject(tuple(names), spec, environment.machine, space)
    with machine_lock() if board is None else nullcontext(), open_journal(Path(journal_path), subject) as journal:
        done = {(visit.round, visit.network) for visit in journal.visits if not visit.anchor}
        pending = [visit for visit in visiting_order(len(names), spec) if visit not in done]
        if pending or not journal.visits[-1].anchor:
            with start_process(runtime, spec, board, listener) as process:
                journal.add_environment(environment)
                _measure(names, build, spec, pending, journal, listener, process)
        return MeasuredNetworks.from_visits(names, spec, journal.environments, journal.visits, journal.finished_at)


def start_process(
    runtime: Runtime, spec: MeasureSpec, board: Board | None, listener: Listener = SILENT
) -> RuntimeProcess:
    """A run-time on a board, on this machine where None; to be entered."""
    return RuntimeProcess(runtime, spec) if board is None else BoardProcess(board, runtime, spec, listener.on_note)


def environment_of(runtime: Runtime, board: Board | None) -> Environment:
    """What a board is like, this machine where None.

    Raises:
        InputError, BlockprofError: as for ``examine``.
    """
    return read_environment(runtime) if board is None else examine(board, runtime)


def visiting_order(num_networks: int, spec: MeasureSpec) -> Iterator[tuple[int, int]]:
    """Every visit as (round from 1, network), in order: each round is a random order of its own."""
    for number in range(1, spec.rounds + 1):
        rng = np.random.default_rng([spec.seed, number])
        yield from ((number, network) for network in rng.permutation(num_networks).tolist())


def _measure(
    names: Sequence[str],
    build: Callable[[int], Model],
    spec: MeasureSpec,
    pending: Sequence[tuple[int, int]],
    journal: Journal,
    listener: Listener,
    process: RuntimeProcess,
) -> None:
    def load(slot: str, network: int) -> None:
        process.load(slot, names[network], network, lambda: build(network))

    def visit(network: int, number: int, *, anchor: bool) -> Visit:
        started_s, timing = process.time(_ANCHOR_SLOT if anchor else _NETWORK_SLOT, names[network])
        made = Visit(network, number, anchor, started_s, timing)
        journal.add_visit(made)
        return made

    load(_ANCHOR_SLOT, ANCHOR)
    total = spec.rounds * len(names)
    for count, (number, network) in enumerate(pending):
        if count % spec.anchor_every == 0:
            visit(ANCHOR, number, anchor=True)
        load(_NETWORK_SLOT, network)
        made = visit(network, number, anchor=False)
        done = total - len(pending) + count + 1
        listener.on_visit(Visited(names[network], number, made.median_ms, done, total))
    visit(ANCHOR, spec.rounds, anchor=True)
