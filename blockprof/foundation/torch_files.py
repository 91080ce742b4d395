"""Files that torch saved, read for their numbers: code in them does not run."""

import pickle
import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from blockprof.foundation.errors import DataFileError

_NAMED_CODE = re.compile(r"GLOBAL ([\w.]+)")


def read_torch_file(path: Path, remedy: str, allowed: Sequence[Any] = ()) -> Any:
    """Read tensors, numbers, texts and containers of these, onto the CPU.

    Args:
        path: the file.
        remedy: what the error's message says to do, such as ``fetch it again``.
        allowed: types that may be in it besides, as ``torch.serialization.safe_globals`` takes them.

    Raises:
        DataFileError: there is no such file, or it is damaged, another file, or holds code, which does not run.
    """
    try:
        with warnings.catch_warnings(), torch.serialization.safe_globals(list(allowed)):
            # Of a pickle that torch did not write it warns first, and then refuses it.
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if named := _NAMED_CODE.search(str(error)):
            raise DataFileError(
                f"holds code ({named[1]}), which was not run, not numbers only: {remedy}",
                where=path,
                code="holds-code",
            ) from None
        raise DataFileError("is not a file that torch saved", where=path, remedy=remedy) from None
    except FileNotFoundError:
        raise DataFileError("there is no such file", where=path, remedy=remedy, code="no-such-file") from None
    except PermissionError as error:
        raise DataFileError(f"cannot be read ({error.strerror})", where=path, remedy="check the path") from error
    except (
        Exception
    ):  # torch's reader of pickles runs into anything where a file is none: it executes a damaged program
        raise DataFileError(
            "is cut off, or not a file that torch saved", where=path, remedy=remedy, code="not-a-torch-file"
        ) from None
