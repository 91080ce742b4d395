"""Where the metric ``accuracy`` comes from."""

from typing import Final, Literal, get_args

from blockprof.foundation.choices import check_choice

AccuracySource = Literal["supernet", "ofa-predictor", "reference"]
ACCURACY_SOURCES: tuple[AccuracySource, ...] = get_args(AccuracySource)
OFA_PREDICTOR: Final = "ofa-predictor"
"""Networks evaluated in OFA's supernet, OFA's accuracy predictor (``mbv3``), the built-in reference table."""


def check_accuracy_source(name: str) -> AccuracySource:
    """Return ``name`` as a source of accuracy.

    Raises:
        InputError: there is no such source.
    """
    return check_choice(name, "accuracy source", ACCURACY_SOURCES)


def choose_accuracy_source(name: str | None, *, has_images: bool) -> AccuracySource:
    """The source called ``name``; where None, the supernet if there are images to evaluate on, else the table.

    Raises:
        InputError: there is no such source.
    """
    if name is None:
        return "supernet" if has_images else "reference"
    return check_accuracy_source(name)
