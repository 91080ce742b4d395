"""Errors by their codes, which stay as they are when the wording changes: ``raises(InputError, check=coded("x"))``."""

from collections.abc import Callable

from blockprof.foundation.errors import BlockprofError


def coded(code: str) -> Callable[[BlockprofError], bool]:
    """What ``pytest.raises`` takes as ``check``: the error has this code."""

    def check(error: BlockprofError) -> bool:
        assert error.code == code, f"{error.code}: {error}"
        return True

    return check
