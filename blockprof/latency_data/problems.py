"""What is wrong in the rows of a file, told in one line."""

from dataclasses import dataclass

from blockprof.foundation.errors import DataFileError, Place
from blockprof.latency_data.cells import one_line


@dataclass(frozen=True)
class Problem:
    """What is wrong in a row; ``told`` are the lines of all rows that the text speaks of, where it is not one only."""

    line: int
    column: str
    text: str
    code: str
    remedy: str = "correct or remove the row"
    told: frozenset[int] = frozenset()


def error_of(problems: list[Problem], origin: str) -> DataFileError:
    """One line: the first problem, and how many other rows have one."""
    first = min(problems, key=lambda problem: problem.line)
    others = len({problem.line for problem in problems} - {first.line} - first.told)
    more = f" (and {others} more {'row has' if others == 1 else 'rows have'} problems)" if others else ""
    return DataFileError(
        one_line(first.text, 400),
        where=Place(origin, first.line, first.column or None),
        remedy=f"{first.remedy}{more}",
        code=first.code,
    )
