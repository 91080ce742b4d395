"""``fetch-data``: latencies, tables and weights brought into the data folder."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from blockprof import fetching
from blockprof.api.defaults import REFERENCE, REFERENCE_METRICS, REFERENCE_NETS
from blockprof.fetching import FetchedFile, Source
from blockprof.foundation.display import as_html
from blockprof.foundation.errors import Argument, Command, InputError, Said
from blockprof.foundation.lazy import lazy_import
from blockprof.foundation.listener import SILENT, Listener
from blockprof.foundation.paths import data_folder
from blockprof.spaces import Space, load_space
from blockprof.tracking.log import NOT_LOGGED, Tracker

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from blockprof.output.runs import fetches
else:
    fetches = lazy_import("blockprof.output.runs.fetches")

_MOST_NAMED = 5
_MIRROR = "BLOCKPROF_MIRROR"
_LIST = Command("blockprof fetch-data", list=True)


@dataclass(frozen=True, slots=True)
class Fetching:
    """How to fetch: ``metrics`` and ``num_nets`` of reference data that ``seed`` draws; ``files`` of published data,
    from a ``mirror``; the ``sha256`` of a file or a URL. None leaves it to the default; ``progress`` draws on stderr.
    """

    metrics: Sequence[str] | None = None
    num_nets: int | None = None
    files: Sequence[str] = ()
    mirror: str | None = None
    sha256: str | None = None
    seed: int = 0
    progress: bool = False


@dataclass(frozen=True, eq=False)
class Fetched:
    """The files that ``source`` brought into the data folder."""

    source: str
    files: tuple[FetchedFile, ...]

    def __repr__(self) -> str:
        return f"<Fetched from {self.source}, {self.origin}: {len(self.files)} files>"

    def _repr_html_(self) -> str:
        return as_html(repr(self), self.to_pandas())

    @property
    def origin(self) -> str:
        """``reference`` for data made from the built-in tables, else ``measured`` or published by others."""
        return "reference" if self.source == REFERENCE else "measured or published by others"

    def to_pandas(self) -> "pd.DataFrame":
        """One row a file: ``path``, ``sha256``, and of latencies ``space``, ``device`` and ``num_networks``."""
        import pandas as pd

        rows = [
            {
                "path": str(file.path),
                "sha256": file.sha256,
                "space": file.latencies.space.name if file.latencies else None,
                "device": file.latencies.device if file.latencies else None,
                "num_networks": file.latencies.num_networks if file.latencies else None,
            }
            for file in self.files
        ]
        return pd.DataFrame(rows).astype({"num_networks": "Int64"})

    def plot(self) -> "Figure":
        """The networks of each file of latencies, from the quickest to the slowest.

        Raises:
            InputError: no file holds latencies.
        """
        from blockprof.output.charts.predictions import latencies_chart
        from blockprof.output.draw_matplotlib import draw_chart

        held = [file.latencies for file in self.files if file.latencies]
        if not held:
            raise InputError(f"what {self.source} holds are no latencies", remedy="there is nothing to draw")
        return draw_chart(latencies_chart(held))


@dataclass(frozen=True, eq=False)
class _Plan:
    """What to call, the space it is of where it is of one, what a run says of it, and whether files here are read."""

    fetch: Callable[[], list[FetchedFile]]
    space: Space | None
    is_local: bool
    params: Mapping[str, object] = field(default_factory=dict)


def fetch_data(
    source: str = REFERENCE,
    space: Space | str | None = None,
    how: Fetching | None = None,
    *,
    out: str | Path | None = None,
    log: Tracker = NOT_LOGGED,
    listener: Listener = SILENT,
) -> Fetched:
    """Bring latencies of measured networks, look-up tables, or trained weights into the data folder.

    Args:
        source: ``reference`` (random networks with the latencies of the built-in tables), the name of published data, a
            file, a folder or a URL.
        space: a space, or its name; only published data may do without.
        how: how to fetch; the defaults where None.
        out: folder to write to; the data folder where None.
        log: where it is logged.
        listener: told of the files before they are logged.

    Raises:
        InputError: no such source, space or file, or what does not go with the source.
        DataFileError, BlockprofError: a file that cannot be used, or a download that fails.
        TrackingError: the MLflow store does not answer.
    """
    folder = data_folder() if out is None else Path(out)
    chosen = load_space(space) if isinstance(space, str) else space
    plan = _plan(source, chosen, how or Fetching(), folder)
    if (path := Path(source)).is_dir() and (others := fetching.not_taken(path)):
        named = ", ".join([*(each.name for each in others[:_MOST_NAMED]), *["..."] * (len(others) > _MOST_NAMED)])
        endings = ", ".join(fetching.FOLDER_ENDINGS)
        listener.on_note(f"{source}: not understood and left out: {named} (files that end in {endings} are taken)")
    log.check()
    # What is wrong with local files is the user's to correct, before a run begins; a download may fail of itself.
    files = plan.fetch() if plan.is_local else []
    with log.run("fetch-data", plan.space.name if plan.space else None, listener) as record:
        files = files or plan.fetch()
        fetched = Fetched(source, tuple(files))
        listener.on_result(fetched)
        record(lambda run: fetches.record_fetch(run, files, source, {"out": folder, **plan.params}))
    return fetched


def _plan(source: str, space: Space | None, how: Fetching, folder: Path) -> _Plan:
    published = fetching.load_sources().get(source)
    _check_goes_with(source, published, how)
    if published:
        return _published(published, space, how, folder)
    _check_is_there(source)
    if space is None:
        raise InputError(
            Said("no {}", Argument("space")), remedy=f"give one: only published data may do without, see {_LIST}"
        )
    if source == REFERENCE:
        names = list(how.metrics or REFERENCE_METRICS)
        nets = REFERENCE_NETS if how.num_nets is None else how.num_nets
        params = {"metrics": ",".join(names), "num_nets": nets, "seed": how.seed}
        return _Plan(partial(fetching.fetch_reference, space, names, folder, nets, how.seed), space, True, params)
    fetch = partial(fetching.fetch, source, folder, sha256=how.sha256, space=space, progress=how.progress)
    return _Plan(fetch, space, "://" not in source)


def _check_is_there(source: str) -> None:
    """Refuse a name that is of nothing: mistyped, as a rule.

    Raises:
        InputError: there is no such published data, file or folder.
    """
    if source != REFERENCE and "://" not in source and not Path(source).exists():
        raise InputError(
            "there is no such published data, file or folder",
            where=Argument("source", source),
            remedy=f"check the path, or use {REFERENCE}, {', '.join(fetching.load_sources())}, which {_LIST} shows",
            code="no-such-source",
        )


def _published(source: Source, space: Space | None, how: Fetching, folder: Path) -> _Plan:
    chosen = source.select(list(how.files), space.name if space else None)
    spaces = {name for file in chosen for name in file.spaces}
    mirror = how.mirror or os.environ.get(_MIRROR)
    fetch = partial(fetching.fetch_published, source, chosen, folder, mirror=mirror, progress=how.progress)
    of = space or (load_space(spaces.pop()) if len(spaces) == 1 else None)
    return _Plan(fetch, of, False, {"mirror": mirror} if mirror else {})


def _check_goes_with(source: str, published: Source | None, how: Fetching) -> None:
    """Refuse what another kind of source takes.

    Raises:
        InputError: it was given.
    """
    reference = Argument("source", REFERENCE)
    for name, given, goes, what in (
        ("metrics", how.metrics is not None, source == REFERENCE, Said("for {}", reference)),
        ("num_nets", how.num_nets is not None, source == REFERENCE, Said("for {}", reference)),
        ("files", bool(how.files), published, Said("for published data")),
        ("mirror", bool(how.mirror), published, Said("for published data")),
        ("sha256", bool(how.sha256), not published and source != REFERENCE, Said("for a file or a URL")),
    ):
        if given and not goes:
            seen = f", or see {_LIST}" if name in ("files", "mirror") else ""
            raise InputError(Said("{} is {}", Argument(name), what), remedy=f"leave it out with {source}{seen}")
