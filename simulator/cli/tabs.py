"""Columns of text as Go's `text/tabwriter` lines them up, which kubectl and kn print through.

A column is a run of lines that have a cell there; the last cell of a line belongs to none.
"""

from __future__ import annotations

from collections.abc import Sequence


def aligned(rows: Sequence[Sequence[str]], minimum: int = 6, padding: int = 3) -> list[str]:
    """Return one line per row. Defaults are kubectl's: 3 spaces between, 6 columns at least."""
    widths: list[list[int]] = [[0] * max(0, len(row) - 1) for row in rows]
    deepest = max((len(row) for row in rows), default=0)
    for column in range(deepest - 1):
        start = 0
        while start < len(rows):
            end = start
            while end < len(rows) and len(rows[end]) > column + 1:
                end += 1
            longest = max((len(rows[line][column]) for line in range(start, end)), default=0)
            for line in range(start, end):
                widths[line][column] = max(minimum, longest + padding)
            start = end + 1
    return [
        "".join(cell.ljust(width) for cell, width in zip(row, line_widths, strict=False))
        + (row[-1] if row else "")
        for row, line_widths in zip(rows, widths, strict=True)
    ]
