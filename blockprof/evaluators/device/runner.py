"""Measure many networks: in rounds, in random order, with an anchor, and so that it can be killed and resumed."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from blockprof.evaluators.device.environment import read_environment
from blockprof.evaluators.device.journal import Journal, open_journal
from blockprof.evaluators.device.lock import machine_lock
from blockprof.evaluators.device.records import Subject, Visit
from blockprof.evaluators.device.results import MeasuredNetworks
from blockprof.evaluators.device.sessions import Model, check_provider, make_run, open_session
from blockprof.evaluators.device.spec import MeasureSpec
from blockprof.evaluators.device.timing import time_network
from blockprof.foundation.errors import InputError
from blockprof.foundation.listener import SILENT, Listener, Visited
from blockprof.foundation.onnx_runtime import onnxruntime

ANCHOR = 0
"""The first network is the anchor."""


def measure_networks(
    names: Sequence[str],
    build: Callable[[int], Model],
    journal_path: str | Path,
    spec: MeasureSpec | None = None,
    listener: Listener = SILENT,
) -> MeasuredNetworks:
    """Measure networks with ONNX Runtime, going on where an earlier process with the same journal ended.

    Each round visits all networks in another random order. The first network is also the anchor: it is visited again at
    the start, at the end and before every few networks, and the drift of the machine's speed that it tells is divided
    out of all times. At most two sessions are in memory, the anchor's and one network's; neither building nor loading a
    model is timed.

    A journal of the first networks is extended: what was measured is kept, and the others are measured in rounds of
    their own, with the same anchor.

    Args:
        names: what each network is called; they tell whether a journal is of the same networks, or the first of them.
        build: gives a network's ONNX model, serialized or as a path, by its index in ``names``.
        journal_path: where results are kept as they come; begun where there is no such file.
        spec: how to measure; the defaults where None.
        listener: told after each visit of a network, with its result on disk.

    Raises:
        InputError: no networks, a provider that is not there, a journal of something else, or a full disk.
        DataFileError: a damaged journal.
        BlockprofError: another measurement runs on this machine, or ONNX Runtime cannot run a model.
    """
    if not names:
        raise InputError("there are no networks to measure", remedy="give at least one", code="no-networks")
    spec = spec or MeasureSpec()
    check_provider(spec.provider)
    environment = read_environment()
    subject = Subject(tuple(names), spec, environment.machine)
    with machine_lock(), open_journal(Path(journal_path), subject) as journal:
        done = {(visit.round, visit.network) for visit in journal.visits if not visit.anchor}
        pending = [visit for visit in visiting_order(len(names), spec) if visit not in done]
        if pending or not journal.visits[-1].anchor:
            journal.add_environment(environment)
            _measure(names, build, spec, pending, journal, listener)
        return MeasuredNetworks.from_visits(names, spec, journal.environments, journal.visits, journal.finished_at)


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
) -> None:
    anchor = open_session(build(ANCHOR), spec, names[ANCHOR])
    total = spec.rounds * len(names)
    for count, (number, network) in enumerate(pending):
        if count % spec.anchor_every == 0:
            journal.add_visit(_visit(anchor, names[ANCHOR], ANCHOR, number, spec, anchor=True))
        session = open_session(build(network), spec, names[network])
        visit = _visit(session, names[network], network, number, spec, anchor=False)
        del session  # before the next is opened
        journal.add_visit(visit)
        done = total - len(pending) + count + 1
        listener.on_visit(Visited(names[network], number, visit.median_ms, done, total))
    journal.add_visit(_visit(anchor, names[ANCHOR], ANCHOR, spec.rounds, spec, anchor=True))


def _visit(
    session: onnxruntime.InferenceSession, name: str, network: int, number: int, spec: MeasureSpec, *, anchor: bool
) -> Visit:
    run = make_run(session, np.random.default_rng(spec.seed), name)
    started_s = time.time()
    return Visit(network, number, anchor, started_s, time_network(run, spec))
