"""Ranks of values that are known to intervals, and two profiles' rows side by side by them.

Ranks are by effect, response or contrast, 1 the greatest. An interval of values gives an interval of ranks: from one
more than the number of places that lie wholly above, to the last place that none wholly below could take. A rank has
changed beyond the intervals where the two intervals of ranks do not meet. Values that are apart by no more than what
matters in practice count as equal in these intervals, however well they are known.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from blockprof.foundation.arrays import FloatArray

Bounds = tuple[FloatArray, FloatArray, FloatArray]
"""(N,) values, and the lower and upper ends of their intervals."""
SAME = 1e-9
"""Values nearer than this, over their range, tie: sums in another order differ by as much."""
PRACTICAL_PERCENT = 0.5
"""Of a random network's value: effects nearer than this are equal in practice."""
PRACTICAL_POINTS = 0.05
"""The same for metrics that are percentages themselves, as accuracy is."""
SIDES = ("first", "second")
_RANK_COLUMNS = ("rank", "rank_least", "rank_most")
_ENDS = ("", "_lower", "_upper")


def practical_difference(random: pd.DataFrame) -> float:
    """How far values of a metric are apart that matter in practice; ``random`` has its random networks' row."""
    if random["unit_of_metric"].iloc[0] == "%":
        return PRACTICAL_POINTS
    return PRACTICAL_PERCENT / 100 * abs(float(random["mean"].iloc[0]))


def rank_intervals(
    values: FloatArray, lower: FloatArray, upper: FloatArray, practical: float = 0.0
) -> Iterator[FloatArray]:
    """The ranks of (N,) values, 1 the greatest, and the least and most that their intervals allow: three (N,).

    Intervals that are apart by no more than ``practical`` may be of equal values.
    """
    rounding = SAME * float(np.ptp(values)) if len(values) else 0.0
    slack = max(rounding, practical)
    yield 1 + (values[None, :] > values[:, None] + rounding).sum(axis=1)
    yield 1 + (lower[None, :] > upper[:, None] + slack).sum(axis=1)
    yield len(values) - (upper[None, :] < lower[:, None] - slack).sum(axis=1)


def side_by_side(
    frames: Sequence[pd.DataFrame], key: str, value: str, ranked_by: str, practical: tuple[float, float]
) -> pd.DataFrame:
    """The rows that two profiles both have, by ``key``, with both values, their intervals, ranks, and how these change.

    Args:
        frames: of each profile.
        key: the column that rows are told by; it is called ``name`` then.
        value: the column of the values, with ``<value>_lower`` and ``<value>_upper``.
        ranked_by: the column whose intervals decide on ranks: what all values of a profile share is no part of it.
        practical: for each profile, how far values are apart that matter.
    """
    names = [f"{column}{end}" for column in (value, ranked_by) for end in _ENDS]
    renamed = [
        frame[[key]].assign(**{f"{side} {index}": frame.get(name, np.nan) for index, name in enumerate(names)})
        for side, frame in zip(SIDES, frames, strict=True)
    ]
    rows = renamed[0].merge(renamed[1], on=key).rename(columns={key: "name"})
    for side in SIDES:
        rows = rows.rename(columns={f"{side} {index}": f"{side}{end}" for index, end in enumerate(_ENDS)})
    by = {side: bounds_of(rows, [f"{side} {index}" for index in range(3, 6)]) for side in SIDES}
    kept = [name for name in rows.columns.astype(str) if " " not in name]
    return ranked(rows[kept].copy(), by, practical)


def bounds_of(rows: pd.DataFrame, names: Sequence[str]) -> Bounds:
    """Three columns as arrays: values, and the lower and upper ends of their intervals."""
    values, lower, upper = (rows[name].to_numpy(dtype=float) for name in names)
    return values, lower, upper


def ranked(rows: pd.DataFrame, ranked_by: Mapping[str, Bounds], practical: tuple[float, float]) -> pd.DataFrame:
    """Rows with both ranks, by (N,) values with their lower and upper bounds of each side, and how these change."""
    for side, slack in zip(SIDES, practical, strict=True):
        for name, ranks in zip(_RANK_COLUMNS, rank_intervals(*ranked_by[side], slack), strict=True):
            rows[f"{side}_{name}"] = ranks
    rows["rank_change"] = rows["second_rank"] - rows["first_rank"]
    down = (rows["second_rank_least"] - rows["first_rank_most"]).clip(lower=0)
    rows["beyond"] = down - (rows["first_rank_least"] - rows["second_rank_most"]).clip(lower=0)
    return rows
