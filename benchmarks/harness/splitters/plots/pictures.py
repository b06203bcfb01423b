"""Pictures without curves: the first picks, clients with a rhythm, and what exactness costs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from benchmarks.harness.documents.splitters import DIGITS, Split
from benchmarks.harness.splitters.plots.style import INK, clean, look_of, sheet
from benchmarks.harness.splitters.weights import canary_of

FIRST = 200
TIMES_MAX = 100
ROW_IN = 0.27
# From the heaviest target to the lightest: pale to loud.
_TARGETS = ("#e9eef2", "#56B4E9", "#009E73", "#CC79A7", "#F0E442", "#0072B2")
_CANARY = "#D55E00"


def strips(panels: Sequence[Sequence[Split]]) -> Figure:
    """Draw the first 200 requests: a row for each algorithm, the canary's in vermilion."""
    rows = len(panels[0])
    height = 1.25 + len(panels) * (rows * ROW_IN + 0.75)
    figure = sheet(
        13.5,
        height,
        "Who gets the first 200 requests?",
        "A row for each algorithm, a column for each request; vermilion: the canary, "
        "the target with the smallest share.",
    )
    for i, splits in enumerate(panels):
        bottom = height - 1.2 - (i + 1) * (rows * ROW_IN) - i * 0.75
        axes = figure.add_axes((0.115, bottom / height, 0.87, rows * ROW_IN / height))
        _strip(axes, splits)
    return figure


def _strip(axes: Axes, splits: Sequence[Split]) -> None:
    percents = splits[0].percents
    canary = canary_of([round(100 * percent) for percent in percents])
    others = sorted((i for i in range(len(percents)) if i != canary), key=lambda i: -percents[i])
    colours = {i: _TARGETS[min(at, len(_TARGETS) - 1)] for at, i in enumerate(others)}
    colours[canary] = _CANARY
    picks = np.array([[DIGITS.index(d) for d in each.first_picks[:FIRST]] for each in splits])
    colourmap = ListedColormap([colours[i] for i in range(len(percents))])
    axes.pcolormesh(picks[::-1], cmap=colourmap, vmin=-0.5, vmax=len(percents) - 0.5)
    for row in range(1, len(splits)):
        axes.axhline(row, color="white", linewidth=3)
    _name_rows(axes, [each.algorithm for each in splits])
    axes.set_xticks([0, *range(20, picks.shape[1] + 1, 20)])
    axes.set_title(splits[0].weights, loc="left", size=11, weight="bold", color="#333333")


def rhythms(panels: Sequence[Sequence[Split]]) -> Figure:
    """Draw, by the period of a client, how uneven its requests are split."""
    rows = len(panels[0])
    height = 1.95 + rows * ROW_IN
    figure = sheet(
        7.6 * len(panels),
        height,
        "Which algorithms fall into step with a client?",
        "A client repeats a cycle of requests. How many times its share the canary got of one of "
        "them: 1 is even. White: too few canaries to tell.",
    )
    width = 1 / len(panels)
    for i, splits in enumerate(panels):
        left = i * width + 0.145 / len(panels)
        axes = figure.add_axes(
            (left, 0.55 / height, width - 0.165 / len(panels), rows * ROW_IN / height)
        )
        _heat(axes, splits)
    return figure


def _heat(axes: Axes, splits: Sequence[Split]) -> None:
    periods = sorted({int(period) for each in splits for period in each.aliasing})
    times = np.array(
        [[each.aliasing.get(str(period), np.nan) for period in periods] for each in splits]
    )
    shown = np.ma.masked_invalid(np.clip(times, 1, TIMES_MAX))
    axes.pcolormesh(shown[::-1], cmap="YlOrBr", norm=LogNorm(0.9, TIMES_MAX), linewidth=0)
    for row, values in enumerate(times[::-1]):
        for column, value in enumerate(values):
            if value >= 1.45:
                text = f"{value:.0f}" if value >= 9.95 else f"{value:.1f}"
                colour = "white" if value > 14 else INK
                axes.text(
                    column + 0.5, row + 0.48, text, ha="center", va="center", size=7, color=colour
                )
    for row in range(1, len(splits)):
        axes.axhline(row, color="white", linewidth=1.5)
    for column in range(1, len(periods)):
        axes.axvline(column, color="white", linewidth=1.5)
    _name_rows(axes, [each.algorithm for each in splits])
    axes.set_xticks([i + 0.5 for i in range(len(periods))], [str(period) for period in periods])
    axes.set_xlabel("requests in the client's cycle", size=9, color="#444444")
    axes.set_title(splits[0].weights, loc="left", size=11, weight="bold", color="#333333")


