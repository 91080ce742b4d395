"""Asking a registered predictor, by the numbers that it consists of: no code from the registry runs.

Another's model is its code: it is asked only where the user has said that it may run.
"""

from typing import TYPE_CHECKING

from blockprof.foundation.errors import DataFileError, InputError, TrackingError
from blockprof.foundation.lazy import lazy_import

if TYPE_CHECKING:
    import mlflow
    import pandas as pd

    from blockprof import predictors
    from blockprof.latency_data import LatencyData
    from blockprof.tracking import OtherModel, StoredPredictor, translation
else:
    mlflow = lazy_import("mlflow")
    pd = lazy_import("pandas")
    predictors = lazy_import("blockprof.predictors")
    translation = lazy_import("blockprof.tracking.translation")


def predict_stored(predictor: "StoredPredictor", rows: "LatencyData") -> "pd.DataFrame":
    """What a registered predictor says of (N,) rows: N rows of ``latency_ms``, ``lower_ms`` and ``upper_ms``.

    Raises:
        InputError: it does not know a resolution, or the space, of the rows.
        TrackingError: its files are not those of a predictor.
    """
    title = f"{predictor.name} version {predictor.version}"
    try:
        model = predictors.load_predictor(predictor.folder)
    except DataFileError as error:
        raise TrackingError(error, where=f"loading {title}") from error
    try:
        said = model.predict(rows.archs, rows.resolutions)
    except InputError as error:
        raise InputError(error, where=title) from error
    return pd.DataFrame({"latency_ms": said.latency_ms, "lower_ms": said.lower_ms, "upper_ms": said.upper_ms})


def predict_by_code(model: "OtherModel", rows: "LatencyData") -> "pd.DataFrame":
    """What another's model says of (N,) rows, by running its code on their columns ``net`` and ``resolution``.

    Raises:
        InputError: it fails, or does not say a number ``latency_ms`` of each row.
        TrackingError: it cannot be fetched.
    """
    frame = rows.to_frame()[["net", "resolution"]].astype({"resolution": "int64"})
    with translation.translated(f"fetching {model.model_uri}"):
        folder = mlflow.artifacts.download_artifacts(model.model_uri)
    try:
        said = pd.DataFrame(mlflow.pyfunc.load_model(folder).predict(frame))
        return said.astype({"latency_ms": float}).set_axis(rows.to_frame().index)
    except Exception as error:  # whatever its code raises
        raise InputError(
            f"{model.model_uri} does not predict the rows' latency_ms: {translation.one_line(error)}"
        ) from error
