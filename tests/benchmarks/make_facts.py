"""Write the facts that built-in spaces bring along: ``blockprof/spaces/library/<space>/facts.csv``.

Run with: python tests/benchmarks/make_facts.py [SPACE ...]

Counts each space's instances with torchprofile and reads their graphs, at several resolutions, and solves for how each
quantity follows from the areas of input and output. It fails where that is not exact; it takes a minute a space.
"""

import csv
import sys
from importlib.metadata import version
from itertools import combinations
from pathlib import Path

import numpy as np

from blockprof.networks.facts import count_pieces, read_graphs
from blockprof.spaces import Space, load_space, space_names
from blockprof.spaces.facts import HEADER, area_terms, parts_of

LIBRARY = Path(__file__).parents[2] / "blockprof" / "spaces" / "library"
SIZES = (128, 132, 168, 196, 228)
"""Of different sizes after any number of halvings."""


def main(names: list[str]) -> None:
    for name in names or space_names():
        write_facts(load_space(name), LIBRARY / name.replace("-w1.0", "_w1") / "facts.csv")


def write_facts(space: Space, file: Path) -> None:
    """Write a space's facts, if they are exact."""
    sizes = list(SIZES if set(SIZES) <= set(space.resolutions) else space.resolutions[: len(SIZES)])
    known = [count_pieces(space, size) for size in sizes]
    for at_size, size in zip(known, sizes, strict=True):
        for index, instance in enumerate(space.instances):
            row = {name: float(values[index]) for name, values in read_graphs(space, size).values.items()}
            at_size[instance.name] = at_size[instance.name] | row
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([space.digest, f"torchprofile {version('torchprofile')}"])
        writer.writerow(HEADER)
        for name, part in parts_of(space).items():
            for quantity in known[0][name]:
                amounts = np.array([at_size[name][quantity] for at_size in known])
                if amounts.any():
                    terms = np.array([area_terms(part, size) for size in sizes])
                    writer.writerow([name, quantity, *map(_text, solve(terms, amounts))])
    print(f"{file}: {file.stat().st_size:,} bytes")


def solve(terms: np.ndarray, amounts: np.ndarray) -> np.ndarray:
    """The coefficients of the fewest, first terms that give all amounts exactly."""
    for columns in (list(some) for number in range(1, 5) for some in combinations(range(terms.shape[1]), number)):
        found, *_ = np.linalg.lstsq(terms[:, columns] / terms[:, columns].max(axis=0), amounts, rcond=None)
        coefficients = np.zeros(terms.shape[1])
        coefficients[columns] = np.round(found / terms[:, columns].max(axis=0), 6)
        if np.array_equal(terms @ coefficients, amounts):
            return coefficients
    raise SystemExit(f"no sum of areas gives {amounts} for {terms}")


def _text(value: float) -> str:
    return f"{value:.15g}"


if __name__ == "__main__":
    main(sys.argv[1:])