def _name_rows(axes: Axes, names: Sequence[str]) -> None:
    axes.set_yticks([len(names) - row - 0.5 for row in range(len(names))], list(names))
    clean(axes)
    axes.grid(visible=False)
    for label, name in zip(axes.get_yticklabels(), names, strict=True):
        label.set_color(look_of(name).colour if name in ("stratified", "exact") else "#333333")
        label.set_fontweight("bold" if name in ("stratified", "exact") else "normal")


def costs(splits: Sequence[Split]) -> Figure:
    """Draw what a pick costs beside the worst lag, over all weights."""
    figure = sheet(
        9.5,
        6.8,
        "What does exactness cost?",
        "Worst lag over all weights beside nanoseconds for a pick in this Python, the slowest "
        "weights; both logarithmic. Best: bottom left.",
    )
    axes = figure.add_axes((0.085, 0.09, 0.88, 0.76))
    points = {}
    for name in dict.fromkeys(each.algorithm for each in splits):
        own = [each for each in splits if each.algorithm == name]
        points[name] = (max(s.worst_lag_requests for s in own), max(s.pick_ns for s in own))
    axes.set_xscale("log")
    axes.set_yscale("log")
    clean(axes)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
        axis.set_minor_formatter(FuncFormatter(lambda _value, _: ""))
    axes.axvline(1, color="#d4d4d4", linewidth=5, zorder=1)
    for name, (lag, ns) in points.items():
        axes.scatter([lag], [ns], s=80, color=look_of(name).colour, zorder=4, edgecolor="white")
    xs, ys = zip(*points.values(), strict=True)
    axes.set_xlim(min(xs) / 1.6, max(xs) * 2.6)
    axes.set_ylim(min(ys) / 1.5, max(ys) * 1.6)
    _label_points(axes, points)
    axes.set_xlabel("worst lag, requests", size=9, color="#444444")
    axes.set_ylabel("ns per pick", size=9, color="#444444")
    return figure


def _label_points(axes: Axes, points: dict[str, tuple[float, float]]) -> None:
    """Write each name beside its point, where it covers no other name or point."""
    scale = 72 / axes.figure.dpi
    centres = {
        name: tuple(float(value) * scale for value in axes.transData.transform(point))
        for name, point in points.items()
    }
    taken = [(x - 5, y - 5, x + 5, y + 5) for x, y in centres.values()]
    for name, (x, y) in centres.items():
        width, tall = 5.3 * len(name), 10.0
        left, right, middle = -8.0 - width, 8.0, -width / 2
        options = [(right, 1.5 - tall / 2), (left, 1.5 - tall / 2), (middle, 7.0), (middle, -17.0)]
        options += [(dx, dy) for dx in (right, left) for dy in (5.0, -15.0, 12.0, -22.0)]
        boxes = [(x + dx, y + dy, x + dx + width, y + dy + tall) for dx, dy in options]
        at = next((i for i, box in enumerate(boxes) if not _covers(box, taken)), 0)
        taken.append(boxes[at])
        axes.annotate(
            name,
            points[name],
            xytext=options[at],
            textcoords="offset points",
            size=9,
            color=look_of(name).colour if look_of(name).colour != "#8a8a8a" else "#666666",
            weight="bold" if name in ("stratified", "exact") else "normal",
        )


Box = tuple[float, float, float, float]


def _covers(box: Box, others: Sequence[Box]) -> bool:
    return any(
        box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3]
        for other in others
    )
