"""The report of profiles or targets beside each other."""

import numpy as np

from blockprof.comparing import ProfileComparison
from blockprof.comparing.places import most_apart, most_changed
from blockprof.comparing.profiles import MetricPair
from blockprof.output.charts.colours import heat_colour
from blockprof.output.charts.comparisons import effects_chart
from blockprof.output.charts.targets import PlaceMaps, place_maps, regret_panel
from blockprof.output.draw_svg import draw_panel, draw_panels
from blockprof.output.report.page import render
from blockprof.output.report.profiles import Cell

CHANGES_SHOWN = 20


def answer(comparison: ProfileComparison) -> list[str]:
    """What a comparison comes to, a sentence each, the most important first."""
    sentences = [sentence for pair in comparison.pairs for sentence in pair.story()]
    if comparison.targets:
        sentences += [comparison.targets.greatest().sentence(), *comparison.targets.verified_sentences()]
    return [*sentences, *comparison.left_out]


def comparison_report(comparison: ProfileComparison) -> str:
    """Write a comparison of profiles as an HTML page that needs nothing but itself.

    The answer in words, the regret of each pair of targets, maps of the blocks at each place, and the tables of each
    pair.
    """
    maps, targets = place_maps(comparison), comparison.targets
    return render(
        "comparison.html.j2",
        comparison=comparison,
        answer=answer(comparison),
        names=list(dict.fromkeys(name for pair in comparison.pairs for name in (pair.first, pair.second))),
        targets=targets,
        regrets=[draw_panel(regret_panel(targets, index)) for index in range(len(targets.fronts))] if targets else [],
        maps=maps,
        map_rows=_map_rows(maps) if maps else [],
        pairs=[
            {
                "pair": pair,
                "changed": _rows(pair),
                "effects": draw_panels(effects_chart(pair).panels, f"Effects on {pair.first} and {pair.second}"),
            }
            for pair in comparison.pairs
            if not pair.is_equal
        ],
    )


def _map_rows(maps: PlaceMaps) -> list[tuple[str, list[tuple[str, list[Cell]]]]]:
    """Each map's name and its rows of coloured cells, whose numbers show when pointed at."""
    found = []
    for index, name in enumerate(maps.names):
        badness, values = maps.badness(index), maps.values[index]
        rows = []
        for row, block in enumerate(maps.rows):
            cells = []
            for column, layer in enumerate(maps.columns):
                value = float(values[row, column])
                if np.isnan(value):
                    cells.append(Cell(""))
                    continue
                ground, ink = heat_colour(float(badness[row, column]))
                unit = next(unit for unit, first, last in maps.units if first <= column <= last)
                cells.append(
                    Cell(
                        "",
                        title=f"{unit}.l{layer}.{block}: {value:+.2f} %",
                        style=f"background:rgb{ground};color:{ink}",
                    )
                )
            rows.append((block, cells))
        found.append((name, rows))
    return found


def _rows(pair: MetricPair) -> list[dict[str, object]]:
    """The blocks that change rank at their place, or where none does, those whose share differs most."""
    changed = most_changed(pair.places)
    rows = changed if len(changed) else most_apart(pair.places)
    return [
        {
            "name": row["name"],
            "first": f"{row['first']:+.2f} %",
            "first_interval": _half(row, "first"),
            "first_rank": _rank(row, "first"),
            "second": f"{row['second']:+.2f} %",
            "second_interval": _half(row, "second"),
            "second_rank": _rank(row, "second"),
            "beyond": f"{row['beyond']:+d}" if row["beyond"] else "",
        }
        for row in rows.head(CHANGES_SHOWN).to_dict("records")
    ]


def _half(row: dict[object, object] | dict[str, object], side: str) -> str:
    half = (float(str(row[f"{side}_upper"])) - float(str(row[f"{side}_lower"]))) / 2
    return f"± {half:.2f}" if half > 0 else ""


def _rank(row: dict[object, object] | dict[str, object], side: str) -> str:
    rank, least, most = (row[f"{side}_{name}"] for name in ("rank", "rank_least", "rank_most"))
    return f"{rank}" if least == most else f"{rank} ({least} to {most})"
