"""Tables as files: a run's, or a result's."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from blockprof.foundation.choices import check_choice
from blockprof.foundation.errors import Argument, InputError
from blockprof.foundation.files import staged

if TYPE_CHECKING:
    import pandas as pd

Format = Literal["csv", "parquet"]
FORMATS: tuple[Format, ...] = get_args(Format)

TABLE_ENDINGS = (".csv", ".parquet", ".json")
"""Of the files that a table is written as."""
_ALL_DIGITS = 15
"""The most decimals that pandas writes."""


def is_table(path: Path) -> bool:
    """Whether a file's ending says that it is to hold a table."""
    return path.suffix.lower() in TABLE_ENDINGS


def check_table_path(path: Path) -> None:
    """Refuse a file that no table can be written as, before the work that finds it.

    Raises:
        InputError: another ending, or a folder of that name.
    """
    if not is_table(path):
        raise InputError(
            f"its ending is to be one of {', '.join(TABLE_ENDINGS)}", where=Argument("out", str(path)), code="ending"
        )
    if path.is_dir():
        raise InputError("is a folder", where=Argument("out", str(path)), remedy="name a file", code="is-a-folder")


def write_table(frame: "pd.DataFrame", path: Path) -> None:
    """Write a table as a file, whole or not at all; its ending decides the format.

    Raises:
        InputError: another ending, or a file that cannot be written.
    """
    check_table_path(path)
    with staged(path.parent) as folder:
        _writers()[path.suffix.lower()](frame, folder / path.name)


def as_json(frame: "pd.DataFrame") -> str:
    """A table as a list of objects, one a row; what is not a number is null."""
    text: str = frame.to_json(orient="records", indent=1, double_precision=_ALL_DIGITS, date_format="iso")
    return text if len(frame) else "[]"


def _writers() -> "Mapping[str, Callable[[pd.DataFrame, Path], object]]":
    return {
        ".csv": lambda frame, path: frame.to_csv(path, index=False),
        ".parquet": lambda frame, path: frame.to_parquet(path, index=False),
        ".json": lambda frame, path: path.write_text(as_json(frame) + "\n", encoding="utf-8"),
    }


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
            _writers()[f".{file_format}"](frame, stage / f"{name}.{file_format}")
    return [folder / f"{name}.{file_format}" for name in frames]
