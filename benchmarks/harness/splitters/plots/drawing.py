"""All pictures of a tournament, as PNG and SVG."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.harness.documents.splitters import SplittersResult
from benchmarks.harness.splitters.plots import curves, pictures

PANELS_MAX = 2  # of the first weights: more do not fit beside each other
DPI = 150


def draw_all(
    result: SplittersResult, folder: Path, progress: Callable[[str], None]
) -> Iterator[Path]:
    """Write each picture into the folder, and yield its file."""
    weights = list(dict.fromkeys(each.weights for each in result.splits))[:PANELS_MAX]
    panels = [[each for each in result.splits if each.weights == wanted] for wanted in weights]
    drawn: dict[str, Callable[[], Figure]] = {
        "error": lambda: curves.error_curves(panels),
        "lag": lambda: curves.lag_curves(panels),
        "picks": lambda: pictures.strips(panels),
        "rhythms": lambda: pictures.rhythms(panels),
        "cost": lambda: pictures.costs(result.splits),
    }
    # Text stays text in the SVG, and two runs with the same numbers give the same file.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "knary"}):
        for name, draw in drawn.items():
            progress(name)
            figure = draw()
            for kind in ("png", "svg"):
                file = folder / f"{name}.{kind}"
                figure.savefig(file, dpi=DPI, metadata=_undated(kind))
                yield file
    progress("")


def _undated(kind: str) -> dict[str, str | None]:
    return {"Date": None} if kind == "svg" else {"Software": None}
