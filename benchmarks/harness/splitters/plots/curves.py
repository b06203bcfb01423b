"""Curves over the number of requests: the error of a share, and the worst lag so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from benchmarks.harness.documents.splitters import Split
from benchmarks.harness.splitters.plots.style import FAINT, clean, label_ends, look_of, sheet
from benchmarks.harness.splitters.theory import coin_error_percent, least_error_percent

TURNS_MAX = 10_000
Series = Mapping[str, Mapping[str, float]]


def error_curves(panels: Sequence[Sequence[Split]]) -> Figure:
    """Draw how far the canary's share is off over n requests in a row."""
    figure = sheet(
        6.9 * len(panels),
        6.6,
        "How wrong is the canary's share, seen over n requests in a row?",
        "Root mean square error, in percentage points; the n requests begin anywhere. "
        "Grey lines: theory, of a coin and of the least there can be.",
    )
    for axes, splits in zip(_panels(figure, len(panels)), panels, strict=True):
        share = min(splits[0].percents) / 100
        series = {each.algorithm: each.error_percent for each in splits}
        turns = [int(n) for n in splits[0].error_percent]
        floor = min(filter(None, (least_error_percent(share, n) for n in turns))) / 2
        for curve, words in (
            ([coin_error_percent(share, n) for n in turns], "a coin: √(p(1−p)/n)"),
            ([max(least_error_percent(share, n), floor) for n in turns], "least possible"),
        ):
            axes.plot(turns, curve, color="#d4d4d4", linewidth=7, solid_capstyle="round", zorder=1)
            axes.annotate(
                words,
                (turns[5], curve[5]),
                xytext=(4, 12) if "coin" in words else (-8, -16),
                textcoords="offset points",
                color=FAINT,
                size=8.5,
                ha="left" if "coin" in words else "right",
            )
        _draw(axes, series, floor)
        axes.set_ylabel("error, percentage points", size=9, color="#444444")
        _finish(axes, splits[0].weights, series, floor)
    return figure


def lag_curves(panels: Sequence[Sequence[Split]]) -> Figure:
    """Draw the worst lag of the first n requests."""
    figure = sheet(
        6.9 * len(panels),
        6.6,
        "Does the distance from what is due stay, or grow?",
        "The worst lag of any target within the first n requests, over all runs. "
        "Grey: √(n p (1−p)), a coin's spread, and one request.",
    )
    for axes, splits in zip(_panels(figure, len(panels)), panels, strict=True):
        share = min(splits[0].percents) / 100
        series = {each.algorithm: each.lag_by_turns for each in splits}
        turns = [int(n) for n in splits[0].lag_by_turns if int(n) <= TURNS_MAX]
        axes.axhline(1, color="#d4d4d4", linewidth=5, zorder=1)
        spread = [sqrt(n * share * (1 - share)) for n in turns]
        axes.plot(turns, spread, color="#d4d4d4", linewidth=5, zorder=1)
        _draw(axes, series, 0.01)
        axes.set_ylabel("worst lag so far, requests", size=9, color="#444444")
        _finish(axes, splits[0].weights, series, 0.01)
    return figure


def _panels(figure: Figure, count: int) -> list[Axes]:
    width = 1 / count
    return [
        figure.add_axes((i * width + 0.085 / count, 0.08, width - 0.27 / count, 0.77))
        for i in range(count)
    ]


def _draw(axes: Axes, series: Series, floor: float) -> None:
    for name, curve in series.items():
        look = look_of(name)
        points = [(int(n), max(value, floor)) for n, value in curve.items() if int(n) <= TURNS_MAX]
        axes.plot(
            [n for n, _ in points],
            [value for _, value in points],
            color=look.colour,
            linewidth=look.width,
            linestyle=look.dashes,
            zorder=4 if look.width > 2 else 3,
        )


def _finish(axes: Axes, weights: str, series: Series, floor: float) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(1, axes.dataLim.x1)
    clean(axes)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
        axis.set_minor_formatter(FuncFormatter(lambda _value, _: ""))
    axes.set_xlabel("requests, n", size=9, color="#444444")
    axes.set_title(weights, loc="left", size=11, weight="bold", color="#333333")
    ends = {
        name: max([value for n, value in curve.items() if int(n) <= TURNS_MAX][-1], floor)
        for name, curve in series.items()
    }
    label_ends(axes, ends, {name: look_of(name).colour for name in ends})
