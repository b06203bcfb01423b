"""Plots as inline SVG: drawn with the page's colours, titled for who cannot see them. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from benchmarks.harness.pages.markup import Element, element

Scale = Callable[[float], float]

ROW_WIDTH, ROW_HEIGHT, ROW_EDGE = 220, 26, 8
WIDTH, HEIGHT = 440, 250
LEFT, RIGHT, TOP, BOTTOM = 62, 14, 14, 40
DASHES = ("", "6 3", "2 3", "9 3 2 3")
RATIO_MAX = 16.0  # what is farther from 1 stands at the edge


class Series(NamedTuple):
    """A line: its name, and its points from left to right."""

    name: str
    points: Sequence[tuple[float, float]]


def ratio_row(value: float | None, low: float | None, high: float | None, reach: float) -> Element:
    """Return a ratio with its interval, on a logarithmic axis from 1 / `reach` to `reach`."""
    scale = _logarithmic(1 / reach, reach, ROW_EDGE, ROW_WIDTH - ROW_EDGE)
    middle = ROW_HEIGHT / 2
    told = "no interval" if low is None and high is None else f"{_end(low)} to {_end(high)}"
    title = f"{_end(value)}, {told}"
    drawn = [_vertical(scale(1), 0, ROW_HEIGHT, "axis")]
    if low is not None or high is not None:
        begin, end = scale(low or 0.0), scale(math.inf if high is None else high)
        box = {"x": _at(begin), "y": middle - 5, "width": _at(max(2.0, end - begin))}
        drawn.append(element("rect", {**box, "height": 10, "rx": 3, "class": "interval"}))
    if value is not None:
        drawn.append(_dot(scale(value), middle, 4.5, "middle"))
    return _svg(ROW_WIDTH, ROW_HEIGHT, title, *drawn, css="row")


def reach_of(values: Sequence[float | None]) -> float:
    """Return how far an axis of ratios goes, so that most of them are on it."""
    known = [max(each, 1 / each) for each in values if each]
    return min(RATIO_MAX, max([1.25, *known]) * 1.08)


def samples_row(samples: Sequence[float], middle: float, most: float) -> Element:
    """Return a dot for each sample and a line at their median, from 0 to `most`."""
    scale = _linear(0, most or 1, ROW_EDGE, ROW_WIDTH - ROW_EDGE)
    line = ROW_HEIGHT / 2
    drawn = [
        element(
            "line",
            {"x1": ROW_EDGE, "x2": ROW_WIDTH - ROW_EDGE, "y1": line, "y2": line, "class": "axis"},
        ),
        *(_dot(scale(each), line, 3.5, "sample") for each in samples),
        _vertical(scale(middle), 4, ROW_HEIGHT - 4, "median"),
    ]
    title = f"{len(samples)} samples from {min(samples):.6g} to {max(samples):.6g}"
    return _svg(ROW_WIDTH, ROW_HEIGHT, title, *drawn, css="row")


def lines(
    title: str, series: Sequence[Series], across_is: str, names: Sequence[str] = ()
) -> Element:
    """Return lines over a common axis, the vertical one from 0; `names` stand below 0, 1, 2, …."""
    xs = [x for each in series for x, _ in each.points]
    ys = [y for each in series for _, y in each.points]
    ticks = _ticks(max(ys, default=0))
    across = _linear(min(xs, default=0), max(xs, default=1), LEFT, WIDTH - RIGHT)
    up = _linear(0, ticks[-1] or 1, HEIGHT - BOTTOM, TOP)
    drawn: list[Element] = []
    for tick in ticks:
        level = {"x1": LEFT, "x2": WIDTH - RIGHT, "y1": _at(up(tick)), "y2": _at(up(tick))}
        drawn.append(element("line", {**level, "class": "grid"}))
        drawn.append(_text(LEFT - 6, up(tick) + 4, f"{tick:.6g}", "end"))
    places = list(enumerate(names)) if names else [(x, f"{x:.4g}") for x in _ends(xs)]
    for x, name in places:
        drawn.append(_text(across(x), HEIGHT - BOTTOM + 16, name, "middle"))
    drawn.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, across_is, "middle"))
    for number, each in enumerate(series):
        path = " ".join(f"{_at(across(x))},{_at(up(y))}" for x, y in each.points)
        style = {"class": f"line s{number % 4}", "stroke-dasharray": DASHES[number % 4] or None}
        drawn.append(element("polyline", {"points": path, **style}))
    return _svg(WIDTH, HEIGHT, title, *drawn, css="plot")


def key(series: Sequence[Series]) -> Element:
    """Return which line is whose."""
    shown = []
    for number, each in enumerate(series):
        style = {"class": f"line s{number % 4}", "stroke-dasharray": DASHES[number % 4] or None}
        stroke = element("line", {"x1": 0, "x2": 26, "y1": 5, "y2": 5, **style})
        sign = element(
            "svg", {"class": "sign", "viewBox": "0 0 26 10", "aria-hidden": "true"}, stroke
        )
        shown.append(element("li", None, sign, f" {each.name}"))
    return element("ul", {"class": "key"}, *shown)


def _svg(width: int, height: int, title: str, *drawn: Element, css: str) -> Element:
    frame = {"class": css, "viewBox": f"0 0 {width} {height}", "role": "img"}
    return element("svg", frame, element("title", None, title), *drawn)


def _vertical(x: float, y1: float, y2: float, css: str) -> Element:
    return element("line", {"x1": _at(x), "x2": _at(x), "y1": y1, "y2": y2, "class": css})


def _dot(x: float, y: float, radius: float, css: str) -> Element:
    return element("circle", {"cx": _at(x), "cy": y, "r": radius, "class": css})


def _text(x: float, y: float, text: str, anchor: str) -> Element:
    return element("text", {"x": _at(x), "y": _at(y), "text-anchor": anchor}, text)


def _at(number: float) -> str:
    return f"{number:.1f}"


def _end(number: float | None) -> str:
    return "…" if number is None else f"{number:.3f}"


def _linear(low: float, high: float, begin: float, end: float) -> Scale:
    width = high - low or 1.0
    return lambda value: begin + (end - begin) * (value - low) / width


def _logarithmic(low: float, high: float, begin: float, end: float) -> Scale:
    inner = _linear(math.log(low), math.log(high), begin, end)
    return lambda value: inner(math.log(min(max(value, low), high)))


def _ends(xs: Sequence[float]) -> list[float]:
    return sorted({min(xs), max(xs)}) if xs else []


def _ticks(most: float) -> list[float]:
    """Return round numbers from 0 to at least `most`: three to six of them."""
    if most < 1e-300:  # its parts are no numbers any more
        return [0.0, 1.0]
    power = 10 ** math.floor(math.log10(most))
    step = next(power * each for each in (0.2, 0.5, 1, 2, 5) if most / (power * each) <= 5)
    return [step * each for each in range(math.ceil(most / step - 1e-9) + 1)]
