"""The colours of heat maps, on paper, on a page and in a terminal."""

import numpy as np

from blockprof.foundation.arrays import FloatArray

Colour = tuple[int, int, int]
"""Red, green and blue, of 255."""

# ColorBrewer's RdYlBu, from its blue end: told apart also by those who do not tell red from green.
_ANCHORS = np.array(
    [
        (49, 54, 149), (69, 117, 180), (116, 173, 209), (171, 217, 233), (224, 243, 248), (255, 255, 191),
        (254, 224, 144), (253, 174, 97), (244, 109, 67), (215, 48, 39), (165, 0, 38),
    ],
    dtype=float,
)  # fmt: skip
STEPS = 256


def scale() -> FloatArray:
    """(256, 3): the colours from the best to the worst, each part of 255."""
    places = np.linspace(0, len(_ANCHORS) - 1, STEPS)
    return np.stack([np.interp(places, np.arange(len(_ANCHORS)), part) for part in _ANCHORS.T], axis=1)


def heat_colour(badness: float) -> tuple[Colour, str]:
    """The ground of a value from the best, 0, to the worst, 1, and black or white to write on it."""
    red, green, blue = (round(float(part)) for part in scale()[min(int(badness * STEPS), STEPS - 1)])
    return (red, green, blue), "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 127 else "white"
