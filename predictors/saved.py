"""A saved predictor of whatever kind."""

import json
from pathlib import Path

from blockprof.errors import DataFileError
from blockprof.predictors.blockwise import BlockwiseModel, load_blockwise
from blockprof.predictors.gru import GruModel, load_gru
from blockprof.predictors.model_files import MODEL_FILE


def load_predictor(folder: str | Path) -> BlockwiseModel | GruModel:
    """Load what a model's ``save`` wrote.

    Raises:
        DataFileError: the files are not there, or are not those of a predictor.
    """
    try:
        kind = json.loads((Path(folder) / MODEL_FILE).read_text(encoding="utf-8"))["kind"]
    except (OSError, ValueError, KeyError) as error:
        raise DataFileError(f"{folder}: not a saved predictor: {error}") from error
    return load_gru(folder) if kind == GruModel.kind else load_blockwise(folder)
