"""Latencies of networks, as the verbs are asked for them: by file, or by what the data folder holds."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from blockprof import fetching
from blockprof.foundation.errors import Argument, Command, DataFileError, InputError
from blockprof.foundation.files import read_file
from blockprof.foundation.lazy import lazy_import
from blockprof.foundation.listener import Listener
from blockprof.foundation.paths import data_folder
from blockprof.latency_data import LatencyData, is_visit_log, parse_visit_log, read_latency_csv
from blockprof.metrics import check_predictor_name, has_reference
from blockprof.spaces import Space

if TYPE_CHECKING:
    from blockprof.evaluators.device import visit_log
    from blockprof.tracking import registry
else:
    visit_log = lazy_import("blockprof.evaluators.device.visit_log")
    registry = lazy_import("blockprof.tracking.registry")


def read_latencies(space: Space, metric: str, path: Path | None, listener: Listener) -> tuple[Path, LatencyData]:
    """Read the CSV given, else the one that ``fetch-data`` and ``measure`` write for the metric; and say which.

    Of a log of visits, each network's latency is that which ``measure`` would give. What was made of it the listener is
    told, or that it is reference data, for want of any other.

    Raises:
        DataFileError: there is none, or it cannot be used.
    """
    chosen = path or fetching.find_latency_file(space, metric, data_folder())
    if path is None and chosen.name == fetching.reference_file_name(space, metric):
        listener.on_note(
            f"{chosen}: reference data, made from a built-in table, as there is no "
            f"{fetching.latency_file_name(space, metric)}"
        )
    if path is None and not chosen.exists():
        remedy = f"see {Command('blockprof fetch-data', help=True)} for reference data"
        if not has_reference(space, "npu"):
            remedy = f"measure networks: {Command('blockprof measure', space=space.name, metric=metric)}"
        raise DataFileError(
            "there is no such file", where=chosen, remedy=f"give your CSV, or {remedy}", code="no-such-file"
        )
    content = read_file(chosen) if chosen.is_file() else b""
    if not is_visit_log(content):
        return chosen, read_latency_csv(chosen, space)
    log = parse_visit_log(content, space, str(chosen))
    data, measured = visit_log.correct_visits(log, str(chosen))
    drift = f"drift {measured.drift.percent:.1f} % divided out" if measured.drift.percent else "no drift found"
    listener.on_note(
        f"{chosen}: a log of {len(log.data):,} visits of {len(data)} networks: each one's median of up to "
        f"{log.rounds.max()} rounds, {drift}"
    )
    return chosen, data


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Say of which file it is that something is wrong, where what finds that does not know.

    Raises:
        DataFileError: as inside, with the path before it.
    """
    try:
        yield
    except DataFileError as error:
        raise DataFileError(error, where=path) from None


def check_latency_name(space: Space, name: str) -> None:
    """Refuse a name for a latency that ``profile`` could not ask for, or MLflow not register a predictor by.

    Raises:
        InputError: it is a number, a built-in metric that no predictor replaces, or holds what MLflow does not allow.
    """
    if name.isdecimal():
        raise InputError(
            "profile takes metrics by name, not by number", where=Argument("metric", name), remedy="choose a name"
        )
    check_predictor_name(name)
    registry.predictor_name(space.name, name)
