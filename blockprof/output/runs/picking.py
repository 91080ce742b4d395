"""A network of a search that was logged."""

from dataclasses import dataclass

from blockprof import tracking
from blockprof.foundation.errors import Argument, InputError
from blockprof.spaces import Architectures, load_space

FRONT = "front"
"""The table of the best networks in a search's run."""

SEARCH = "search"


@dataclass(frozen=True, eq=False)
class PickedNetwork:
    """One network, ``archs`` being a batch of one, and the resolution, in pixels, that it was searched for at."""

    archs: Architectures
    resolution: int


def pick_network(run: str, number: int) -> PickedNetwork:
    """Find a network of a search's answer again.

    Args:
        run: id or name of a run of ``blockprof search``, or ``latest``.
        number: of the network, from 1, in the order of its ``front.csv``.

    Raises:
        InputError: no such run, a run that is no search or has no front, or no network of that number.
        TrackingError: the store does not answer.
    """
    record = tracking.find_run(run, SEARCH)
    if record.command != SEARCH:
        of = f"of `blockprof {record.command}`" if record.command else "not blockprof's"
        raise InputError(f"run {record.name} is {of}", remedy="give a run of `blockprof search`")
    if FRONT not in tracking.list_frames(record):
        raise InputError(
            f"run {record.name} ({record.status}) has no {FRONT}.csv", remedy="give a search that has finished"
        )
    nets = tracking.load_frame(record, FRONT)["net_str"].tolist()
    if not 1 <= number <= len(nets):
        raise InputError(
            f"run {record.name} has {len(nets)} best networks",
            where=Argument("number", number),
            remedy=f"give 1 to {len(nets)}",
        )
    archs = Architectures.from_strings(load_space(record.space), [nets[number - 1]])
    return PickedNetwork(archs, int(record.params["resolution"]))
