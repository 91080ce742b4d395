"""The resolutions that a space takes."""

from blockprof.foundation.errors import MetricError
from blockprof.spaces.definition import Space


def check_resolution(space: Space, resolution: int) -> None:
    """Refuse a resolution that the space cannot take.

    Raises:
        MetricError: it is not one of ``space.resolutions``.
    """
    allowed = space.resolutions
    if resolution not in allowed:
        raise MetricError(
            f"resolution {resolution}: {space.name} takes {allowed[0]} to {allowed[-1]} in steps of {allowed.step}",
            code="no-such-resolution",
        )
