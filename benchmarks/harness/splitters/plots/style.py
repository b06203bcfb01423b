"""Colours that the colour-blind can tell apart (Okabe and Ito 2008), and labels beside curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK, FAINT, GRID = "#222222", "#8a8a8a", "#e4e4e4"
LABEL_SIZE = 8.5


class Look(NamedTuple):
    """How an algorithm is drawn."""

    colour: str
    width: float = 1.4
    dashes: str = "-"


_OURS, _ROUNDS, _POINTS, _CHANCE = "#0072B2", "#009E73", "#CC79A7", "#8a8a8a"
LOOKS: Mapping[str, Look] = {
    "stratified": Look(_OURS, 3.0),
    "exact": Look("#D55E00", 3.0),
    "smooth-wrr": Look(_ROUNDS),
    "edf": Look(_ROUNDS, dashes="--"),
    "edf-random": Look(_ROUNDS, dashes=":"),
    "static-stride": Look("#E69F00", 2.0),
    "iwrr": Look(_ROUNDS, dashes="-."),
    "ipvs-wrr": Look(_ROUNDS, dashes=":"),
    "golden-ratio": Look(_POINTS),
    "van-der-corput": Look(_POINTS, dashes="--"),
    "random": Look(INK, 2.0),
    "ring-hash": Look(_CHANCE, dashes="--"),
}


def look_of(name: str) -> Look:
    """Return the look of an algorithm; hashes and other coins are grey."""
    return LOOKS.get(name, Look(_CHANCE))


def sheet(width: float, height: float, title: str, subtitle: str) -> Figure:
    """Return a page with a title that says what is to be seen."""
    figure = Figure(figsize=(width, height), facecolor="white")
    figure.text(0.012, 1 - 0.18 / height, title, size=15, weight="bold", color=INK, va="top")
    figure.text(0.012, 1 - 0.52 / height, subtitle, size=9.5, color="#555555", va="top")
    return figure


def clean(axes: Axes) -> None:
    """Take away what tells nothing."""
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.grid(visible=True, which="major", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", length=0, labelsize=8.5, labelcolor="#444444")


def label_ends(axes: Axes, ends: Mapping[str, float], colours: Mapping[str, str]) -> None:
    """Write each name at the right edge at the height of its curve's end, none over another."""
    low, high = (axes.transData.transform((1, value))[1] for value in axes.get_ylim())
    names = sorted(ends, key=lambda name: ends[name])
    wanted = [(axes.transData.transform((1, ends[name]))[1] - low) / (high - low) for name in names]
    pixels = high - low
    figure = axes.figure
    points = pixels * 72 / figure.dpi
    places = spread(wanted, (LABEL_SIZE + 2.5) / points)
    for name, at, place in zip(names, wanted, places, strict=True):
        axes.annotate(
            name,
            xy=(1.0, at),
            xytext=(1.045, place),
            xycoords="axes fraction",
            textcoords="axes fraction",
            va="center",
            size=LABEL_SIZE,
            color=colours[name],
            weight="bold" if name in ("stratified", "exact") else "normal",
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": "#c8c8c8",
                "lw": 0.7,
                "shrinkA": 2,
                "shrinkB": 1,
                "relpos": (0, 0.5),
            },
        )


def spread(wanted: Sequence[float], apart: float) -> list[float]:
    """Return places in the same order, at least `apart`, as near as can be to the wanted ones.

    Names that would overlap become a block about the mean of what they want, and stay in 0 to 1.
    """
    blocks: list[tuple[float, int]] = []  # where the first would like to be, and how many
    for place in wanted:
        first, count = min(max(place, 0.0), 1.0), 1
        while blocks and blocks[-1][0] + blocks[-1][1] * apart > first:
            before, more = blocks.pop()
            first = (before * more + (first - more * apart) * count) / (more + count)
            count += more
            first = min(max(first, 0.0), 1.0 - (count - 1) * apart)
        blocks.append((first, count))
    return [first + i * apart for first, count in blocks for i in range(count)]
