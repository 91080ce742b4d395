"""A run's tables as files."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from blockprof.foundation.choices import check_choice
from blockprof.foundation.errors import InputError
from blockprof.foundation.files import staged

if TYPE_CHECKING:
    import pandas as pd

Format = Literal["csv", "parquet"]
FORMATS: tuple[Format, ...] = get_args(Format)


def write_frames(frames: "Mapping[str, pd.DataFrame]", folder: Path, file_format: Format) -> list[Path]:
    """Write each frame as ``<name>.csv`` or ``<name>.parquet`` into ``folder``; all of them or none.

    Raises:
        InputError: an unknown format, no frame, or a folder that cannot be written to.
    """
    check_choice(file_format, "format", FORMATS)
    if not frames:
        raise InputError("the run holds no tables", remedy="export one of profile, train-predictor or fetch-data")
    with staged(folder) as stage:
        for name, frame in frames.items():
            path = stage / f"{name}.{file_format}"
            if file_format == "csv":
                frame.to_csv(path, index=False)
            else:
                frame.to_parquet(path, index=False)
    return [folder / f"{name}.{file_format}" for name in frames]
