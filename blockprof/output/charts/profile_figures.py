"""Figures: of a profile, the response heat map (paper Figs. 2-4) and effect curves by placement (Figs. 5-7); of a
predictor, predicted against measured latencies.
"""

from typing import TYPE_CHECKING

import numpy as np

from blockprof.foundation.arrays import FloatArray
from blockprof.profiling import HeldOut, MetricProfile, Profile
from blockprof.spaces import Space

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from blockprof.latency_data import LatencyData
    from blockprof.predictors import TrainedPredictor

GOOD_TO_BAD = "RdYlBu_r"
ROW_COLOURS = ("#56b4e9", "#e69f00", "#7b1fa2")
ROW_MARKERS = ("o", "s", "D")
GREY = "#555555"


def caption(profile: Profile, metric: MetricProfile) -> str:
    """What the numbers are and where they come from; stands under every figure."""
    how = f"{metric.num_archs:,} networks a placement" if metric.method == "sampled" else metric.method
    if metric.method == "exact" and metric.has_intervals:
        how = "exact for the predictor, with intervals of what its training leaves open"
    if metric.check:
        size = f"{metric.num_archs:,} networks in all"
        how = f"additive surrogate, pooled, {size}; held out: {describe_check(metric.check)}"
    return (
        f"{profile.space.title} ({profile.space.name}) at resolution {profile.resolution}. {metric.info.label}: "
        f"{metric.info.provenance}. Sampler {profile.sampler}, {how}."
    )


def describe_check(check: HeldOut) -> str:
    """How well networks left out of the pool are predicted, in a few words."""
    error, unit = ("MAPE", "%") if check.relative else ("mean error", "points")
    return (
        f"{error} {check.mape_percent:.2f} {unit}, Spearman {check.spearman:.3f}, {check.coverage_percent:.0f} % in "
        f"90 % intervals, not additive {check.remainder_percent:.2f} {unit}"
    )


def response_heatmap(profile: Profile, metric: MetricProfile) -> "Figure":
    """Draw one metric's block responses, by the two things that tell blocks apart; blue is better, red worse."""
    responses = profile.response_frame()
    rows = responses[responses["metric"] == metric.info.name]
    by_block = dict(zip(rows.block, rows.response, strict=True))
    down, across = profile.space.axes
    grid = np.array([by_block.get(block.name, np.nan) for block in profile.space.blocks])
    grid = grid.reshape(len(down.labels), len(across.labels))[::-1]
    figure = new_figure((5.4, 4.4))
    axes = figure.add_subplot()
    image = axes.imshow(
        grid, cmap=GOOD_TO_BAD if not metric.info.higher_is_better else GOOD_TO_BAD.removesuffix("_r"), aspect="auto"
    )
    for row, column in np.ndindex(grid.shape):
        value = float(grid[row, column])
        if not np.isnan(value):
            _, ink = heat_colour(value, grid, higher_is_better=metric.info.higher_is_better)
            axes.text(
                column,
                row,
                format_value(value, grid, metric.known_to),
                ha="center",
                va="center",
                color=ink,
                fontsize=12,
            )
    axes.set_xticks(range(len(across.labels)), across.labels)
    axes.set_yticks(range(len(down.labels)), reversed(down.labels))
    axes.set_xlabel(across.name)
    axes.set_ylabel(down.name)
    axes.set_title(f"Block response: {metric.info.label}")
    figure.colorbar(image, ax=axes, label=metric.info.label)
    write_caption(figure, caption(profile, metric))
    return figure


