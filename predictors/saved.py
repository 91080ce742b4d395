"""A saved predictor of whatever kind."""

from pathlib import Path

from blockprof.foundation.errors import DataFileError
from blockprof.predictors.kinds import PREDICTORS
from blockprof.predictors.model_files import MODEL_FILE, read_facts
from blockprof.predictors.prediction import Predictor


def load_predictor(folder: str | Path) -> Predictor:
    """Load what a model's ``save`` wrote, by the kind that it names: one of blockprof's, or of an installed package.

    Raises:
        DataFileError: the files are not there, are not those of a predictor, or are of a kind that is not installed.
    """
    folder = Path(folder)
    name = read_facts(folder)["kind"]
    kind = PREDICTORS.find(name)
    if kind is None:
        raise DataFileError(
            f"is a predictor of kind '{name}', which is not known here",
            where=folder / MODEL_FILE,
            remedy=f"there are {', '.join(PREDICTORS.names())}: install the package that has it",
            code="unknown-kind",
        )
    return kind.load(folder)
