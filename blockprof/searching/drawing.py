"""Drawing networks that were not evaluated before."""

from collections.abc import Callable

from blockprof.searching.archive import Archive
from blockprof.spaces import Architectures

MAX_TRIES = 20
"""How often networks are drawn again for those that were evaluated before."""

LEAST_DRAWN = 100
"""Networks drawn in each further try, however few are missing."""


def draw_new(archive: Archive, draw: Callable[[int], Architectures], n: int) -> Architectures:
    """Draw N networks that are not in the archive; fewer where ``MAX_TRIES`` find no more."""
    found = archive.new_among(draw(n))
    for _ in range(MAX_TRIES):
        if len(found) >= n:
            break
        more = draw(max(n - len(found), LEAST_DRAWN))
        found = archive.new_among(Architectures.concatenate([found, more]))
    return found[:n]