def effect_curves(profile: Profile, metric: MetricProfile) -> "Figure":
    """Draw one metric's effects against the place in the network: a panel a kernel size, a line an expansion ratio.

    Of bottlenecks: a panel an expansion ratio, a line a width ratio.
    """
    frame = profile.placement_frame()
    rows = frame[(frame["metric"] == metric.info.name) & frame["block"].notna()]
    space = profile.space
    effects = {
        column: np.full((space.num_slots, len(space.blocks)), np.nan)
        for column in ("effect", "effect_lower", "effect_upper")
    }
    block_index = {block.name: index for index, block in enumerate(space.blocks)}
    for _, row in rows.iterrows():
        slot = space.unit_slots[row["unit"] - 1].start + row["layer"] - 1
        for column, values in effects.items():
            values[slot, block_index[row["block"]]] = row[column]
    figure = new_figure((13.5, 4.8))
    down, across = space.axes
    panels = figure.subplots(1, len(across.labels), sharey=True)
    for index, (axes, label) in enumerate(zip(panels, across.labels, strict=True)):
        _draw_effects(axes, space, index, effects, shade_interval=metric.num_archs is not None)
        axes.set_title(f"{across.name} {label}", pad=18)
    panels[0].set_ylabel(f"effect on {metric.info.label}")
    panels[-1].legend(title=down.name, loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
    better = "higher" if metric.info.higher_is_better else "lower"
    figure.suptitle(f"Effect of a block by place, against random networks (0): {metric.info.label}, {better} is better")
    write_caption(figure, caption(profile, metric))
    return figure


def predicted_against_measured(trained: "TrainedPredictor", test: "LatencyData") -> "Figure":
    """Draw the test networks: predicted latency with its 90 % interval against the file's, and the relative error."""
    model, scores = trained.model, trained.test.scores
    prediction = model.predict(test.archs, test.resolutions)
    bounds = (prediction.latency_ms, prediction.lower_ms, prediction.upper_ms)
    errors_percent = 100 * (prediction.latency_ms / test.latencies_ms - 1)
    label = f"latency in the file, {test.device} (ms)"
    figure = _predicted_against(test.latencies_ms, *bounds, label, "ms", errors_percent)
    figure.suptitle(
        f"{model.space.title} ({model.space.name}), predictor of {model.metric}: {len(test)} test networks, "
        f"MAPE {scores.mape_percent:.2f} %, Spearman {scores.spearman:.4f}"
    )
    return figure


def left_out_against_measured(profile: Profile, metric: MetricProfile, check: HeldOut) -> "Figure":
    """Draw a pool: each network as predicted without it, with its 90 % interval, against what it was measured to be."""
    bounds = (check.predicted, check.lower, check.upper)
    label = f"{metric.info.label}, {metric.info.origin}"
    figure = _predicted_against(check.values, *bounds, label, metric.info.unit, check.errors_percent)
    if not check.relative:
        figure.axes[1].set_ylabel("error (percentage points)")
    figure.suptitle(f"{len(check.networks)} networks, each predicted by the surrogate fitted without it")
    write_caption(figure, caption(profile, metric))
    return figure


def _predicted_against(
    values: FloatArray,
    predicted: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    label: str,
    unit: str,
    errors_percent: FloatArray,
) -> "Figure":
    figure = new_figure((10.5, 4.8))
    left, right = figure.subplots(1, 2)
    ends = [min(values.min(), predicted.min()), values.max()]
    left.plot(ends, ends, color=GREY, linewidth=0.8)
    left.errorbar(
        values, predicted, np.stack([predicted - lower, upper - predicted]), fmt="o", markersize=3, color="#1f77b4",
        ecolor="#b8d4ea", elinewidth=1,
    )  # fmt: skip
    left.set_xlabel(label)
    left.set_ylabel(f"predicted ({unit}), with 90 % interval")
    right.axhline(0, color=GREY, linewidth=0.8)
    right.scatter(values, errors_percent, s=9, color="#1f77b4")
    right.set_xlabel(label)
    right.set_ylabel("error (%)")
    return figure


def heat_colour(value: float, among: FloatArray, *, higher_is_better: bool) -> tuple[tuple[int, int, int], str]:
    """The ground of a value in a heat map of ``among``, red, green and blue of 255, and black or white to write on it.

    Blue is better, red worse.
    """
    from matplotlib import colormaps

    low, high = np.nanmin(among), np.nanmax(among)
    share = (value - low) / (high - low) if high > low else 0.5
    shade = colormaps[GOOD_TO_BAD](float(1 - share if higher_is_better else share))
    red, green, blue = (round(255 * part) for part in shade[:3])
    return (red, green, blue), "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 127 else "white"


def format_value(value: float, among: FloatArray, known_to: float = 0.0) -> str:
    """Write a value with four digits, or as many as tell ``among`` apart, but no finer than it is known.

    ``known_to`` is the size of its error, in its unit: the last decimal is that of the error's first digit.
    """
    spread = float(np.nanmax(among) - np.nanmin(among))
    size = float(np.nanmax(np.abs(among)))
    if size >= 1e6:
        return f"{value / 1e6:,.1f}M"
    digits = 4 if size == 0 else 3 - int(np.floor(np.log10(size)))
    if spread > 0:
        digits = max(digits, 1 - int(np.floor(np.log10(spread))))
    if known_to > 0:
        digits = min(digits, -int(np.floor(np.log10(known_to))))
    return f"{value:,.{min(max(digits, 0), 5)}f}"


def new_figure(size: tuple[float, float]) -> "Figure":
    """A figure outside of pyplot: no window system, nothing to close."""
    from matplotlib.figure import Figure

    return Figure(figsize=size, layout="constrained", dpi=110)


def write_caption(figure: "Figure", text: str) -> None:
    """Write below a figure what its numbers are and where they come from."""
    width = figure.get_figwidth() * 13
    lines, line = [], ""
    for word in text.split():
        if len(line) + len(word) > width:
            lines.append(line)
            line = ""
        line = f"{line} {word}".strip()
    figure.supxlabel("\n".join([*lines, line]), fontsize=8, color=GREY)


def _draw_effects(
    axes: "Axes", space: Space, column: int, effects: dict[str, FloatArray], *, shade_interval: bool
) -> None:
    for number, slots in enumerate(space.unit_slots, start=1):
        if number % 2 == 0:
            axes.axvspan(slots.start - 0.5, slots.stop - 0.5, color="#f0f0f0", zorder=0)
    axes.axhline(0, color=GREY, linewidth=0.8)
    down, across = space.axes
    for row, (name, colour, marker) in enumerate(zip(down.labels, ROW_COLOURS, ROW_MARKERS, strict=True)):
        block = row * len(across.labels) + column
        for slots in space.unit_slots:
            places = np.arange(slots.start, slots.stop)
            axes.plot(
                places,
                effects["effect"][slots, block],
                color=colour,
                marker=marker,
                markersize=4,
                linewidth=1.4,
                label=name if slots.start == 0 else None,
            )
            if shade_interval:
                lower, upper = (effects[bound][slots, block] for bound in ("effect_lower", "effect_upper"))
                axes.fill_between(places, lower, upper, color=colour, alpha=0.2, linewidth=0)
    axes.set_xticks(range(space.num_slots), [str(layer + 1) for layer in space.slot_layer], fontsize=7)
    for number, slots in enumerate(space.unit_slots, start=1):
        axes.text(
            (slots.start + slots.stop - 1) / 2, 1.0, f"u{number}", ha="center", va="bottom", fontsize=8,
            transform=axes.get_xaxis_transform(), color=GREY,
        )  # fmt: skip
    axes.set_xlim(-0.5, space.num_slots - 0.5)
    axes.set_xlabel("unit (top), layer (bottom)")
    axes.grid(axis="y", linewidth=0.4)
