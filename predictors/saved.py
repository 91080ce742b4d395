"""A saved predictor of whatever kind."""

from pathlib import Path

from blockprof.predictors.blockwise import BlockwiseModel, load_blockwise
from blockprof.predictors.gru import GruModel, load_gru
from blockprof.predictors.model_files import read_facts


def load_predictor(folder: str | Path) -> BlockwiseModel | GruModel:
    """Load what a model's ``save`` wrote.

    Raises:
        DataFileError: the files are not there, or are not those of a predictor.
    """
    return load_gru(folder) if read_facts(folder)["kind"] == GruModel.kind else load_blockwise(folder)
