"""The blocks of each place against each other, in two profiles: what suits one target and not the other.

A placement's contrast is its effect less the mean effect of all blocks at its place: what is due to the block, not to
the layer's being there. Ranks are among the blocks of a place.
"""

from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd

from blockprof.comparing.ranks import SIDES, bounds_of, ranked

PLACE = ["unit", "layer"]
_THIRD = 1 / 3


def contrasts(placements: pd.DataFrame) -> pd.DataFrame:
    """One metric's placements of single blocks, at places of several, with ``contrast`` and its interval.

    Profiles that were logged without contrasts have those of their effects; their intervals are the effects', which
    are too wide rather than too narrow.
    """
    rows = placements[placements["block"].notna()].copy()
    rows = rows[rows.groupby(PLACE)["block"].transform("size") > 1]
    if "contrast" not in rows or rows["contrast"].isna().any():
        shared = rows.groupby(PLACE)["effect"].transform("mean")
        for end in ("", "_lower", "_upper"):
            rows[f"contrast{end}"] = rows[f"effect{end}"] - shared
    return rows


def compare_places(
    first: pd.DataFrame, second: pd.DataFrame, levels: tuple[float, float], practical: tuple[float, float]
) -> pd.DataFrame:
    """A row for each placement that two metrics both have, ranked among the blocks of its place.

    Columns: ``name``, ``unit``, ``layer``, ``block``; ``first`` with ``first_lower`` and ``first_upper``, the contrast
    in percent of ``levels``, and ``second`` likewise; their ranks, ``rank_change`` and ``beyond`` as in ``MetricPair``;
    ``num_blocks``, how many there are at the place; ``apart``, second less first, and ``is_apart``, whether that is
    beyond both intervals and matters.

    Args:
        first: the placements of one metric, as a profile's tables have them.
        second: those of the other.
        levels: what 100 % is: each metric's mean of random networks, or 100 where contrasts stay as they are.
        practical: for each metric, how far contrasts are apart that matter, in its unit.
    """
    ends = ("", "_lower", "_upper")
    sides = []
    for side, frame, level in zip(SIDES, (first, second), levels, strict=True):
        rows = contrasts(frame)
        values = {f"{side}{end}": 100 / level * rows[f"contrast{end}"] for end in ends}
        sides.append(rows[["placement", *PLACE, "block"]].assign(**values))
    both = (
        sides[0].merge(sides[1].drop(columns=[*PLACE, "block"]), on="placement").rename(columns={"placement": "name"})
    )
    shares = tuple(100 * each / level for each, level in zip(practical, levels, strict=True))
    places = []
    for _, rows in both.groupby(PLACE, sort=False):
        bounds = {side: bounds_of(rows, [f"{side}{end}" for end in ends]) for side in SIDES}
        places.append(ranked(rows.copy(), bounds, (shares[0], shares[1])).assign(num_blocks=len(rows)))
    if not places:
        return pd.DataFrame()
    rows = pd.concat(places, ignore_index=True)
    first_half, second_half = ((rows[f"{side}_upper"] - rows[f"{side}_lower"]) / 2 for side in SIDES)
    rows["apart"] = rows["second"] - rows["first"]
    rows["is_apart"] = rows["apart"].abs() > np.hypot(first_half, second_half) + max(shares)
    return rows


def most_changed(places: pd.DataFrame) -> pd.DataFrame:
    """The rows whose rank changes beyond the intervals, those first whose share of a network differs most."""
    return _most_apart(places[places["beyond"] != 0]) if len(places) else places


def most_apart(places: pd.DataFrame) -> pd.DataFrame:
    """The rows whose share of a network differs beyond the intervals, the most first."""
    return _most_apart(places[places["is_apart"]]) if len(places) else places


def _most_apart(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.loc[rows["apart"].abs().sort_values(ascending=False, kind="stable").index]


def matters_nowhere(places: pd.DataFrame, side: str) -> bool:
    """Whether on one side no block of any place is told from the others there."""
    return bool(
        (places[f"{side}_rank_least"] == 1).all() and (places[f"{side}_rank_most"] == places["num_blocks"]).all()
    )


def describe_rank(row: dict[Hashable, Any], side: str, higher_is_better: bool) -> str:
    """Where a block stands among those of its place: ``the most expensive``, ``among the cheapest third``."""
    rank, number = row[f"{side}_rank"], row["num_blocks"]
    if row[f"{side}_rank_least"] == 1 and row[f"{side}_rank_most"] == number:
        return "like any other"
    high, low = ("best", "worst") if higher_is_better else ("most expensive", "cheapest")
    if rank == 1:
        return f"the {high}"
    if rank == number:
        return f"the {low}"
    share = (rank - 0.5) / number
    if share < _THIRD:
        return f"among the {high} third"
    return f"among the {low} third" if share > 1 - _THIRD else "in the middle"


def correlation_by_place(places: pd.DataFrame) -> float:
    """The mean over places of the rank correlation (Spearman) of the blocks there; NaN where no place has one."""
    found = (
        [
            np.corrcoef(rows["first_rank"], rows["second_rank"])[0, 1]
            for _, rows in places.groupby(PLACE)
            if rows["first_rank"].nunique() > 1 and rows["second_rank"].nunique() > 1
        ]
        if len(places)
        else []
    )
    return float(np.mean(found)) if found else float("nan")
