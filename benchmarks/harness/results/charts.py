"""Bars as an SVG file of its own, light and dark by what the reader prefers. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.harness.pages.markup import Element, element

WIDTH, ROW, TOP, NAMES, RIGHT = 640, 26, 40, 190, 70
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1c2024; } .soft { fill: #5c6570; }
.ours { fill: #1f5fd0; } .theirs { fill: #a7b0bb; }
@media (prefers-color-scheme: dark) { text { fill: #e8eaed; } .soft { fill: #a3adb8; }
  .ours { fill: #82b1ff; } .theirs { fill: #5a646f; } }
"""


class Bar(NamedTuple):
    """A number with its name; `is_ours` gives it the colour that is looked at."""

    name: str
    value: float
    is_ours: bool


def bars(title: str, rows: Sequence[Bar], unit: str) -> str:
    """Return the file: a bar for each row from 0, its number behind it."""
    most = max((row.value for row in rows), default=0) or 1.0
    height = TOP + ROW * len(rows) + 8
    drawn: list[Element] = [element("text", {"x": 0, "y": 18, "class": "soft"}, f"{title}, {unit}")]
    for number, row in enumerate(rows):
        y = TOP + ROW * number
        width = (WIDTH - NAMES - RIGHT) * row.value / most
        middle = y + ROW / 2 + 1
        drawn.append(element("text", {"x": NAMES - 8, "y": middle, "text-anchor": "end"}, row.name))
        box = {"x": NAMES, "y": y + 2, "width": f"{max(1.0, width):.1f}", "height": ROW - 8}
        colour = "ours" if row.is_ours else "theirs"
        drawn.append(element("rect", {**box, "rx": 2, "class": colour}))
        behind = {"x": f"{NAMES + width + 6:.1f}", "y": middle}
        drawn.append(element("text", behind, f"{row.value:.3g}"))
    frame = {
        "xmlns": "http://www.w3.org/2000/svg",
        "viewBox": f"0 0 {WIDTH} {height}",
        "role": "img",
    }
    style = element("style", None, Element(_STYLE))
    return f"{element('svg', frame, element('title', None, title), style, *drawn)}\n"
