"""Asking a registered predictor, by the numbers that it consists of: no code from the registry runs."""

from typing import TYPE_CHECKING

from blockprof.errors import DataFileError, InputError, TrackingError

if TYPE_CHECKING:
    import pandas as pd

    from blockprof.latency_data import LatencyData
    from blockprof.tracking import StoredPredictor


def predict_stored(predictor: "StoredPredictor", rows: "LatencyData") -> "pd.DataFrame":
    """What a registered predictor says of (N,) rows: N rows of ``latency_ms``, ``lower_ms`` and ``upper_ms``.

    Raises:
        InputError: it does not know a resolution, or the space, of the rows.
        TrackingError: its files are not those of a predictor.
    """
    import pandas as pd

    from blockprof.predictors import load_predictor

    title = f"{predictor.name} version {predictor.version}"
    try:
        model = load_predictor(predictor.folder)
    except DataFileError as error:
        raise TrackingError(f"loading {title}: {error}") from error
    try:
        said = model.predict(rows.archs, rows.resolutions)
    except InputError as error:
        raise InputError(f"{title}: {error}") from error
    return pd.DataFrame({"latency_ms": said.latency_ms, "lower_ms": said.lower_ms, "upper_ms": said.upper_ms})
